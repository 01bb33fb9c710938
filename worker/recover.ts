// Brings a damaged database back as far as possible. Which of the ways is taken, and what is lost, is reported.
import type { RecoveryReport } from '../src/shared/protocol.js'
import { salvage, type SalvagedTable } from './salvage.js'
import { SqliteError, type DatabaseFile, type LongWork, type Rescue, type Rescued, type SqliteModule } from './seams.js'

/** Rejects with STORAGE_KEY or STORAGE; then nothing was changed. The caller owns the database's lock. */
export async function recover(rescue: Rescue, sqlite: SqliteModule, work: LongWork = {}): Promise<RecoveryReport> {
  const prefix = await rescue.survey('prefix')
  const file = sqlite.createFile(prefix.file)
  const checked = check(sqlite, file)
  if (prefix.damaged.length === 0) return report('intact', prefix, checked, 0)
  if (prefix.exact) return report('prefix', prefix, checked, await rescue.replace(file, work))
  // Chunks are newer than the prefix: with the records behind the bad one they may be whole all the same.
  const rest = await rescue.survey('patched')
  const patched = sqlite.createFile(rest.file)
  const checkedRest = check(sqlite, patched)
  if (isSound(checkedRest)) return report('patched', rest, checkedRest, await rescue.replace(patched, work))
  const fresh = sqlite.createFile()
  const { tables, missing } = copyRows(sqlite, patched, fresh)
  return { ...report('rows', rest, check(sqlite, fresh), await rescue.replace(fresh, work)), tables, missing }
}

interface Checked {
  readonly integrity: readonly string[]
  readonly foreignKeyFailures: number
}

function report(how: RecoveryReport['how'], found: Rescued, checked: Checked, keptAside: number): RecoveryReport {
  const { damaged, lostRecords, records, lostChunks, chunks } = found
  return { how, damaged, lostRecords, records, lostChunks, chunks, ...checked, keptAside, tables: [], missing: [] }
}

/** SQLite's own checks. What it cannot even open is not sound. */
function check(sqlite: SqliteModule, file: DatabaseFile): Checked {
  const integrity: string[] = []
  let foreignKeyFailures = 0
  try {
    const db = sqlite.open(file)
    try {
      db.each('PRAGMA integrity_check', [], row => integrity.push(row.text(0)!))
      foreignKeyFailures = db.each('PRAGMA foreign_key_check', [], () => {})
    } finally {
      db.close()
    }
  } catch (e) {
    if (!(e instanceof SqliteError) || e.fatal) throw e
    integrity.push(e.message)
  }
  return { integrity, foreignKeyFailures }
}

function isSound({ integrity }: Checked): boolean {
  return integrity.length === 1 && integrity[0] === 'ok'
}

function copyRows(
  sqlite: SqliteModule,
  damaged: DatabaseFile,
  fresh: DatabaseFile,
): { tables: SalvagedTable[]; missing: string[] } {
  const to = sqlite.open(fresh)
  try {
    const from = sqlite.open(damaged)
    try {
      return salvage(from, to)
    } finally {
      from.close()
    }
  } catch (e) {
    // Not even the schema can be read.
    if (e instanceof SqliteError && !e.fatal) return { tables: [], missing: [] }
    throw e
  } finally {
    to.close()
  }
}
