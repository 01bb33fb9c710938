// Foreign keys: t.ref() where it leads to another model's key, else a problem. SQLite keeps every one of them.
import { expect, test } from 'vitest'
import { failureOf, useOrigin } from '../whole/support.js'
import { adopted, printed } from './support.js'

useOrigin()

const PARENTS = `CREATE TABLE "the parents" (Id INTEGER PRIMARY KEY, code TEXT UNIQUE, n NUMERIC);
  CREATE TABLE texts (id VARCHAR(10) PRIMARY KEY);
  CREATE TABLE pairs (a INT, b INT, PRIMARY KEY (a, b));`

test('to the key, named or not, in any case', async () => {
  const found = await printed(`${PARENTS} CREATE TABLE kids (id INTEGER PRIMARY KEY,
    a INTEGER REFERENCES "the parents", b INT NOT NULL REFERENCES "THE PARENTS" (ID), c NUMERIC REFERENCES "the parents" (Id),
    d TEXT REFERENCES texts ON DELETE CASCADE, e TEXT UNIQUE REFERENCES texts ON DELETE SET NULL,
    f INTEGER DEFAULT 1 REFERENCES "the parents" ON DELETE RESTRICT)`)
  expect(found.said).toEqual(['pairs: left out: its primary key is over several columns: a, b'])
  expect('abcdef'.split('').map(name => found.field(`kids.${name}`))).toEqual([
    "t.ref('TheParents').$type<number>().nullable()",
    "t.ref('TheParents').$type<number>()",
    "t.ref('TheParents').$type<number>().nullable()",
    "t.ref('Texts', { onDelete: 'cascade' }).nullable()",
    "t.ref('Texts', { onDelete: 'set null' }).nullable().unique()",
    "t.ref('TheParents', { onDelete: 'restrict' }).$type<number>().nullable().default(1)",
  ])
  const db = await adopted(found)
  await db.theParents.create({ code: 'x' })
  await db.texts.create({ id: 't' })
  const row = { id: 1, a: null, b: 1, c: 1, d: 't', e: 't', f: 1 }
  expect(await db.kids.create({ b: 1, c: 1, d: 't', e: 't' })).toEqual(row)
  expect((await failureOf(db.theParents.delete(1))).code).toBe('FOREIGN_KEY')
  expect(await db.kids.list({ where: { c: 1, d: 't' } })).toEqual([row])
  await db.texts.delete('t')
  expect(await db.kids.count()).toBe(0)
})

test('what is no t.ref() is kept by SQLite', async () => {
  const found = await printed(`${PARENTS}
    CREATE TABLE kids (id INTEGER PRIMARY KEY REFERENCES "the parents",
    a TEXT REFERENCES "the parents" (code), b INT, c INT, e INT REFERENCES nowhere (x),
    f INT REFERENCES "the parents" REFERENCES kids, g TEXT REFERENCES "the parents",
    h INT DEFAULT 1 REFERENCES "the parents" ON DELETE SET DEFAULT ON UPDATE SET NULL,
    i INT NOT NULL REFERENCES "the parents" ON DELETE SET NULL, FOREIGN KEY (b, c) REFERENCES pairs)`)
  expect(found.said.slice(1)).toEqual([
    'kids.id: refers to the parents, by SQLite only: a key is no t.ref()',
    'kids.a: refers to the parents (code), by SQLite only: its key is Id',
    'kids.e: refers to nowhere (x), by SQLite only: there is no such table, so SQLite refuses to write here',
    'kids.f: refers to kids, by SQLite only: a field refers to one model',
    'kids.g: refers to the parents, by SQLite only: it does not hold what Id holds',
    'kids.h: ON DELETE SET DEFAULT is kept by SQLite, not declared',
    'kids.i: ON DELETE SET NULL is kept by SQLite, not declared: the column is NOT NULL',
    'kids: refers to pairs, by SQLite only: a reference is one column, this is b, c',
  ])
  expect('abefgi'.split('').map(name => found.field(`kids.${name}`))).toEqual([
    't.text().nullable()',
    't.integer().nullable()',
    't.integer().nullable()',
    "t.ref('TheParents').$type<number>().nullable()",
    't.text().nullable()',
    "t.ref('TheParents').$type<number>()",
  ])
  expect(found.field('kids.h')).toBe(
    "t.ref('TheParents', { onUpdate: 'set null' }).$type<number>().nullable().default(1)",
  )
  expect(found.field('kids.id')).toBe('t.integer().primaryKey()')
})

test('a table that refers to nowhere can be read; SQLite refuses what it cannot check', async () => {
  const found = await printed(
    `CREATE TABLE kids (id INTEGER PRIMARY KEY, e INT REFERENCES nowhere (x)); INSERT INTO kids VALUES (1, NULL)`,
  )
  const db = await adopted(found)
  expect(await db.kids.list()).toEqual([{ id: 1, e: null }])
  expect(await failureOf(db.kids.create({ e: 5 }))).toMatchObject({ name: 'DataFlowError' })
})

test('to a unique column that is no key, which SQLite still checks', async () => {
  const found = await printed(`${PARENTS} INSERT INTO "the parents" VALUES (1, 'x', 1);
    CREATE TABLE kids (id INTEGER PRIMARY KEY, a TEXT REFERENCES "the parents" (code))`)
  const db = await adopted(found)
  expect(await db.kids.create({ a: 'x' })).toEqual({ id: 1, a: 'x' })
  expect((await failureOf(db.kids.create({ a: 'y' }))).code).toBe('FOREIGN_KEY')
})

test('to itself, and in a circle', async () => {
  const found = await printed(`
    CREATE TABLE a (id INTEGER PRIMARY KEY, b INTEGER REFERENCES b, up INTEGER REFERENCES a);
    CREATE TABLE b (id INTEGER PRIMARY KEY, a INTEGER REFERENCES a)`)
  const db = await adopted(found)
  await db.a.create({})
  await db.b.create({ a: 1 })
  expect(await db.a.create({ b: 1, up: 1 })).toEqual({ id: 2, b: 1, up: 1 })
})
