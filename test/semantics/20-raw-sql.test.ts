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
  'create table /* as */ t (x references dataflow_migrations on delete cascade)',
  'create temp view dataflow_migrations as select 1',
])("20: the library's own tables are READONLY: %s", async text => {
  const db = localDatabase(models)
  await db.tables.users.create({ id: 'a' })
  expect(await failureOf(db.run(sql`${sql.raw(text)}`))).toMatchObject({ code: 'READONLY' })
  expect(await db.sql`select count(*) as n from dataflow_migrations`).toEqual([{ n: 1 }])
  await db.close()
})

test.each([
  'create temp table users (id, name)',
  'create temporary view "Users" as select 1 as id, 2 as name',
  'create table temp.[users] as select 1 as id, 2 as name',
  'create temp trigger tr after insert on users begin select 1; end',
  'alter table scratch rename to users',
])("20: nothing temporary stands before a model's table: %s", async text => {
  const db = localDatabase(models)
  await db.sql`create temp table scratch (x)`
  await db.sql`insert into scratch values (1)`
  const error = await failureOf(db.run(sql`${sql.raw(text)}`))
  expect(error).toMatchObject({ code: 'SQL', op: 'sql', hint: expect.stringMatching(/another name/) })
  const made = await db.tables.users.create({ id: 'a' })
  expect(await db.tables.users.list()).toEqual([made])
  expect(await db.sql`select name from temp.sqlite_schema`).toEqual([{ name: 'scratch' }])
  await db.close()
})

test.each([
  'create view v as select * from dataflow_migrations',
  'create view if not exists "the view" (n) as select count(*) as n from dataflow_model_registry',
  'create temp view v as select * from dataflow_migrations',
  'create table copy as select * from dataflow_migrations',
  'insert into users (id) select version from dataflow_migrations',
  'with m as (select * from dataflow_migrations) select * from m',
])("20: the library's own tables can be read: %s", async text => {
  const db = localDatabase(models)
  expect(await db.run(sql`${sql.raw(text)}`)).toBeInstanceOf(Array)
  await db.close()
})

test("20: a view of the library's own tables gives no way to write them", async () => {
  const db = localDatabase(models)
  await db.sql`create view log as select status from dataflow_migrations`
  expect(await db.sql`select * from log`).toHaveLength(1)
  expect(await failureOf(db.sql`delete from log`)).toMatchObject({ code: 'SQL' })
  const trigger = 'create trigger tr instead of delete on log begin delete from dataflow_migrations; end'
  expect(await failureOf(db.run(sql`${sql.raw(trigger)}`))).toMatchObject({ code: 'READONLY' })
  await db.close()
})

test('20: one statement at a time', async () => {
  const db = localDatabase(models)
  expect(await failureOf(db.sql`delete from users; begin`)).toMatchObject({ code: 'SQL' })
  expect(await db.tables.users.create({ id: 'a' })).toEqual({ id: 'a', name: null })
  await db.close()
})
