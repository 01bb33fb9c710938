// Starts of one app over one saved database, and what its library tables hold.
import { expect } from 'vitest'
import type { AnyModel } from '../../src/model.js'
import type { DataFlowError } from '../../src/shared/errors.js'
import { freshName, localDatabase, unwrap, type LocalDatabase, type LocalOptions } from '../support/local.js'

type Models = Record<string, AnyModel>

/** A database that outlives its starts: `start` opens it as a build with these models, after closing the one before. */
export function app() {
  const name = freshName()
  let open: LocalDatabase<any> | null = null
  return {
    name,
    async start<Ms extends Models>(models: Ms, options: LocalOptions = {}): Promise<LocalDatabase<Ms>> {
      await open?.close()
      const db = localDatabase(models, { name, storage: 'indexeddb', ...options })
      open = db
      return db
    },
  }
}

/** Starts with `from`, makes every table, then starts with `to`. */
export async function upgrade<A extends Models, B extends Models>(from: A, to: B, options: LocalOptions = {}) {
  const { start } = app()
  const first = await start(from)
  await unwrap(first.engine.schema.ensure(Object.values(from).map(model => model.$name)))
  return start(to, options)
}

export const metrics = async (db: LocalDatabase<any>) => unwrap(db.engine.metrics())
export const ensureMetrics = async (db: LocalDatabase<any>) => (await metrics(db)).ensure
export const ready = (db: LocalDatabase<any>) => unwrap(db.engine.ready())
export const status = (db: LocalDatabase<any>, model: string) => unwrap(db.engine.schema.tableStatus(model))
export const history = (db: LocalDatabase<any>) => unwrap(db.engine.schema.history())
export const retry = (db: LocalDatabase<any>, model: string) => unwrap(db.engine.schema.retry(model))

/** The error of a promise that has to reject. */
export async function failureOf(promise: Promise<unknown>): Promise<DataFlowError> {
  try {
    await promise
  } catch (error) {
    return error as DataFlowError
  }
  return expect.fail('it should have been rejected')
}

/** `model.field message` of each issue. */
export const differencesOf = (error: DataFlowError): string[] =>
  error.issues!.map(({ path, message }) => `${path.join('.')} ${message}`)

/** Every table and index of the database, as SQLite keeps their texts. */
export const schemaOf = (db: LocalDatabase<any>) =>
  db.sql<{ name: string; sql: string | null }>`select type, name, sql from sqlite_schema order by type, name`
