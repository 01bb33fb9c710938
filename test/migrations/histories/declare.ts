// A release as real models, and as the TypeScript that would declare them: both out of the same list of calls.
import { model, sql, t } from '../../../src/index.js'
import type { AnyModel } from '../../../src/model.js'
import { appValue, conversionOf, defaultSql, defaultValue, fieldCheck, modelCheckSql } from './kinds.js'
import { accessorOf, show, type FieldSpec, type IndexSpec, type ModelSpec, type Release } from './spec.js'

type Call = readonly [method: string, ...args: unknown[]]

function fieldCalls(field: FieldSpec, release: Release): Call[] {
  const { kind, fallback, ref } = field
  const calls: Call[] = [firstCall(field)]
  if (field.key && kind !== 'id' && kind !== 'autoId') calls.push(['primaryKey'])
  if (field.nullable) calls.push(['nullable'])
  if (field.column !== field.name) calls.push(['column', field.column])
  if (fallback && !ref) {
    const value = appValue(kind as never, defaultValue(field, { ...fallback, how: 'value' }))
    if (fallback.how === 'value') calls.push(['default', value])
    else if (fallback.how === 'sql') calls.push(['default', sql.raw(defaultSql(field, fallback)[0])])
    else calls.push(['default', Object.assign(() => value, { toString: () => `() => ${show(value)}` })])
  }
  if (field.unique) calls.push(['unique'])
  if (field.index) calls.push(['index'])
  const check = fieldCheck(field)
  if (check) calls.push(['check', sql.raw(check.sql)])
  if (field.renamedFrom.length > 0) calls.push(['renamedFrom', ...field.renamedFrom])
  if (field.convertFrom) calls.push(['convertFrom', sql.raw(conversionOf(field, field.convertFrom, release).sql)])
  return calls
}

function firstCall({ kind, values, ref }: FieldSpec): Call {
  if (ref) {
    const { onDelete, onUpdate } = ref
    const actions = { ...(onDelete ? { onDelete } : {}), ...(onUpdate ? { onUpdate } : {}) }
    return Object.keys(actions).length === 0 ? ['ref', ref.model] : ['ref', ref.model, actions]
  }
  switch (kind) {
    case 'enum':
      return ['enum', values]
    case 'dateMs':
      return ['date']
    case 'dateSeconds':
      return ['date', { as: 'seconds' }]
    case 'dateText':
      return ['date', { as: 'text' }]
    default:
      return [kind]
  }
}

function indexOption({ on, where }: IndexSpec, spec: ModelSpec): unknown {
  const list = on.map(({ field, desc }) => (desc ? { [field]: 'desc' } : field))
  if (!where && list.every(item => typeof item === 'string')) return list
  if (!where) return { on: list }
  const column = spec.fields.find(field => field.name === where.field)!.column
  return { on: list, where: sql`${sql.id(column)} ${sql.raw(where.is === 'null' ? 'IS NULL' : 'IS NOT NULL')}` }
}

function modelOptions(spec: ModelSpec): Record<string, unknown> {
  const indexes = spec.indexes.filter(index => !index.unique).map(index => indexOption(index, spec))
  const unique = spec.indexes.filter(index => index.unique).map(index => indexOption(index, spec))
  const checks = spec.checks.map(check => sql.raw(modelCheckSql(spec, check)))
  const { renamedFrom, table } = spec
  return {
    ...(table === accessorOf(spec) ? {} : { table }),
    ...(renamedFrom.length === 0 ? {} : { renamedFrom: renamedFrom.length === 1 ? renamedFrom[0] : renamedFrom }),
    ...(indexes.length > 0 ? { indexes } : {}),
    ...(unique.length > 0 ? { unique } : {}),
    ...(checks.length > 0 ? { checks } : {}),
  }
}

/** What `dataflow({ models })` takes. Throws what `model()` throws. */
export function declare(release: Release): Record<string, AnyModel> {
  return Object.fromEntries(
    release.map(spec => {
      const fields = spec.fields.map(field => {
        const builder = fieldCalls(field, release).reduce<any>((on, [method, ...args]) => on[method](...args), t)
        return [field.name, builder]
      })
      // Declared at run time: the compiler cannot know the fields.
      return [accessorOf(spec), model(spec.name, Object.fromEntries(fields), modelOptions(spec) as never)]
    }),
  )
}

/** The same as text. */
export function print(release: Release): string {
  const models = release.map(spec => {
    const fields = spec.fields.map(field => {
      const calls = fieldCalls(field, release).map(([method, ...args]) => `.${method}(${args.map(show).join(', ')})`)
      return `  ${field.name}: t${calls.join('')},`
    })
    const options = modelOptions(spec)
    const rest = Object.keys(options).length > 0 ? `, ${show(options)}` : ''
    return `${accessorOf(spec)}: model('${spec.name}', {\n${fields.join('\n')}\n}${rest})`
  })
  return models.join(',\n')
}
