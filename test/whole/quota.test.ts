// Warned once at 80 % and once at 95 % of the quota; asked at open and after every 8 MiB, never for each flush.
import { expect, test } from 'vitest'
import { localDatabase } from '../support/local.js'
import { models } from './support.js'

const settle = () => new Promise<void>(resolve => setImmediate(resolve))

function open(usage: () => number | undefined) {
  let asked = 0
  const estimate = async () => {
    asked++
    const now = usage()
    if (now === undefined) throw new TypeError('the browser does not answer')
    return { usage: now, quota: 100 }
  }
  const db = localDatabase(models, { parts: { estimate } })
  const told = () => db.events.flatMap(event => (event.type === 'quota' ? [event.detail.usage] : []))
  return { db, told, asked: () => asked }
}

const MIB = 1024 * 1024

test('told once for each level', async () => {
  let usage = 10
  const { db, told, asked } = open(() => usage)
  await db.tables.users.create({ name: 'Ada' })
  await settle()
  expect([asked(), told()]).toEqual([1, []])
  const write = async () => {
    await db.tables.users.bulkCreate(Array.from({ length: 9 }, () => ({ name: 'x'.repeat(MIB) })))
    await settle()
  }
  for (usage of [79, 80, 85, 94]) await write()
  expect(told()).toEqual([80])
  for (usage of [96, 97, 10, 85, 99]) await write()
  expect(told()).toEqual([80, 96])
  await db.close()
})

test('full from the beginning: one warning; small flushes ask nothing', async () => {
  const { db, told, asked } = open(() => 99)
  for (let i = 0; i < 20; i++) await db.tables.users.create({ name: 'Ada' })
  await settle()
  expect([asked(), told()]).toEqual([1, [99]])
  await db.close()
})

test('nobody listens: nobody asks; who listens later is told', async () => {
  const { db, told, asked } = open(() => 90)
  await db.engine.listen([])
  await db.tables.users.create({ name: 'Ada' })
  await settle()
  expect(asked()).toBe(0)
  await db.engine.listen(['quota'])
  await settle()
  expect(told()).toEqual([90])
  await db.close()
})

test('a browser that does not answer disturbs nothing', async () => {
  const { db, told } = open(() => undefined)
  await db.tables.users.create({ name: 'Ada' })
  await settle()
  expect(told()).toEqual([])
  await db.close()
})
