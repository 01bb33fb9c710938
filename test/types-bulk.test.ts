// What the compiler says of bulk writes: arrays, iterables, files. Compiled by `tsc -b`; nothing here is run.
import { expect, test } from 'vitest'
import { dataflow, model, t, type Bulk, type BulkStreamed, type Insert } from '../src/index.js'

type Eq<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const ok = <T extends true>(...values: T[]) => void values
/** Compiled, never called. */
const compiled = (body: () => unknown) => void body

const User = model('User', { id: t.id(), email: t.text().unique(), age: t.integer().nullable() })
const db = dataflow('types-bulk', { models: { users: User } })
declare const array: Insert<typeof User>[]
declare const rows: AsyncIterable<Insert<typeof User>>
declare const file: Blob

compiled(async () => {
  ok<Eq<Awaited<ReturnType<typeof arrays>>, Bulk<string>>>()
  const arrays = () =>
    db.users.bulkCreate(array, { onProgress: ({ rows, total }) => [rows, total], onConflict: 'skip' })
  const streamed = await db.users.bulkCreate(rows, { atomic: true, onError: 'collect' })
  ok<Eq<typeof streamed, BulkStreamed>>()
  ok<Eq<typeof streamed.errors, Bulk<string>['errors']>>()
  await db.users.bulkCreate(new Set(array))
  await db.users.bulkUpsert(rows, { on: 'email', onError: 'collect' })
  await db.users.bulkUpsert(array, { on: ['email'], onError: 'collect' })
  await db.transaction(tx => tx.users.bulkCreate(rows))
  // @ts-expect-error there may be more keys than memory holds
  void streamed.ids
  // @ts-expect-error an array is atomic by itself
  await db.users.bulkCreate(array, { atomic: true })
  // @ts-expect-error no such policy
  await db.users.bulkCreate(rows, { onConflict: 'replace' })
  // @ts-expect-error no such option
  await db.users.bulkCreate(rows, { chunk: 5 })
  // @ts-expect-error onConflict is update always
  await db.users.bulkUpsert(rows, { onConflict: 'skip' })
  // @ts-expect-error a text gives characters
  await db.users.bulkCreate('text')
  // @ts-expect-error they have no email
  await db.users.bulkCreate(new Set([{ age: 5 }]))
  // @ts-expect-error operations are data: arrays only
  User.bulkCreate(rows)
  // @ts-expect-error operations are data: arrays only
  User.bulkUpsert(new Set(array))
  // @ts-expect-error the call that runs it has progress
  User.bulkCreate(array, { onProgress() {} })
})

compiled(async () => {
  const imported = await db.importRows('users', file)
  ok<Eq<typeof imported, BulkStreamed>>()
  await db.importRows('users', file, {
    delimiter: ';',
    columns: ['Mail'],
    map: ({ Mail }, index) => (index === 0 ? null : { email: Mail! }),
    onConflict: 'update',
    signal: AbortSignal.timeout(5),
    durability: 'strict',
    atomic: true,
    onProgress: ({ rows, bytes, total }) => [rows, bytes, total],
  })
  await db.importRows('users', file, {
    format: 'jsonl',
    map(record) {
      ok<Eq<typeof record, import('../src/index.js').Json>>()
      return null
    },
  })
  await db.importRows('users', file, { format: 'jsonl', map: (record: { mail: string }) => ({ email: record.mail }) })
  // @ts-expect-error no such table
  await db.importRows('user', file)
  // @ts-expect-error no source
  await db.importRows('users', array)
  // @ts-expect-error no such form
  await db.importRows('users', file, { format: 'xml' })
  // @ts-expect-error it has no columns
  await db.importRows('users', file, { format: 'jsonl', columns: ['email'] })
  // @ts-expect-error no such field
  await db.importRows('users', file, { map: () => ({ mail: 'a' }) })
  // @ts-expect-error the email is missing
  await db.importRows('users', file, { map: () => ({ age: 1 }) })
  // @ts-expect-error no such option
  await db.importRows('users', file, { header: true })
})

test('compiles', () => expect(db.users).toBeDefined())
