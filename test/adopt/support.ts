// Files made by the stock build of sql.js, printed by dataflow.introspect(), and the printed module run as an app would.
import { randomUUID } from 'node:crypto'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Database as SqlJsDatabase } from 'sql.js'
import { afterAll } from 'vitest'
import { dataflow, type Introspection } from '../../src/index.js'
import { root } from '../support/docs-samples.js'
import { foreignFile } from '../whole/support.js'

export interface Printed extends Introspection {
  readonly file: Uint8Array<ArrayBuffer>
  /** `Table.column: message`, in the order of the list. */
  readonly said: string[]
  /** Code of a field, by `Table.column`. */
  field(path: string): string | null
}

export async function printed(make: string | ((db: SqlJsDatabase) => void)): Promise<Printed> {
  const file = await foreignFile(typeof make === 'string' ? db => db.run(make) : make)
  const found = await dataflow.introspect(file)
  return {
    ...found,
    file,
    said: found.problems.map(
      ({ table, column, message }) => `${table}${column === undefined ? '' : `.${column}`}: ${message}`,
    ),
    field(path) {
      const [table, column] = path.split('.')
      const listed = found.tables.find(other => other.table === table)
      return listed?.columns.find(other => other.column === column)?.declaration ?? null
    },
  }
}

/** Of this test file; inside the project, where modules find the library. */
export const folder = join(root, '.tsbuild', `adopt-${randomUUID()}`)
mkdirSync(folder, { recursive: true })
afterAll(() => rmSync(folder, { recursive: true }))

/** Its path. */
export function writeModule(name: string, code: string): string {
  const path = join(folder, `${name}.ts`)
  writeFileSync(path, code)
  return path
}

let modules = 0

/** Runs the printed module, and opens the file with its models as an app would. Nobody knows its types before. */
export async function adopted({ code, file }: Printed): Promise<any> {
  const path = writeModule(`module-${++modules}`, code)
  const { models } = (await import(path)) as { models: {} }
  const db = dataflow('adopted', { models, existingSchema: true, storage: 'memory' })
  await db.import(file)
  return db
}
