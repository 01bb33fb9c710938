// dataflow.introspect(): models for a SQLite file that others made.
import type { Introspection } from './adopt/adopt.js'
import { Connection } from './connect.js'
import type { DatabaseOptions } from './database.js'
import { RESERVED_FIELDS } from './declaration.js'
import { engineConfig } from './options.js'
import { RESERVED_ACCESSORS } from './resolve.js'
import { crashed } from './session.js'
import { DataFlowError } from './shared/errors.js'
import { Whole, type ImportSource, type WorkOptions } from './whole.js'

/** `worker` and `wasmUrl` as they are given to `dataflow()`. */
export type IntrospectOptions = WorkOptions & Pick<DatabaseOptions<{}>, 'worker' | 'wasmUrl'>

/**
 * Prints the models of a SQLite file that others made, for `dataflow(name, { models, existingSchema: true })`. Takes what
 * `db.import` takes, and refuses what that refuses: `IMPORT`. The file is read into memory, in a worker that ends with the
 * call; no database of this origin is touched. `problems` lists what models cannot say of the file, or what is left out.
 *
 * @example
 * const { code, problems } = await dataflow.introspect(input.files[0])
 * console.log(code) // import { model, t } from 'dataflow-edge' ...
 */
export async function introspectFile(file: ImportSource, options: IntrospectOptions = {}): Promise<Introspection> {
  const { worker, wasmUrl } = options ?? {}
  const config = engineConfig(
    'introspect',
    { models: {}, storage: 'memory', existingSchema: true, worker, wasmUrl },
    new Map(),
  )
  // A worker that started after that would hold nothing.
  let held = false
  const connection = new Connection('introspect', {
    async config() {
      if (held) throw crashed('')
      return { ...config, encryption: null }
    },
    worker,
    wasmUrl: wasmUrl === undefined ? null : String(wasmUrl),
    wantedEvents: () => [],
    onEvent: event => event.type === 'progress' && whole.onProgress(event.detail),
  })
  const whole = new Whole({ connection, watch: call => call, useKey() {} })
  try {
    const reading = whole.read('introspect', file, options, ['worker', 'wasmUrl']).then(() => (held = true))
    const [{ adopt }] = await Promise.all([import('./adopt/adopt.js').catch(notLoaded), reading])
    const run = async (text: string) => (await connection.run([{ op: 'sql', sql: text, params: [] }], options))[0]
    return await adopt(run as never, { accessors: RESERVED_ACCESSORS, fields: RESERVED_FIELDS })
  } finally {
    await connection.close()
  }
}

function notLoaded(cause: unknown): never {
  const hint = 'serve dist/adopt.js of the package as you serve the rest of it.'
  const text = 'The part that prints models could not be loaded.'
  throw new DataFlowError('WORKER_LOAD', text, { op: 'introspect', hint }, cause)
}
