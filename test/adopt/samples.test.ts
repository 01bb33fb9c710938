// The schemas that everybody knows, from the file to rows.
import { expect, test } from 'vitest'
import { dataflow } from '../../src/index.js'
import type { AnyModel } from '../../src/model.js'
import { failureOf, useOrigin } from '../whole/support.js'
import { CHINOOK, NORTHWIND } from './fixtures.js'
import { adopted, printed, writeModule } from './support.js'

useOrigin()

const linesOf = (code: string, name: string) =>
  code
    .split(`export const ${name} = `)[1]!
    .split('\n\n')[0]!
    .split('\n')
    .map(line => line.trim())

test('Chinook: what is printed', async () => {
  const { code, said, tables } = await printed(CHINOOK)
  expect(linesOf(code, 'Track')).toEqual([
    'model(',
    "'Track',",
    '{',
    'TrackId: t.autoId(),',
    'Name: t.text({ max: 200 }),',
    "AlbumId: t.ref('Album').$type<number>().nullable(),",
    "MediaTypeId: t.ref('MediaType').$type<number>(),",
    "GenreId: t.ref('Genre').$type<number>().nullable(),",
    'Composer: t.text({ max: 220 }).nullable(),',
    'Milliseconds: t.integer(),',
    'Bytes: t.integer().nullable(),',
    'UnitPrice: t.real(),',
    '},',
    "{ table: 'Track' },",
    ')',
  ])
  expect(code.startsWith("import { model, t } from 'dataflow-edge'\n")).toBe(true)
  expect(linesOf(code, 'models').slice(1, 3)).toEqual(['artist: Artist,', 'album: Album,'])
  const blank = 'holds dates with a blank between day and time, which t.date() does not read. As ISO text: '
  expect(said).toEqual([
    'PlaylistTrack: left out: its primary key is over several columns: PlaylistId, TrackId',
    `Employee.BirthDate: ${blank}UPDATE "Employee" SET "BirthDate" = strftime('%Y-%m-%dT%H:%M:%fZ', "BirthDate")`,
    `Invoice.InvoiceDate: ${blank}UPDATE "Invoice" SET "InvoiceDate" = strftime('%Y-%m-%dT%H:%M:%fZ', "InvoiceDate")`,
  ])
  expect(tables.find(({ table }) => table === 'PlaylistTrack')).toMatchObject({ model: null, accessor: null, rows: 2 })
  expect(tables.find(({ table }) => table === 'MediaType')).toEqual({
    table: 'MediaType',
    rows: 1,
    model: 'MediaType',
    accessor: 'mediaType',
    columns: [
      { column: 'MediaTypeId', type: 'INTEGER', field: 'MediaTypeId', declaration: 't.autoId()' },
      { column: 'Name', type: 'NVARCHAR(120)', field: 'Name', declaration: 't.text({ max: 120 }).nullable()' },
    ],
  })
})

test('Chinook: the models work on the file', async () => {
  const db = await adopted(await printed(CHINOOK))
  expect(await db.employee.list({ where: { ReportsTo: 1 } })).toEqual([
    {
      EmployeeId: 2,
      LastName: 'Edwards',
      FirstName: 'Nancy',
      ReportsTo: 1,
      BirthDate: '1958-12-08 00:00:00',
      Email: null,
    },
  ])
  const track = await db.track.create({ Name: 'New', AlbumId: 1, MediaTypeId: 1, Milliseconds: 1, UnitPrice: 0.99 })
  expect(track).toMatchObject({ TrackId: 3, GenreId: null, Bytes: null })
  expect(await db.track.update(3, { Milliseconds: { $inc: 9 }, Composer: 'Me' })).toMatchObject({ Milliseconds: 10 })
  expect(await db.track.list({ where: { AlbumId: 1 }, orderBy: { TrackId: 'desc' }, select: ['TrackId'] })).toEqual([
    { TrackId: 3 },
    { TrackId: 1 },
  ])
  expect(await db.invoice.list({ where: { Total: { $gt: 2 } }, select: ['Total'] })).toEqual([{ Total: 4 }])
  expect((await failureOf(db.track.create({ ...track, TrackId: 4, AlbumId: 99 }))).code).toBe('FOREIGN_KEY')
  expect((await failureOf(db.genre.create({ Name: 'x'.repeat(121) }))).code).toBe('VALIDATION')
  expect(await db.track.delete(3)).toBe(true)
  expect(await db.track.count()).toBe(2)
  // The dates are made readable as the problem says.
  await db.sql`UPDATE "Invoice" SET "InvoiceDate" = strftime('%Y-%m-%dT%H:%M:%fZ', "InvoiceDate")`
  const again = await db.export()
  const { code, problems } = await dataflow.introspect(again)
  expect(problems.map(({ table }) => table)).toEqual(['PlaylistTrack', 'Employee'])
  expect(code).toContain("InvoiceDate: t.date({ as: 'text' }),")
})

