// The oracle by itself: histories and what has to become of their rows, written by hand; and its SQL in JavaScript
// against SQLite.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { resolveModels } from '../../../src/resolve.js'
import { CHANGE_NAMES } from './change.js'
import { convert } from './convert.js'
import { declare } from './declare.js'
import { Disk, look, type Query } from './disk.js'
import { newModel } from './fields.js'
import { histories, releasesOf, type Mode } from './generator.js'
import { conversionOf, fieldCheck, FREE_KINDS, kindCheck, poolOf, defaultSql } from './kinds.js'
import { migrate } from './oracle.js'
import { quoted, show, type FieldSpec, type Kind, type ModelSpec, type Release, type Stored } from './spec.js'
import { newTable, tableOf, type World } from './world.js'

const [key] = newModel('Ada', 0, []).fields as [FieldSpec]
const field = (name: string, kind: Kind, more: Partial<FieldSpec> = {}): FieldSpec => ({
  ...key,
  name,
  column: name,
  kind,
  key: false,
  values: kind === 'enum' ? ['a', 'b'] : [],
  ...more,
})
const nullable = { nullable: true }
const ada = (fields: readonly FieldSpec[], more: Partial<ModelSpec> = {}): ModelSpec => ({
  ...newModel('Ada', 0, []),
  fields: [key, ...fields],
  ...more,
})

/** A database of one model with these rows. */
function stored(model: ModelSpec, ...rows: Record<string, Stored>[]): World {
  const table = newTable(model, [model])
  return [{ ...table, rows: rows.map((values, i) => ({ rowid: i + 1, values: { id: `r${i}`, ...values } })) }]
}

/** The rows after the jumps, without their ids. */
function jump(world: World, mode: Mode, ...releases: Release[]) {
  let at = world
  for (const release of releases) {
    const verdict = migrate(at, release, mode, 99)
    if (verdict.unclear.length + verdict.issues.length + verdict.broken.length > 0) return verdict
    at = verdict.world
  }
  return at.map(table => table.rows.map(({ values: { id: _id, ...values } }) => values))
}

