// Kinds of change between two releases. A change that does not apply leaves the release as it is, so that a list of
// changes can lose any of them and still be a list of changes.
import { FREE_KINDS, KEY_KINDS, STAMPS } from './kinds.js'
import { accessorOf, keyOf, modelNamed, sameName, type Kind, type Release } from './spec.js'
import { bare, ENUMS, keyField, MODEL_NAMES, newField, newModel, pick } from './fields.js'
import {
  conversion,
  follow,
  freeName,
  isFree,
  oldNames,
  onField,
  onModel,
  plain,
  reference,
  replaceField,
  type Change,
  type Edit,
} from './edit.js'
import { fit } from './fit.js'

const COLUMN_NAMES = ['oid', 'rowid', 'Order Details', 'say "hi"', 'group', "it's", 'alpha']
const TABLE_NAMES = ['all of "them"', 'select', 'Things']
const EDITS = {
  addField: onModel((model, { f, a, b, yes }) => {
    const name = freeName(model, f)
    if (name === undefined) return null
    const field = newField(name, { kind: a, nullable: yes, fallback: b, unique: b % 16 === 15, check: b % 5 === 4 })
    // Half of them somewhere in the middle: a rebuild follows the declaration, ADD COLUMN cannot.
    const at = yes ? model.fields.length : (a + b) % (model.fields.length + 1)
    return { ...model, fields: model.fields.toSpliced(at, 0, field) }
  }),
  addStamp: onModel((model, { a, f }) => {
    const kind = pick(STAMPS, a)!
    const name = freeName(model, f)
    if (name === undefined || model.fields.some(field => field.kind === kind)) return null
    return { ...model, fields: [...model.fields, bare(name, kind)] }
  }),
  addReference: onModel((model, { f, a, b, yes }, release) => {
    const name = freeName(model, f)
    if (name === undefined) return null
    const field = { ...bare(name, 'ref'), ref: reference(pick(release, a)!.name, b), nullable: b % 8 !== 7 }
    return { ...model, fields: yes ? [...model.fields, field] : [field, ...model.fields] }
  }),
  removeField: onModel((model, { f }) => {
    const field = pick(
      model.fields.filter(other => !other.key),
      f,
    )
    return field ? { ...model, fields: model.fields.filter(other => other !== field) } : null
  }),
  renameField: onModel((model, change) => {
    const field = pick(model.fields, change.f)!
    const swapped = field.name[0]!.toUpperCase() + field.name.slice(1)
    // SQLite's names ignore case, an app's do not.
    const name = change.a % 8 === 7 && swapped !== field.name ? swapped : freeName(model, change.a)
    if (name === undefined) return null
    const column = field.column === field.name ? name : field.column
    const renamedFrom =
      sameName(column, field.column) || column === field.column
        ? field.renamedFrom
        : oldNames(field.renamedFrom, field.column, change)
    return replaceField(model, field, { ...field, name, column, renamedFrom })
  }),
  renameColumn: onField((field, change, model) => {
    const column = change.a % 6 === 5 ? field.name : pick(COLUMN_NAMES, change.a)!
    if (
      sameName(column, field.column) ||
      !isFree({ ...model, fields: model.fields.filter(f => f !== field) }, column)
    ) {
      return null
    }
    return { ...field, column, renamedFrom: oldNames(field.renamedFrom, field.column, change) }
  }),
  retype: onField((field, { a, b }, model) => {
    const kind = FREE_KINDS[a % FREE_KINDS.length]!
    if (kind === field.kind) return null
    const values = kind === 'enum' ? pick(ENUMS, b)! : []
    const convertFrom = conversion(field, model, b)
    return {
      ...field,
      kind,
      ref: null,
      values,
      fallback: field.fallback && { ...field.fallback, pick: a },
      convertFrom,
    }
  }),
  convert: onField((field, { b }, model) => ({ ...field, convertFrom: conversion(field, model, b * 2 + 1) })),
  setNullable: onField((field, { b, yes }, model) => {
    if (field.nullable === yes || (STAMPS as readonly Kind[]).includes(field.kind)) return null
    return { ...field, nullable: yes, convertFrom: yes ? field.convertFrom : conversion(field, model, b) }
  }),
  setDefault: onField((field, { a, b }) => {
    const how = pick(['value', 'sql', 'function', null] as const, b)
    return plain(field) ? { ...field, fallback: how ? { how, pick: a } : null } : null
  }),
  setUnique: onField((field, { yes }) => ({ ...field, unique: yes })),
  setIndex: onField((field, { yes }) => ({ ...field, index: yes })),
  setCheck: onField((field, { a, yes }) => ({ ...field, check: yes ? a : null })),
  setValues: onField(
    (field, { a }) => ({ ...field, values: pick(ENUMS, a)! }),
    field => field.kind === 'enum',
  ),
  setIndexOfModel: onModel((model, { f, a, b, yes }) => {
    const kept = model.indexes.filter((_, i) => i !== f)
    if (!yes) return { ...model, indexes: kept }
    const [first, second] = [pick(model.fields, a)!.name, pick(model.fields, a + 1 + (b % 3))!.name]
    const on = [
      { field: first, desc: b % 2 === 1 },
      ...(first === second ? [] : [{ field: second, desc: b % 3 === 2 }]),
    ]
    const where =
      b % 4 === 3 ? { field: pick(model.fields, f)!.name, is: pick(['null', 'not null'] as const, a)! } : null
    return { ...model, indexes: [...kept, { on, unique: b % 5 === 0, where }] }
  }),
  setCheckOfModel: onModel((model, { f, a, b, yes }) => {
    const kept = model.checks.filter((_, i) => i !== f)
    const free = model.fields.filter(field => !field.key)
    if (!yes || free.length < 2) return { ...model, checks: kept }
    const fields = [pick(free, a)!.name, pick(free, a + 1)!.name] as const
    return { ...model, checks: [...kept, { how: b % 4 === 0 ? 'not both' : 'either', fields }] }
  }),
  setActions: onField(
    (field, { b }) => ({ ...field, ref: reference(field.ref!.model, b) }),
    field => field.ref !== null,
  ),
  setReference: onField((field, { a, b, yes }, _, release) => {
    if (yes === (field.ref !== null)) return null
    const rest = { ...field, fallback: null, check: null }
    if (!yes) {
      const target = keyOf(modelNamed(release, field.ref!.model)!)
      return {
        ...rest,
        ref: null,
        kind: target.kind === 'id' ? 'text' : target.kind === 'autoId' ? 'integer' : target.kind,
      }
    }
    const target = pick(release, a)!
    return plain(field) ? { ...rest, kind: 'ref', ref: reference(target.name, b) } : null
  }),
  changeKey: onModel((model, { f, a, yes }) => {
    const old = keyOf(model)
    // The old key: a field like any other, or gone.
    const kind: Kind = old.kind === 'id' ? 'text' : old.kind === 'autoId' ? 'integer' : old.kind
    const rest = model.fields.filter(field => field !== old)
    const demoted = yes ? [...rest, { ...old, key: false, kind }] : rest
    const found = pick(
      rest.filter(field => (KEY_KINDS as readonly Kind[]).includes(field.kind)),
      f,
    )
    if (!found || a % 4 === 3) {
      const name = freeName(model, a)
      return name === undefined ? null : { ...model, fields: [{ ...keyField(1), name, column: name }, ...demoted] }
    }
    const fields = demoted.map(field => (field === found ? { ...found, key: true, nullable: false } : field))
    return { ...model, fields }
  }),
  rekind: onModel((model, { a }) => {
    const old = keyOf(model)
    const kind = pick(KEY_KINDS, a)!
    return kind === old.kind ? null : replaceField(model, old, { ...old, kind })
  }),
  redeclareField: onModel((model, { f, a, yes }, _, past) => {
    const before = past.flatMap(release => modelNamed(release, model.name)?.fields ?? [])
    const field = pick(
      before.filter(other => !other.key && isFree(model, other.name) && isFree(model, other.column)),
      f,
    )
    if (!field) return null
    const kind = FREE_KINDS[a % FREE_KINDS.length]!
    const again = yes || !plain(field) ? field : { ...field, kind, values: kind === 'enum' ? ENUMS[0]! : [] }
    return { ...model, fields: [...model.fields, { ...again, convertFrom: null }] }
  }),
  forget: onField(field => ({ ...field, renamedFrom: [], convertFrom: null })),
  addModel: ((release, { a, b }) => {
    const name = pick(
      MODEL_NAMES.filter(other => !modelNamed(release, other)),
      a,
    )
    if (name === undefined || release.length >= 4) return null
    return [...release, newModel(name, b, [{ kind: a, nullable: true, fallback: 0, unique: false, check: false }])]
  }) satisfies Edit,
  removeModel: ((release, { m }) =>
    release.length < 2 ? null : release.filter((_, i) => i !== m % release.length)) satisfies Edit,
  redeclareModel: ((release, { m }, past) => {
    const model = pick(
      past.flat().filter(({ name }) => !modelNamed(release, name)),
      m,
    )
    return model && release.length < 4 ? [...release, model] : null
  }) satisfies Edit,
  renameModel: ((release, change) => {
    const model = pick(release, change.m)
    const name = pick(
      MODEL_NAMES.filter(other => !modelNamed(release, other)),
      change.a,
    )
    if (!model || name === undefined) return null
    const renamed = { ...model, name, renamedFrom: oldNames(model.renamedFrom, model.name, change) }
    const table = model.table === accessorOf(model) ? accessorOf(renamed) : model.table
    return release
      .map(other => (other === model ? { ...renamed, table } : follow(other, model.name, name)))
      .map(other => (other.name === name ? follow(other, model.name, name) : other))
  }) satisfies Edit,
  moveTable: onModel((model, { a }, release) => {
    const table = pick([...TABLE_NAMES, accessorOf(model), accessorOf(model).toUpperCase()], a)!
    const isTaken = release.some(other => other !== model && sameName(other.table, table))
    return isTaken || table === model.table ? null : { ...model, table }
  }),
  reorder: onModel((model, { f }) => {
    const [field] = model.fields.slice(f % model.fields.length)
    return { ...model, fields: [...model.fields.filter(other => other !== field), field!] }
  }),
} satisfies Record<string, Edit>

export type ChangeName = keyof typeof EDITS
export const CHANGE_NAMES = Object.keys(EDITS) as readonly ChangeName[]

/** The next release: the changes that apply, in turn. `applied` is told of each. */
export function change(
  release: Release,
  changes: readonly Change[],
  past: readonly Release[],
  applied: (what: ChangeName) => void = () => {},
): Release {
  return changes.reduce((current, one) => {
    const next = EDITS[one.what](current, one, past)
    if (!next) return current
    const fitted = fit(next)
    applied(one.what)
    return fitted
  }, release)
}
