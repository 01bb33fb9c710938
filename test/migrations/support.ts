// Releases of one app, one after the other, on the same saved bytes, by the page's own dataflow(): hooks and data steps run
// as they do in a browser.
import { dataflow, DataFlowError, model, t, type Database, type DatabaseOptions } from '../../src/index.js'
import type { AnyModel } from '../../src/model.js'

export const User = model('User', { id: t.id(), name: t.text() })
export type Options = Omit<DatabaseOptions<any>, 'models'>

/** A release of the app. */
export const release = (models: Record<string, AnyModel>, options: Options = {}) =>
  dataflow('app', { models, ...options } as DatabaseOptions<{ users: typeof User }>) as Database<{ users: typeof User }>

/** The first release has left these rows. */
export async function firstRelease(rows: readonly { id: string; name: string }[] = [{ id: 'a', name: 'Ada' }]) {
  const db = release({ users: User })
  await db.users.bulkCreate(rows)
  await db.close()
}

export async function failureOf(promise: Promise<unknown>): Promise<DataFlowError> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  )
  if (DataFlowError.is(error)) return error
  throw error ?? new Error('Nothing was thrown')
}