describe('by hand', () => {
  test('a field that is renamed twice keeps its values, however many releases are skipped', () => {
    const world = stored(ada([field('a', 'text')]), { a: 'x' })
    const twice = [ada([field('c', 'text', { renamedFrom: ['b', 'a'] })])]
    expect(jump(world, 'keep', [ada([field('b', 'text', { renamedFrom: ['a'] })])], twice)).toEqual([[{ c: 'x' }]])
    expect(jump(world, 'keep', twice)).toEqual([[{ c: 'x' }]])
    // Only the last name is known: the values stay behind.
    const last = [ada([field('c', 'text', { renamedFrom: ['b'], nullable: true })])]
    expect(jump(world, 'keep', last)).toEqual([[{ a: 'x', c: null }]])
    expect(jump(world, 'apply', last)).toEqual([[{ c: null }]])
    expect(jump(world, 'error', last)).toMatchObject({ issues: [{ model: 'Ada', fields: ['a'] }] })
  })

  test('an orphan is taken back by its name, and pushed aside by a live field', () => {
    const world = stored(ada([field('a', 'text'), field('b', 'text')]), { a: '1', b: '2' })
    const removed = [ada([field('b', 'text')])]
    expect(jump(world, 'keep', removed, [ada([field('a', 'integer')])])).toEqual([[{ a: 1, b: '2' }]])
    expect(jump(world, 'keep', removed, [ada([field('a', 'text', { renamedFrom: ['b'] })])])).toEqual([
      [{ a: '2', 'a (orphan 1)': '1' }],
    ])
  })

  test('new fields: NULL, the default, the time, the version', () => {
    const world = stored(ada([]), {})
    const made = [
      ada([
        field('a', 'text', nullable),
        field('b', 'enum', { fallback: { how: 'value', pick: 1 } }),
        field('c', 'integer', { fallback: { how: 'sql', pick: 0 }, nullable: true }),
        field('at', 'createdAt'),
        field('v', 'version'),
      ]),
    ]
    expect(jump(world, 'keep', made)).toEqual([[{ a: null, b: 'b', c: 7, at: 99, v: 1 }]])
    const bare = [ada([field('a', 'text', { fallback: { how: 'function', pick: 0 } })])]
    expect(jump(world, 'apply', bare)).toMatchObject({ issues: [{ model: 'Ada', fields: ['a'] }] })
    expect(jump(stored(ada([])), 'apply', bare)).toEqual([[]])
  })

  test('other types: without loss, or refused, or cast', () => {
    const world = stored(ada([field('a', 'text')]), { a: '7' }, { a: '3.5' })
    expect(jump(world, 'keep', [ada([field('a', 'real')])])).toEqual([[{ a: 7 }, { a: 3.5 }]])
    expect(jump(world, 'keep', [ada([field('a', 'integer')])])).toMatchObject({ issues: [{ fields: ['a'] }] })
    expect(jump(world, 'apply', [ada([field('a', 'integer')])])).toEqual([[{ a: 7 }, { a: 3 }]])
    const dates = stored(ada([field('a', 'dateMs')]), { a: 1500 })
    expect(jump(dates, 'keep', [ada([field('a', 'dateText')])])).toEqual([[{ a: '1970-01-01T00:00:01.500Z' }]])
    expect(jump(dates, 'keep', [ada([field('a', 'dateSeconds')])])).toMatchObject({ issues: [{ fields: ['a'] }] })
  })

  test('NOT NULL takes the default for NULL, or is refused', () => {
    const world = stored(ada([field('a', 'integer', nullable)]), { a: null }, { a: 1 })
    expect(jump(world, 'apply', [ada([field('a', 'integer')])])).toMatchObject({ issues: [{ fields: ['a'] }] })
    const filled = [ada([field('a', 'integer', { fallback: { how: 'value', pick: 2 } })])]
    expect(jump(world, 'keep', filled)).toEqual([[{ a: 7 }, { a: 1 }]])
    const converted = [ada([field('a', 'integer', { convertFrom: { how: 'probe', of: 'id' } })])]
    expect(jump(world, 'keep', converted)).toEqual([[{ a: 1 }, { a: 1 }]])
  })

  test('a conversion sees the old row, by its old names', () => {
    const world = stored(ada([field('a', 'real')]), { a: 1.5 })
    const probe = (of: string) => [ada([field('b', 'text', { renamedFrom: ['a'], convertFrom: { how: 'probe', of } })])]
    expect(jump(world, 'keep', probe('a'))).toEqual([[{ b: 'real' }]])
    expect(jump(world, 'keep', probe('nowhere'))).toMatchObject({ broken: [expect.stringContaining('nowhere')] })
  })

  test('keys, uniques, checks and references that rows break', () => {
    const text = field('a', 'text', nullable)
    const world = stored(ada([text]), { a: 'x' }, { a: 'x' }, { a: null })
    const refused = (model: ModelSpec) => {
      const result = jump(world, 'apply', [model])
      return Array.isArray(result) ? result : result.issues.map(issue => issue.fields.join())
    }
    expect(refused(ada([{ ...text, unique: true }]))).toEqual(['a'])
    expect(refused(ada([{ ...text, check: 1 }]))).toEqual([[{ a: 'x' }, { a: 'x' }, { a: null }]])
    expect(refused(ada([{ ...text, kind: 'enum', values: ['a'] }]))).toEqual(['a'])
    expect(refused(ada([{ ...text, kind: 'ref', ref: { model: 'Ada', onDelete: null, onUpdate: null } }]))).toEqual([
      'a',
    ])
    expect(refused(ada([text], { checks: [{ how: 'either', fields: ['a', 'a'] }] }))).toEqual(['a,a'])
    const partial = { on: [{ field: 'a', desc: true }], unique: true, where: { field: 'a', is: 'null' } as const }
    expect(refused(ada([text], { indexes: [partial] }))).toEqual([[{ a: 'x' }, { a: 'x' }, { a: null }]])
    const counted = {
      ...newModel('Ada', 1, []),
      fields: [{ ...key, kind: 'autoId' as const, name: 'n', column: 'n' }, text],
    }
    expect(refused(counted)).toEqual([
      [
        { n: 1, a: 'x' },
        { n: 2, a: 'x' },
        { n: 3, a: null },
      ],
    ])
  })

  test('models: removed, renamed, declared again', () => {
    const world = stored(ada([field('a', 'text')]), { a: 'x' })
    const bob = { ...newModel('Bob', 0, []), renamedFrom: ['Cyd', 'Ada'] }
    const kept = migrate(world, [bob], 'keep', 0)
    expect(kept.world.map(({ model, table, orphan }) => [model, table, orphan])).toEqual([['Bob', 'bobs', false]])
    const removed = migrate(world, [newModel('Cyd', 0, [])], 'keep', 0)
    expect(removed.world.map(({ model, orphan }) => [model, orphan])).toEqual([['Ada', true]])
    const again = migrate(removed.world, [ada([field('a', 'text')])], 'keep', 0)
    expect(tableOf(again.world, 'Ada')!.rows).toEqual(world[0]!.rows)
    expect(migrate(world, [newModel('Cyd', 0, [])], 'apply', 0).world).toEqual([])
    expect(migrate(world, [newModel('Cyd', 0, [])], 'error', 0).issues).toMatchObject([{ model: 'Ada', fields: [] }])
  })
})

