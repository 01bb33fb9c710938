// What the tests of transactions share: a small bank, and how promises end.
import { dataflow, model, sql, t } from '../../src/index.js'
import { DataFlowError } from '../../src/shared/errors.js'

export const Account = model('Account', {
  id: t.text().primaryKey(),
  cents: t
    .integer()
    .default(0)
    .check(sql`cents >= 0`),
})
export const Entry = model('Entry', { id: t.autoId(), accountId: t.ref('Account'), what: t.text() })
export const models = { accounts: Account, entries: Entry }

let names = 0

export function openBank(name = `bank-${++names}`) {
  return dataflow(name, { models })
}
export type Bank = ReturnType<typeof openBank>
export type Tx = Parameters<Parameters<Bank['transaction']>[0]>[0]

/** Keys of all accounts, in order. */
export const idsOf = async (of: Pick<Bank, 'accounts'>) => (await of.accounts.list()).map(({ id }) => id)

/** The code it fails with, or 'ok'. */
export async function codeOf(promise: PromiseLike<unknown>): Promise<string> {
  try {
    await promise
    return 'ok'
  } catch (error) {
    return DataFlowError.is(error) ? error.code : `not ours: ${String(error)}`
  }
}

/** SQLite ends the whole transaction when an account of this name is written. */
export const bomb = sql`create trigger bomb before insert on accounts when new.id = 'bomb'
  begin select raise(rollback, 'boom'); end`

/** Keys that the change feed has told of, by model. */
export function feedOf(db: Bank) {
  const told: Record<string, unknown[]> = {}
  db.on('change', ({ model, ids }) => void (told[model] ??= []).push(...(ids === 'all' ? ['all'] : ids)))
  return told
}
