// Fields and models out of a few numbers.
import { FREE_KINDS } from './kinds.js'
import { accessorOf, type FieldSpec, type Kind, type ModelSpec } from './spec.js'

export interface FieldSeed {
  readonly kind: number
  readonly nullable: boolean
  readonly fallback: number
  readonly unique: boolean
  readonly check: boolean
}

export const FIELD_NAMES = ['alpha', 'beta', 'gamma', 'delta', 'kappa', 'omega', 'Order', 'value']
export const MODEL_NAMES = ['Ada', 'Bob', 'Cyd', 'Dot', 'Eve', 'Fay']
export const ENUMS = [
  ['a', 'b', 'c'],
  ['a', 'b'],
  ['a', 'b', 'c', '7'],
  ['b', 'x'],
]

export const pick = <T>(list: readonly T[], n: number): T | undefined => list[n % list.length]

export function newField(name: string, { kind: seed, nullable, fallback, unique, check }: FieldSeed): FieldSpec {
  const kind = FREE_KINDS[seed % FREE_KINDS.length]!
  const how = (['value', 'sql', 'function'] as const)[(fallback % 4) - 1]
  return {
    ...bare(name, kind),
    nullable,
    fallback: how ? { how, pick: fallback } : null,
    unique,
    check: check ? seed : null,
  }
}

export const bare = (name: string, kind: Kind): FieldSpec => ({
  name,
  column: name,
  kind,
  key: false,
  nullable: false,
  values: kind === 'enum' ? ENUMS[0]! : [],
  ref: null,
  fallback: null,
  unique: false,
  index: false,
  check: null,
  renamedFrom: [],
  convertFrom: null,
})

export const keyField = (seed: number): FieldSpec => {
  const kind = pick(['id', 'autoId', 'text', 'integer', 'bigint', 'id', 'id', 'autoId'] as const, seed)!
  return { ...bare('id', kind), key: true }
}

export function newModel(name: string, key: number, seeds: readonly FieldSeed[]): ModelSpec {
  const model = { name, table: '', renamedFrom: [], fields: [], indexes: [], checks: [] }
  const fields = [keyField(key), ...seeds.map((seed, i) => newField(FIELD_NAMES[i % FIELD_NAMES.length]!, seed))]
  return { ...model, table: accessorOf(model), fields }
}