test('Chinook: saved, and opened again with the same models', async () => {
  const found = await printed(CHINOOK)
  const { models } = await import(writeModule('chinook', found.code))
  const open = () => dataflow<Record<string, AnyModel>>('shop', { models, existingSchema: true }) as any
  const db = open()
  await db.import(found.file)
  await db.artist.create({ Name: 'New' })
  await db.close()
  const again = open()
  expect(await again.artist.list({ where: { Name: 'New' } })).toEqual([{ ArtistId: 3, Name: 'New' }])
  expect(await again.tableStatus('track')).toBe('exists')
  const exported = await dataflow.introspect(await again.export())
  expect(exported.code).toBe(found.code)
})

test('Northwind: what is printed', async () => {
  const { code, said } = await printed(NORTHWIND)
  expect(linesOf(code, 'Products').slice(3, 10)).toEqual([
    'ProductID: t.autoId(),',
    'ProductName: t.text(),',
    "SupplierID: t.ref('Suppliers', { onDelete: 'cascade' }).$type<number>().nullable(),",
    "CategoryID: t.ref('Categories', { onDelete: 'set null', onUpdate: 'cascade' }).$type<number>().nullable(),",
    'UnitPrice: t.real().nullable().default(0),',
    'UnitsInStock: t.integer().nullable().default(0),',
    'Discontinued: t.boolean().default(false),',
  ])
  expect(linesOf(code, 'Orders').slice(3)).toEqual([
    'OrderID: t.autoId(),',
    "CustomerID: t.ref('Customers').nullable(),",
    "OrderDate: t.date({ as: 'text' }).nullable().index(),",
    "ShippedDate: t.date({ as: 'text' }).nullable(),",
    'Freight: t.real().nullable().default(0),',
    "ShipName2: t.text({ max: 40 }).nullable().column('Ship Name'),",
    'ShipName: t.text({ max: 40 }).nullable(),',
    '},',
    "{ table: 'Orders', indexes: [['ShipName2', 'Freight']] },",
    ')',
  ])
  expect(linesOf(code, 'SalesByDay').slice(3, 6)).toEqual([
    "DayNo: t.autoId().column('Day No'),",
    "column2ndShift: t.boolean().default(false).column('2nd Shift'),",
    "unitPrice: t.real().nullable().column('unit-price'),",
  ])
  const dates = 'holds dates in another form than t.date() writes; filters compare texts, so $eq does not find them.'
  expect(said.map(text => text.split(' As one form')[0])).toEqual([
    'Order Details: left out: its primary key is over several columns: OrderID, ProductID',
    'Products: CHECK ("Discontinued" IN (0, 1)) is kept by SQLite, not declared',
    'Products: CHECK ("UnitPrice" >= 0) is kept by SQLite, not declared',
    'Products: CHECK ("UnitsInStock" >= 0) is kept by SQLite, not declared',
    `Orders.OrderDate: ${dates}`,
    `Orders.ShippedDate: ${dates}`,
    'Current Product List: left out: it is a view; db.sql reads it',
  ])
})

test('Northwind: the models work on the file', async () => {
  const db = await adopted(await printed(NORTHWIND))
  expect(await db.orders.read(10248)).toEqual({
    OrderID: 10248,
    CustomerID: 'ALFKI',
    OrderDate: new Date('1996-07-04'),
    ShippedDate: new Date('1996-07-16'),
    Freight: 32.38,
    ShipName2: 'Vins',
    ShipName: 'Vins',
  })
  const order = await db.orders.create({ CustomerID: 'ANATR', OrderDate: new Date('1996-07-06'), ShipName2: 'Toms' })
  expect(order).toMatchObject({ OrderID: 10250, Freight: 0 })
  expect(await db.orders.count({ ShipName2: 'Toms' })).toBe(2)
  expect(await db.orders.count({ OrderDate: { $gt: new Date('1996-07-04T12:00Z') } })).toBe(2)
  expect(await db.categories.read(1)).toMatchObject({ Picture: new Uint8Array([0x15, 0xff, 0]) })
  expect(await db.products.list({ where: { Discontinued: true }, select: ['ProductName'] })).toEqual([
    { ProductName: 'Chang' },
  ])
  await db.categories.delete(1)
  expect(await db.products.read(1)).toMatchObject({ CategoryID: null, SupplierID: 1 })
  expect((await failureOf(db.products.update(1, { UnitPrice: -1 }))).code).toBe('CHECK')
  expect(await db.customers.upsert({ CustomerID: 'ALFKI', CompanyName: 'Alfred' })).toMatchObject({
    PostalCode: '12209',
  })
  const day = await db.salesByDay.create({ unitPrice: 9.5 })
  expect(day).toEqual({ DayNo: 3, column2ndShift: false, unitPrice: 9.5 })
  expect(await db.salesByDay.list({ where: { column2ndShift: true }, select: ['DayNo'] })).toEqual([{ DayNo: 2 }])
  expect(await db.sql`SELECT name FROM sqlite_schema WHERE name LIKE 'dataflow%'`).toEqual([])
})
