// Whether a database is sound in itself: SQLite's own checks, and the ledger of migrations against the schema. The
// ledger is run again from the first entry on, in another SQLite: it must give the very schema that is there.
import initSqlJs from 'sql.js'
import type { Look, SchemaObject } from './protocol.js'

const SQLite = initSqlJs()

/** Sentences about what is wrong; none when all is well. `complete`: no migration may be pending. */
export async function faultsIn(look: Look, complete: boolean): Promise<string[]> {
  const faults: string[] = []
  if (look.integrity.join() !== 'ok') faults.push(`integrity_check: ${look.integrity.slice(0, 5).join('; ')}`)
  if (look.foreignKeyFailures > 0) faults.push(`foreign_key_check: ${look.foreignKeyFailures} rows`)
  if (complete && look.pending.length > 0) faults.push(`a migration is pending: ${look.pending.join('; ')}`)
  if (!look.columnsFilled) faults.push('a note lacks the default of an added column')
  for (const { model, schemaVersion } of look.registry) {
    if (schemaVersion !== look.schemaVersion) {
      faults.push(`the registry knows ${model} at schema ${schemaVersion}, the database is at ${look.schemaVersion}`)
    }
  }
  look.history.forEach(({ version, status }, i) => {
    if (Number(version) !== i + 1 || status !== 'applied') faults.push(`entry ${i + 1} is ${version}, ${status}`)
  })
  return [...faults, ...(await compareWithLedger(look))]
}

async function compareWithLedger({ history, schema }: Look): Promise<string[]> {
  const database = new (await SQLite).Database()
  try {
    for (const statement of history.flatMap(entry => entry.sql)) database.run(statement)
    const [result] = database.exec('SELECT type, name, tbl_name, sql FROM sqlite_schema')
    const replayed = result?.values.map(([type, name, table, sql]) => ({ type, name, table, sql }) as SchemaObject)
    const expected = ownObjects(replayed ?? [])
    const found = ownObjects(schema)
    return [
      ...found.filter(object => !expected.includes(object)).map(object => `not in the ledger: ${object}`),
      ...expected.filter(object => !found.includes(object)).map(object => `in the ledger only: ${object}`),
    ]
  } catch (e) {
    return [`the ledger cannot be run again: ${String(e)}`]
  } finally {
    database.close()
  }
}

/** Without the library's own three tables and SQLite's automatic indexes. */
function ownObjects(schema: readonly SchemaObject[]): string[] {
  return schema
    .filter(({ name, table }) => !name.startsWith('sqlite_') && !table.startsWith('dataflow_'))
    .map(object => `${object.type} ${object.name}: ${object.sql}`)
}
