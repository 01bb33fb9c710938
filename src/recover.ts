// dataflow.recover(): a database that cannot be opened, brought back as far as possible.
import { Connection } from './connect.js'
import type { DatabaseOptions } from './database.js'
import { keyOf } from './encryption.js'
import { engineConfig } from './options.js'
import type { RecoveryReport } from './shared/protocol.js'

/** As they are given to `dataflow()`. */
export type RecoverOptions = Pick<DatabaseOptions<{}>, 'encryption' | 'maxWaitForOwner' | 'worker' | 'wasmUrl'>

/**
 * Brings a damaged database back, after opening it has failed with `STORAGE_CORRUPT`: the state after the last good
 * flush, or what else can be read. What could not be used is kept beside it. A database that is sound is left as it is.
 * The report says what was lost. `LOCKED` while it is open anywhere, `STORAGE_KEY`, `STORAGE`; then nothing has changed.
 *
 * @example
 * const report = await dataflow.recover('app')
 * if (report.how !== 'intact') console.warn(report.damaged, report.lostRecords)
 */
export async function recoverDatabase(name: string, options: RecoverOptions = {}): Promise<RecoveryReport> {
  const config = engineConfig(name, { models: {}, ...options }, new Map())
  const { encryption, worker, wasmUrl } = options
  const key = encryption === undefined ? async () => null : keyOf(encryption, 'recover')
  const connection = new Connection(name, {
    config: async () => ({ ...config, encryption: await key() }),
    worker,
    wasmUrl: wasmUrl === undefined ? null : String(wasmUrl),
    wantedEvents: () => [],
    onEvent() {},
  })
  try {
    return await connection.call(engine => engine.recover())
  } finally {
    await connection.close()
  }
}
