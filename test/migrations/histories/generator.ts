// Random histories of an app: releases, and the way of one user's database through them.
import fc from 'fast-check'
import { change, CHANGE_NAMES, type ChangeName } from './change.js'
import type { Change } from './edit.js'
import { MODEL_NAMES, newModel, type FieldSeed } from './fields.js'
import { fit } from './fit.js'
import type { Release } from './spec.js'

export type Mode = 'keep' | 'error' | 'apply'

export interface RowSeed {
  readonly m: number
  readonly values: readonly number[]
}

/** What a user does at one release before loading a later one. */
export interface Stay {
  /** Releases that are skipped on the way to the next stay. */
  readonly skip: number
  readonly rows: readonly RowSeed[]
  /** Rows that are deleted: of all, by position. */
  readonly deletes: readonly number[]
  readonly bulk: boolean
  /** The app's own SQL gives some rows numbers that are far from the others': as in a large table. */
  readonly far: boolean
  /** Models whose tables are not made, as no operation needs them: by position. */
  readonly untouched: readonly number[]
  /** What the app's own SQL makes, so that the registry is not trusted: nothing, or one of ADDITIONS. */
  readonly drift: number
  /** The next release is loaded with autoMigrate off, and migrates when it is asked to. */
  readonly byHand: boolean
}

export interface History {
  readonly mode: Mode
  readonly models: readonly { readonly key: number; readonly fields: readonly FieldSeed[] }[]
  readonly changes: readonly (readonly Change[])[]
  readonly start: number
  readonly stays: readonly Stay[]
}

const often = fc.integer({ min: 0, max: 15 })
const seldom = (weight: number) =>
  fc.oneof({ weight, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) })

const fieldSeed: fc.Arbitrary<FieldSeed> = fc.record({
  kind: fc.nat(10),
  nullable: fc.boolean(),
  fallback: fc.nat(7),
  unique: seldom(7),
  check: seldom(3),
})

/** What changes values, and what is kept of them, more often than the rest. */
const OFTEN: readonly ChangeName[] = ['retype', 'retype', 'renameField', 'redeclareField', 'setNullable', 'setValues']

export const changes: fc.Arbitrary<Change> = fc.record({
  what: fc.constantFrom(...CHANGE_NAMES, ...OFTEN),
  m: fc.nat(3),
  f: fc.nat(7),
  a: often,
  b: often,
  yes: fc.boolean(),
})

export const stays: fc.Arbitrary<Stay> = fc.record({
  skip: fc.nat(3),
  rows: fc.array(fc.record({ m: fc.nat(3), values: fc.array(fc.nat(40), { minLength: 3, maxLength: 7 }) }), {
    maxLength: 5,
  }),
  deletes: fc.array(fc.nat(5), { maxLength: 1 }),
  bulk: fc.boolean(),
  far: seldom(2),
  untouched: fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(fc.nat(3), { minLength: 1, maxLength: 2 }) },
  ),
  drift: fc.constantFrom(0, 0, 0, 0, 0, 0, 1, 2, 3),
  byHand: seldom(4),
})

export const models = fc.array(fc.record({ key: fc.nat(7), fields: fc.array(fieldSeed, { maxLength: 4 }) }), {
  minLength: 1,
  maxLength: 3,
})

export const modes: fc.Arbitrary<Mode> = fc.oneof(
  { weight: 3, arbitrary: fc.constant<Mode>('keep') },
  { weight: 2, arbitrary: fc.constant<Mode>('apply') },
  { weight: 1, arbitrary: fc.constant<Mode>('error') },
)

export const histories: fc.Arbitrary<History> = fc.record({
  mode: modes,
  models,
  changes: fc.array(fc.array(changes, { minLength: 1, maxLength: 3 }), { minLength: 4, maxLength: 9 }),
  start: fc.nat(2),
  stays: fc.array(stays, { minLength: 1, maxLength: 4 }),
})

/** The releases of a history, the first one first. `applied` is told of each change that was no nonsense. */
export function releasesOf(
  { models, changes }: Pick<History, 'models' | 'changes'>,
  applied: (what: ChangeName) => void = () => {},
): Release[] {
  const releases = [fit(models.map(({ key, fields }, i) => newModel(MODEL_NAMES[i]!, key, fields)))]
  for (const step of changes) releases.push(change(releases.at(-1)!, step, releases, applied))
  return releases
}
