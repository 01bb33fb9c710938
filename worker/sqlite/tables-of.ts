// Which tables a statement can read and write. EXPLAIN lists its program with those of its triggers and cascades, each
// table and index opened by its root page. Note that this build takes a double-quoted name it does not know for a
// string literal (and it cannot be switched off): a misspelt "table"."column" is not found out here.
import type { Handle } from './handle.js'
import { isOwnTrigger, type Sqlite } from '../seams.js'
import { kindOf } from './statement-kind.js'

export type Tables = ReturnType<Sqlite['tablesOf']>

/** What the program of a trigger begins with, in P4 of its Init; that of a cascade has no name. */
const TRIGGER = '-- TRIGGER '

/** Columns of EXPLAIN. */
const OPCODE = 1
const P1 = 2
const P2 = 3
const P3 = 4
const P4 = 5
const P5 = 6

/** Where an opcode has the root page and the number of the database (0 is main). */
const ROOT_PAGES: Record<string, { readonly root: number; readonly database: number; readonly writes: boolean }> = {
  OpenRead: { root: P2, database: P3, writes: false },
  ReopenIdx: { root: P2, database: P3, writes: false },
  OpenWrite: { root: P2, database: P3, writes: true },
  Clear: { root: P1, database: P2, writes: true },
  Destroy: { root: P1, database: P3, writes: true },
}
/** In OpenRead and OpenWrite: P2 is not a root page but the register that will hold one (CREATE TABLE). */
const ROOT_IN_REGISTER = 0x10

/** Opcodes that change something without opening a table; Transaction does when its P2 is not 0. */
const WRITING = new Set([
  'Vacuum',
  'IncrVacuum',
  'JournalMode',
  'Checkpoint',
  'VUpdate',
  'VCreate',
  'VDestroy',
  'VRename',
])

/** PRAGMAs act when they are compiled, EXPLAIN or not: they are judged by name. Those not named here may write. */
const READING_PRAGMA =
  /\bPRAGMA\s+(?:\w+\.)?(?:table_info|table_xinfo|table_list|index_list|index_info|index_xinfo|foreign_key_list|foreign_key_check|integrity_check|quick_check|collation_list|compile_options|database_list|function_list|module_list|pragma_list|page_count|freelist_count|data_version)\b/i

const SCHEMA = 'sqlite_schema'
/** Runs no other program. */
const ALONE = { triggers: false, managed: false }

export class TablesOf {
  readonly #handle: Handle
  readonly #known = new Map<string, Tables>()
  #roots: Map<number, string> | null = null
  #virtual: string[] = []

  constructor(handle: Handle) {
    this.#handle = handle
  }

  /**
   * To be called when the schema may have changed. `schema_version` would not do: after a rollback the same number
   * comes again for another schema.
   */
  forget(): void {
    this.#known.clear()
    this.#roots = null
  }

  find(sql: string): Tables {
    let tables = this.#known.get(sql)
    if (!tables) {
      if (this.#known.size >= CAPACITY) this.#known.clear()
      this.#known.set(sql, (tables = this.#explain(sql)))
    }
    return tables
  }

  #explain(sql: string): Tables {
    const kind = kindOf(sql)
    if (kind === 'pragma') return { reads: [SCHEMA], writes: [], readonly: READING_PRAGMA.test(sql), ...ALONE }
    if (kind === 'explain') return { reads: [], writes: [], readonly: true, ...ALONE }
    const roots = this.#readSchema()
    const reads = new Set<string>()
    const writes = new Set<string>()
    let readonly = true
    // The statement's own program comes first, then those that it runs.
    let programs = 0
    let own = 0
    let isOwn = false
    this.#handle.query(`EXPLAIN ${sql}`, row => {
      const opcode = row.text(OPCODE)!
      if (WRITING.has(opcode) || (opcode === 'Transaction' && row.value(P2) !== 0)) readonly = false
      if (opcode === 'Init') {
        const name = row.text(P4)
        isOwn = name !== null && name.startsWith(TRIGGER) && isOwnTrigger(name.slice(TRIGGER.length))
        programs++
        if (isOwn) own++
      }
      // A virtual table is opened by an address that says nothing: any of them may be meant.
      if (opcode === 'VOpen') for (const name of this.#virtual) reads.add(name)
      if (opcode === 'VUpdate' && !isOwn) for (const name of this.#virtual) writes.add(name)
      const place = ROOT_PAGES[opcode]
      if (!place || row.value(place.database) !== 0) return
      if (opcode.startsWith('Open') && (row.value(P5) as number) & ROOT_IN_REGISTER) return
      const name = roots.get(row.value(place.root) as number)
      if (name !== undefined && !(isOwn && place.writes)) (place.writes ? writes : reads).add(name)
    })
    const triggers = programs - own > 1
    return {
      reads: [...reads],
      writes: [...writes],
      readonly: readonly && writes.size === 0,
      triggers,
      managed: own > 0,
    }
  }

  #readSchema(): Map<number, string> {
    if (this.#roots) return this.#roots
    const roots = new Map([[1, SCHEMA]])
    const virtual: string[] = []
    this.#handle.query(`SELECT type, tbl_name, rootpage FROM ${SCHEMA}`, row => {
      const root = row.value(2)
      if (typeof root === 'number' && root > 0) roots.set(root, row.text(1)!)
      else if (row.text(0) === 'table') virtual.push(row.text(1)!)
    })
    this.#virtual = virtual
    return (this.#roots = roots)
  }
}

const CAPACITY = 1024
