// A saved form whose bytes can be looked at: as they are between two starts, and by SQLite without the library.
import type { Sqlite, SqlCell, Storage } from '../../../worker/seams.js'
import { openMemoryStorage } from '../../../worker/storage/memory.js'
import { parts } from '../../support/local.js'

/** What is saved: a copy, chunk by chunk. */
export interface Saved {
  readonly chunks: readonly Uint8Array<ArrayBuffer>[]
  readonly size: number
}

const bytesOf = ({ chunks, size }: Saved) => Buffer.concat(chunks).subarray(0, size)
const copyOf = ({ chunks, size }: Saved) => ({ chunks: chunks.map(chunk => chunk.slice()), size })

export class Disk {
  saved: Saved
  /** Every state that was saved since the last start. */
  readonly flushed: Saved[] = []
  /** Copies that were kept since the last start. */
  readonly backups: Buffer[] = []
  /** Set: the next flush finds no room. */
  isFull: (() => Error) | null = null

  constructor(saved: Saved = { chunks: [], size: 0 }) {
    this.saved = saved
  }

  /** The storage of one start. */
  openStorage(): Storage {
    this.flushed.length = 0
    this.backups.length = 0
    return {
      ...openMemoryStorage(),
      open: async () => copyOf(this.saved),
      flush: async (changes, file) => {
        if (this.isFull) throw this.isFull()
        const chunks = Array.from({ length: file.chunkCount }, (_, n) => file.chunk(n).slice())
        this.saved = { chunks, size: file.size }
        this.flushed.push(this.saved)
        return { bytes: changes.bytes.length }
      },
      backup: async (image, about) => {
        if (this.isFull) throw this.isFull()
        const chunks = Array.from({ length: image.chunkCount }, (_, n) => image.chunk(n).slice())
        this.backups.push(bytesOf({ chunks, size: image.size }))
        return { id: String(this.backups.length), size: image.size, bytes: image.size, ...about }
      },
    }
  }

  bytes(): Buffer {
    return bytesOf(this.saved)
  }
}

/** Looks at what is saved, on a connection of its own. */
export async function look<T>(saved: Saved, at: (query: Query) => T): Promise<T> {
  const module = await parts.bootSqlite()
  const db = module.open(module.createFile(copyOf(saved)))
  try {
    return at(sql => rowsOf(db, sql))
  } finally {
    db.close()
  }
}

export type Query = (sql: string) => Record<string, SqlCell>[]

function rowsOf(db: Sqlite, sql: string): Record<string, SqlCell>[] {
  const rows: Record<string, SqlCell>[] = []
  db.each(sql, [], row => rows.push(Object.fromEntries(row.columns.map((name, i) => [name, row.value(i)]))))
  return rows
}
