// What a scope answers, in plain JavaScript over its rows. Knows nothing of the library but the names of codes.
import { compare, matches } from '../filter/oracle.js'

export interface Person {
  id: string
  tenantId: string
  email: string
  n: number
  friendId: string | null
  tagId: string | null
  version: number
  deletedAt: null | typeof DELETED
}
export interface Note {
  id: number
  tenantId: string
  personId: string
  title: string
}
type Row = Record<string, unknown>
/** In place of the moment when a row was deleted softly. Only a Person is; a Note is gone. */
export const DELETED = 'deleted'
type Kind = 'Person' | 'Note'

/** A refusal, by its code. */
export class Refused extends Error {
  readonly code: string

  constructor(code: string) {
    super(code)
    this.code = code
  }
}

/** Two rows have what is unique: which of them is changed depends on the order in which SQLite looks. */
export class Ambiguous extends Error {}

const UNIQUE: Record<Kind, readonly string[]> = { Person: ['email'], Note: ['personId', 'title'] }
const REFS: Record<Kind, Record<string, Kind | 'Tag'>> = {
  Person: { friendId: 'Person', tagId: 'Tag' },
  Note: { personId: 'Person' },
}
const DEFAULTS: Record<Kind, Row> = {
  Person: { n: 0, friendId: null, tagId: null, version: 1, deletedAt: null },
  Note: {},
}
export const TAGS = ['t1', 't2']

export class Oracle {
  tables: Record<Kind, Map<unknown, Row>> = { Person: new Map(), Note: new Map() }
  readonly tenant: string
  /** All that is known of other scopes: their keys. */
  taken: (kind: Kind, id: unknown) => boolean = () => false

  constructor(tenant: string) {
    this.tenant = tenant
  }

  /** The rows that are not deleted, in the order of their keys; or those that are, or all. */
  rows(kind: Kind, which: 'live' | 'deleted' | 'all' = 'live'): Row[] {
    return [...this.tables[kind].values()]
      .filter(row => which === 'all' || isLive(row) === (which === 'live'))
      .sort((a, b) => compare(a.id, b.id))
  }

  select(kind: Kind, where: Row | undefined, which: 'live' | 'deleted' = 'live'): Row[] {
    return this.rows(kind, which).filter(row => matches(row, where ?? {}, { json: [] }))
  }

  read(kind: Kind, id: unknown): Row | undefined {
    const row = this.tables[kind].get(id)
    return row && isLive(row) ? row : undefined
  }

  /** All or nothing. */
  atomically<T>(work: () => T): T {
    const before = {
      Person: new Map([...this.tables.Person].map(([id, row]) => [id, { ...row }])),
      Note: new Map([...this.tables.Note].map(([id, row]) => [id, { ...row }])),
    }
    try {
      return work()
    } catch (error) {
      this.tables = before
      throw error
    }
  }

