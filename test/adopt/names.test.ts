// Names of tables and columns, whatever they are -> names of models, accessors and fields.
import { describe, expect, test } from 'vitest'
import { fieldNames, tableNames } from '../../src/adopt/names.js'
import { RESERVED_FIELDS } from '../../src/declaration.js'
import { RESERVED_ACCESSORS } from '../../src/resolve.js'
import { useOrigin } from '../whole/support.js'
import { adopted, printed } from './support.js'

useOrigin()

describe('fields', () => {
  test.each([
    [
      ['name', 'Name2', 'a_b', 'ID'],
      ['name', 'Name2', 'a_b', 'ID'],
    ],
    [
      ['Ship Name', 'unit-price', 'UNIT PRICE', 'größe'],
      ['ShipName', 'unitPrice', 'unitPrice2', 'grosse'],
    ],
    [
      ['2nd', '_id', '$x', '価格', '%'],
      ['column2nd', 'id', 'x', 'column4', 'column5'],
    ],
    [
      ['then', 'rowid', 'OID', 'toString', '_rowid_', 'constructor'],
      ['then_', 'rowid_', 'OID_', 'toString_', 'rowid_2', 'constructor_'],
    ],
    [
      ['a b', 'aB', 'a-b', 'A B'],
      ['aB2', 'aB', 'aB3', 'aB4'],
    ],
    [
      ['x 1', 'x1', 'X-1'],
      ['x1_2', 'x1', 'x1_3'],
    ],
    [
      ['__proto__', 'quote"d', "it's", 'back`tick', 'new\nline'],
      ['proto', 'quoteD', 'itS', 'backTick', 'newLine'],
    ],
  ])('%j', (columns, fields) => {
    expect([...columns.map(column => fieldNames(columns, RESERVED_FIELDS).get(column))]).toEqual(fields)
  })
})

describe('tables', () => {
  test.each([
    [
      ['Album', 'order_items', 'ORDER_ITEMS_OLD', 'URLList'],
      ['Album album', 'OrderItems orderItems', 'OrderItemsOld orderItemsOld', 'URLList urlList'],
    ],
    [
      ['run', 'live', 'on', 'tableStatus', 'then', 'constructor'],
      [
        'Run runTable',
        'Live liveTable',
        'On onTable',
        'TableStatus tableStatusTable',
        'Then thenTable',
        'Constructor constructorTable',
      ],
    ],
    [
      ['Order Details', 'OrderDetails', 'order-details'],
      ['OrderDetails2 orderDetails2', 'OrderDetails orderDetails', 'OrderDetails3 orderDetails3'],
    ],
    [
      ['2024', '日記', 'class', 'Date', 't', 'models'],
      ['Table2024 table2024', 'Table2 table2', 'Class class', 'DateRow date', 'T t', 'Models models'],
    ],
  ])('%j', (tables, names) => {
    const given = tableNames(tables, [...RESERVED_ACCESSORS, ...RESERVED_FIELDS])
    expect(tables.map(table => Object.values(given.get(table)!).join(' '))).toEqual(names)
  })
})

test('in a file: the table and the columns keep their names', async () => {
  const found = await printed(`
    CREATE TABLE "Order Details" ("Order ID" INTEGER PRIMARY KEY, "Ship Name" TEXT, shipname TEXT, "then" TEXT, "rowid" TEXT,
      "2nd" TEXT, "quote""d" TEXT, "it's" TEXT, "back\`tick $\{x}" TEXT, "line
break" TEXT, "tail\\" TEXT, "" TEXT);
    CREATE TABLE run (id INTEGER PRIMARY KEY);
    CREATE TABLE "live" (id INTEGER PRIMARY KEY, "order" INTEGER REFERENCES "Order Details");
    CREATE TABLE "*/ 日記" (id INTEGER PRIMARY KEY, n INT COLLATE NOCASE);
    INSERT INTO "Order Details" ("Order ID", "Ship Name", "rowid", "line\nbreak") VALUES (7, 'Vins', 'r', 'l')`)
  expect(found.code).toContain('backTickX: t.text()')
  expect(found.said).toEqual([
    'Order Details.: has an empty name',
    '*/ 日記.n: is compared by NOCASE: filters and orders follow it',
  ])
  const db = await adopted(found)
  const row = await db.orderDetails.read(7)
  expect(row).toMatchObject({ OrderID: 7, ShipName2: 'Vins', rowid_: 'r', lineBreak: 'l', then_: null, shipname: null })
  const made = await db.orderDetails.create({ column2nd: '2', quoteD: 'q', itS: 'i', backTickX: 'b', tail: 't' })
  expect(made.OrderID).toBe(8)
  expect(await db.orderDetails.list({ where: { backTickX: 'b', tail: 't', itS: 'i' } })).toEqual([made])
  expect(await db.liveTable.create({ order: 8 })).toEqual({ id: 1, order: 8 })
  expect(await db.runTable.create({})).toEqual({ id: 1 })
  expect(await db.table4.create({ n: 3 })).toEqual({ id: 1, n: 3 })
  expect(await db.sql`select "2nd" as n, "tail\\" as e from "Order Details" where "Order ID" = 8`).toEqual([
    { n: '2', e: 't' },
  ])
})
