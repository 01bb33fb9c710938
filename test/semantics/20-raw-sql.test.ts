import { expect, test } from 'vitest'
import { model, sql, t } from '../../src/index.js'
import { failureOf } from '../ensure/support.js'
import { localDatabase } from '../support/local.js'

const User = model('User', { id: t.id(), name: t.text().nullable() })
const models = { users: User }

test.each([
  'begin',
  'COMMIT',
  'end transaction',
  'rollback',
  'savepoint x',
  'release x',
  "attach 'x' as y",
  'detach y',
  'vacuum',
  "vacuum into 'x'",
  '  -- a comment\n /* another */ ; begin',
  '\uFEFFbegin',
  'pragma foreign_keys = off',
  'pragma foreign_keys(0)',
  'PRAGMA/**/writable_schema=1',
  'pragma main.journal_mode = wal',
  'pragma user_version = 3',
  'pragma query_only = 1',
])('20: refuses %j, with a hint', async text => {
  const db = localDatabase(models)
  const error = await failureOf(db.run(sql`${sql.raw(text)}`))
  expect(error).toMatchObject({ code: 'SQL', op: 'sql', hint: expect.any(String) })
  expect(error.message).toMatch(/not run by hand/)
  expect(await failureOf(db.batch([User.create({}), sql`${sql.raw(text)}`]))).toMatchObject({ code: 'SQL' })
  expect(await db.tables.users.count()).toBe(0)
  await db.close()
})

test.each([
  'pragma table_info(users)',
  'PRAGMA main.index_list("users")',
  'pragma schema_version;',
  'pragma foreign_keys',
])('20: allows %j', async text => {
  const db = localDatabase(models)
  expect(await db.run(sql`${sql.raw(text)}`)).toBeInstanceOf(Array)
  await db.close()
})

test.each([
  'delete from dataflow_migrations',
  'insert into "dataflow_model_registry" select * from dataflow_model_registry',
  'drop table [dataflow_migration_locks]',
  'alter table dataflow_migrations add column x text',
  'create trigger tr after insert on users begin delete from dataflow_migrations; end',
])("20: the library's own tables are READONLY: %s", async text => {
  const db = localDatabase(models)
  await db.tables.users.create({ id: 'a' })
  expect(await failureOf(db.run(sql`${sql.raw(text)}`))).toMatchObject({ code: 'READONLY' })
  expect(await db.sql`select count(*) as n from dataflow_migrations`).toEqual([{ n: 1 }])
  await db.close()
})

test('20: one statement at a time', async () => {
  const db = localDatabase(models)
  expect(await failureOf(db.sql`delete from users; begin`)).toMatchObject({ code: 'SQL' })
  expect(await db.tables.users.create({ id: 'a' })).toEqual({ id: 'a', name: null })
  await db.close()
})