  /** `madeId`: the key that SQLite makes, if it makes one. */
  create(kind: Kind, data: Row, madeId: unknown): Row {
    const row = this.#newRow(kind, data, madeId)
    this.#assertReferences(kind, row, row.id)
    if (this.#isTaken(kind, row.id) || this.#sameUnique(kind, row)) throw new Refused('UNIQUE')
    this.tables[kind].set(row.id, row)
    return row
  }

  update(kind: Kind, id: unknown, patch: Row, version?: number): Row {
    this.#assertOwn(patch)
    this.#assertReferences(kind, patch, id)
    const row = this.read(kind, id)
    if (!row) throw new Refused('NOT_FOUND')
    if (version !== undefined && row.version !== version) throw new Refused('CONFLICT')
    return this.#change(kind, row, patch)
  }

  delete(kind: Kind, id: unknown): boolean {
    const row = this.read(kind, id)
    if (!row) return false
    if (kind === 'Note') return this.tables.Note.delete(id)
    Object.assign(row, { deletedAt: DELETED, version: (row.version as number) + 1 })
    return true
  }

  restore(id: unknown): Row {
    const row = this.tables.Person.get(id)
    if (!row || isLive(row)) throw new Refused('NOT_FOUND')
    return this.#change('Person', row, { deletedAt: null })
  }

  purge(id: unknown): boolean {
    const row = this.tables.Person.get(id)
    if (!row || isLive(row)) return false
    this.tables.Person.delete(id)
    for (const note of this.rows('Note')) if (note.personId === id) this.tables.Note.delete(note.id)
    for (const person of this.tables.Person.values()) if (person.friendId === id) person.friendId = null
    return true
  }

  bulkRestore(where: Row | undefined): unknown[] {
    const ids = this.select('Person', where, 'deleted').map(({ id }) => id)
    this.atomically(() => ids.forEach(id => this.restore(id)))
    return ids
  }

  bulkPurge(where: Row | undefined): unknown[] {
    return this.select('Person', where, 'deleted').map(({ id }) => {
      this.purge(id)
      return id
    })
  }

  upsert(
    kind: Kind,
    data: Row,
    on: 'key' | 'unique',
    update: Row | readonly string[] | undefined,
    madeId: unknown,
  ): Row {
    const row = this.#newRow(kind, data, madeId)
    const assigned = update && !Array.isArray(update) ? (update as Row) : {}
    this.#assertOwn(assigned)
    // Only by its key is it known which row will refer.
    const key = on === 'key' ? row.id : undefined
    this.#assertReferences(kind, row, key)
    this.#assertReferences(kind, assigned, key)
    const there = on === 'key' ? this.read(kind, row.id) : this.#sameUnique(kind, row)
    if (!there) {
      if (this.#isTaken(kind, row.id) || this.#sameUnique(kind, row)) throw new Refused('UNIQUE')
      this.tables[kind].set(row.id, row)
      return row
    }
    // What decides is looked at first: whatever else is taken stays as it is.
    return this.#change(kind, there, this.#overwriting(kind, data, row, on, update))
  }

  insertMany(
    kind: Kind,
    rows: readonly Row[],
    policy: 'fail' | 'skip' | 'update',
    on: 'key' | 'unique' | 'any',
    collect: boolean,
    madeIds: (index: number) => unknown,
  ): { count: number; ids: unknown[]; errors: { index: number; code: string }[] } {
    const ids: unknown[] = []
    const errors: { index: number; code: string }[] = []
    this.atomically(() =>
      rows.forEach((data, index) => {
        try {
          const id = this.#insertOne(kind, data, policy, on, () => madeIds(ids.length))
          if (id !== undefined) ids.push(id)
        } catch (error) {
          if (!collect || !(error instanceof Refused)) throw error
          errors.push({ index, code: error.code })
        }
      }),
    )
    return { count: ids.length, ids, errors }
  }

  #insertOne(
    kind: Kind,
    data: Row,
    policy: 'fail' | 'skip' | 'update',
    on: 'key' | 'unique' | 'any',
    madeId: () => unknown,
  ): unknown {
    const row = this.#newRow(kind, data, undefined)
    if (policy === 'update') {
      this.#assertReferences(kind, row, on === 'key' ? row.id : undefined)
      const byKey = row.id === undefined ? undefined : this.read(kind, row.id)
      const byUnique = this.#sameUnique(kind, row)
      if (on === 'any') {
        if (byUnique && byUnique !== byKey && this.#isTaken(kind, row.id)) throw new Ambiguous()
        on = byUnique ? 'unique' : 'key'
      }
      const there = on === 'key' ? byKey : byUnique
      return this.upsert(kind, data, on, undefined, there ? undefined : this.#isFree(kind, row) ? madeId() : undefined)
        .id
    }
    this.#assertReferences(kind, row, row.id)
    if (!this.#isFree(kind, row)) {
      if (policy === 'skip') return undefined
      throw new Refused('UNIQUE')
    }
    return this.create(kind, data, data.id === undefined ? madeId() : undefined).id
  }

  bulkUpdate(kind: Kind, where: Row | undefined, set: Row): unknown[] {
    this.#assertOwn(set)
    this.#assertReferences(kind, set, undefined)
    const rows = this.select(kind, where)
    return this.atomically(() => {
      const chosen = rows.map(({ id }) => this.tables[kind].get(id)!)
      for (const row of chosen) this.#change(kind, row, set, chosen.length)
      return chosen.map(({ id }) => id)
    })
  }

  bulkDelete(kind: Kind, where: Row | undefined): unknown[] {
    return this.select(kind, where).map(({ id }) => {
      this.delete(kind, id)
      return id
    })
  }

  #newRow(kind: Kind, data: Row, madeId: unknown): Row {
    this.#assertOwn(data)
    return { id: madeId, ...DEFAULTS[kind], ...data, tenantId: this.tenant }
  }

  #assertOwn({ tenantId }: Row): void {
    if (tenantId !== undefined && tenantId !== this.tenant) throw new Refused('READONLY')
  }

  #assertReferences(kind: Kind, values: Row, id: unknown): void {
    for (const [field, to] of Object.entries(REFS[kind])) {
      const value = values[field]
      if (value === undefined || value === null || (to === kind && value === id)) continue
      const seen = to === 'Tag' ? TAGS.includes(value as string) : this.tables[to].has(value)
      if (!seen) throw new Refused('FOREIGN_KEY')
    }
  }

  #isTaken(kind: Kind, id: unknown): boolean {
    return id !== undefined && (this.tables[kind].has(id) || this.taken(kind, id))
  }

  #isFree(kind: Kind, row: Row): boolean {
    return !this.#isTaken(kind, row.id) && !this.#sameUnique(kind, row)
  }

  #sameUnique(kind: Kind, row: Row): Row | undefined {
    return this.rows(kind).find(other => UNIQUE[kind].every(field => other[field] === row[field]))
  }

  #overwriting(
    kind: Kind,
    data: Row,
    row: Row,
    on: 'key' | 'unique',
    update: Row | readonly string[] | undefined,
  ): Row {
    if (update && !Array.isArray(update)) return update as Row
    const fixed = ['id', 'tenantId', ...(on === 'unique' ? UNIQUE[kind] : [])]
    const fields = update ? (update as readonly string[]) : Object.keys(data).filter(field => !fixed.includes(field))
    return Object.fromEntries(fields.map(field => [field, row[field]]))
  }

  #change(kind: Kind, row: Row, patch: Row, chosen = 1): Row {
    const changed: Row = { ...row }
    for (const [field, value] of Object.entries(patch)) {
      const by = (value as { $inc?: number } | null)?.$inc
      changed[field] = by === undefined ? value : (row[field] as number) + by
    }
    if (kind === 'Person') changed.version = (row.version as number) + 1
    const other = this.rows(kind).find(
      candidate => candidate !== row && UNIQUE[kind].every(field => candidate[field] === changed[field]),
    )
    const sameForAll = chosen > 1 && UNIQUE[kind].every(field => field in patch)
    if (sameForAll || other) throw new Refused('UNIQUE')
    return Object.assign(row, changed)
  }
}

const isLive = ({ deletedAt = null }: Row): boolean => deletedAt === null
