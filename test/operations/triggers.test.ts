// An app's own triggers: rows come back as stored, and what they change is told.
import { describe, expect, test } from 'vitest'
import { model, sql, t } from '../../src/index.js'
import { localDatabase } from '../support/local.js'

const User = model('User', {
  id: t.id(),
  name: t.text().unique(),
  slug: t.text().nullable(),
  photo: t.blob().nullable(),
  big: t.bigint().default(0n),
})
const Log = model('Log', { id: t.autoId(), text: t.text(), size: t.integer().default(sql`(1 + 1)`) })
const models = { users: User, logs: Log }

const SLUG = 'begin update users set slug = lower(new.name), big = big + 1 where id = new.id; end'

async function open(...triggers: string[]) {
  const db = localDatabase(models)
  await db.batch([User.count(), Log.count()])
  for (const trigger of triggers) await db.run(sql`${sql.raw(trigger)}`)
  return db
}

describe('an AFTER trigger that changes the row', () => {
  const photo = new Uint8Array([1])

  test('create, update and upsert return the row as stored', async () => {
    const db = await open(
      `create trigger i after insert on users ${SLUG}`,
      `create trigger u after update of name on users ${SLUG}`,
    )
    const { users } = db.tables
    const created = await users.create({ name: 'ADA', photo })
    expect(created).toEqual({ id: created.id, name: 'ADA', slug: 'ada', photo, big: 1n })
    expect(await users.read(created.id)).toEqual(created)
    const updated = await users.update(created.id, { name: 'BOB' })
    expect(updated).toEqual({ ...created, name: 'BOB', slug: 'bob', big: 2n })
    const changed = await users.upsert({ id: created.id, name: 'CLEO' })
    expect(changed).toEqual({ ...updated, name: 'CLEO', slug: 'cleo', big: 3n })
    const added = await users.upsert({ name: 'DORA' }, { on: 'name' })
    expect(added).toMatchObject({ slug: 'dora' })
    expect(await users.list({ orderBy: { name: 'asc' } })).toEqual([changed, added])
    // Nobody's trigger ran.
    const { executed, result } = await db.count(() => users.update(created.id, { photo: null }))
    expect([executed, result]).toEqual([1, { ...changed, photo: null }])
    await db.close()
  })

  test('of a table whose key and values SQLite makes', async () => {
    const db = await open('create trigger i after insert on logs begin update logs set size = 9 where id = new.id; end')
    expect(await db.tables.logs.create({ text: 'a' })).toEqual({ id: 1, text: 'a', size: 9 })
    expect(await db.batch([Log.create({ text: 'b' }), Log.read(2)])).toEqual([
      { id: 2, text: 'b', size: 9 },
      { id: 2, text: 'b', size: 9 },
    ])
    await db.close()
  })

  test('that removes it: the row as it was written', async () => {
    const db = await open('create trigger i after insert on users begin delete from users where id = new.id; end')
    expect(await db.tables.users.create({ id: 'a', name: 'Ada' })).toMatchObject({ id: 'a', slug: null })
    expect(await db.tables.users.count()).toBe(0)
    await db.close()
  })
})

test('a model without triggers is not read again because another has some', async () => {
  const db = await open(`create trigger i after insert on users ${SLUG}`)
  await db.batch([User.count(), Log.count()])
  const { executed } = await db.count(() => db.tables.logs.create({ text: 'a' }))
  expect(executed).toBe(1)
  await db.close()
})

test('with existingSchema as well, and the change feed hears of what a trigger wrote', async () => {
  const db = await open()
  await db.close()
  const existing = localDatabase(models, { existingSchema: true })
  for (const text of [
    'create table users (id text primary key not null, name text not null, slug text, photo blob, big integer not null default 0) strict',
    'create unique index "ux:users:name" on users (name)',
    'create table logs (id integer primary key autoincrement, text text not null, size integer not null default (1 + 1)) strict',
    `create trigger i after insert on users ${SLUG}`,
    "create trigger l after insert on users begin insert into logs (text) values ('new'); end",
  ]) {
    await existing.run(sql`${sql.raw(text)}`)
  }
  existing.events.length = 0
  expect(await existing.tables.users.create({ name: 'ADA' })).toMatchObject({ slug: 'ada' })
  const changes = existing.events.filter(event => event.type === 'change').map(({ detail }) => detail)
  expect(JSON.stringify(changes)).toMatch(/Log/)
  await existing.close()
})