describe('against SQLite', () => {
  const sqlite = <T>(at: (query: Query) => T) => look(new Disk().saved, at)
  const literal = (value: Stored): string => {
    if (value instanceof Uint8Array) return `x'${Buffer.from(value).toString('hex')}'`
    if (value === Infinity) return '9e999'
    if (typeof value !== 'string') return value === -(2n ** 63n) ? '(-9223372036854775807 - 1)' : String(value)
    return value
      .split('\0')
      .map(part => `'${part.replaceAll("'", "''")}'`)
      .join(' || char(0) || ')
  }
  /** As a column of the type would hold it. */
  const held = (value: Stored, type: string) => `CAST(${literal(value)} AS ${type})`
  const TYPES = { text: 'TEXT', integer: 'INTEGER', bigint: 'INTEGER', real: 'REAL', blob: 'BLOB' } as const
  const kinds = Object.keys(TYPES) as (keyof typeof TYPES)[]

  test('each conversion is what CAST gives', () =>
    sqlite(query => {
      for (const from of kinds) {
        for (const to of kinds) {
          for (const value of poolOf(field('f', from), [])) {
            const result = convert(value, { type: TYPES[from], form: null }, { type: TYPES[to], form: null })
            if (result === 'unclear') continue
            const [row] = query(`SELECT CAST(${held(value, TYPES[from])} AS ${TYPES[to]}) AS v`)
            expect.soft(show(row!.v), `${show(value)} ${from} -> ${to}`).toBe(show(result.value))
          }
        }
      }
    }))

  test('what is not lost comes back', () =>
    sqlite(query => {
      for (const from of kinds) {
        for (const to of kinds.filter(kind => kind !== 'blob')) {
          for (const value of poolOf(field('f', from), [])) {
            const result = convert(value, { type: TYPES[from], form: null }, { type: TYPES[to], form: null })
            // '1e3' is the number 1000, spelt in another way.
            if (result === 'unclear' || result.lost || (from === 'text' && to === 'real')) continue
            const [row] = query(`SELECT CAST(CAST(${held(value, TYPES[from])} AS ${TYPES[to]}) AS ${TYPES[from]}) AS v`)
            expect.soft(show(row!.v), `${show(value)} ${from} -> ${to}`).toBe(show(value))
          }
        }
      }
    }))

  test('each condition, default and conversion means in SQL what it means here', () =>
    sqlite(query => {
      for (const kind of FREE_KINDS) {
        for (let pick = 0; pick < 6; pick++) {
          const tried = field('f', kind, { check: pick, fallback: { how: 'sql', pick } })
          const [sql, value] = defaultSql(tried, tried.fallback!)
          expect.soft(show(query(`SELECT ${sql} AS v`)[0]!.v), sql).toBe(show(value))
          for (const condition of [fieldCheck(tried), kindCheck(tried)]) {
            if (!condition) continue
            for (const candidate of poolOf(tried, [])) {
              const [row] = query(`SELECT ${condition.sql} AS v FROM (SELECT ${literal(candidate)} AS f)`)
              expect.soft(row!.v === 1, `${condition.sql} of ${show(candidate)}`).toBe(condition.fits(candidate!))
            }
          }
          for (const how of ['probe', 'probe or null', 'copy', 'null'] as const) {
            const conversion = conversionOf(tried, { how, of: 'old' }, [])
            for (const old of [null, 'x'] as const) {
              const [row] = query(`SELECT ${conversion.sql} AS v FROM (SELECT ${literal(old)} AS ${quoted('old')})`)
              expect.soft(show(row!.v), conversion.sql).toBe(show(conversion.of(old, 'TEXT')))
            }
          }
        }
      }
    }))
})

test('every release of the generator can be declared, and every kind of change happens', () => {
  const happened = new Set<string>()
  for (const history of fc.sample(histories, { numRuns: 300, seed: 1 })) {
    for (const release of releasesOf(history, what => happened.add(what))) resolveModels(declare(release))
  }
  expect([...happened].sort()).toEqual([...CHANGE_NAMES].sort())
})
