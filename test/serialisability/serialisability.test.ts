// N clients at once, each with its own transactions, workflows, batches and single operations: there is always an order, one after
// the other, that gives every answer and the final rows. fast-check prints the seed and the smallest program of a failure.
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { handClock } from '../semantics/support.js'
import { localDatabase, type LocalDatabase } from '../support/local.js'
import { Client } from './client.js'
import { findOrder, type Event, type Kind } from './history.js'
import { messages } from './messages.js'
import { models } from './operations.js'
import { transactions } from './transactions.js'
import { Turns } from './turns.js'
import { workflows } from './workflows.js'

/** Everything that a client may do. */
const kinds = { message: messages, transaction: transactions, workflow: workflows } as unknown as Record<
  string,
  Kind<{ kind: string }, unknown>
>

const action = fc.oneof(...Object.values(kinds).map(kind => kind.arbitrary))
const program = fc.record({
  clients: fc.array(fc.array(action, { minLength: 1, maxLength: 5 }), { minLength: 2, maxLength: 4 }),
  seed: fc.integer({ min: 0, max: 0x7fffffff }),
})

const time = handClock(1)
let db: LocalDatabase<typeof models>
beforeAll(async () => {
  db = localDatabase(models, { parts: { clock: time.clock } })
  await db.tables.rows.count()
})
afterAll(() => db.close())

const rowsOf = async () => new Map((await db.tables.rows.list()).map(({ id, n }) => [id, n]))

async function play({ clients, seed }: { clients: readonly (readonly { kind: string }[])[]; seed: number }) {
  // What a failure before this has left open ends.
  time.pass(100_000)
  await db.tables.rows.bulkDelete({ all: true })
  db.events.length = 0
  const turns = new Turns(seed)
  const events: Event[] = []
  let moment = 0
  const run = async (actions: readonly { kind: string }[], number: number): Promise<void> => {
    const client = new Client(db, turns, time.pass)
    for (const action of actions) {
      await turns.take()
      const kind = kinds[action.kind]!
      const event: Event = { client: number, start: ++moment, end: Infinity, action, record: null, replay: () => null }
      events.push(event)
      event.record = await kind.perform(client, action)
      event.end = ++moment
      event.replay = before => kind.replay(before, event.record)
    }
  }
  await turns.until(Promise.all(clients.map(run)), () => time.pass(10))
  return { events, final: await rowsOf() }
}

const counts = { workflows: 0, overlaps: 0, committed: 0, timedOut: 0, aborted: 0, savepoints: 0 }

test('every history of concurrent clients is that of some order, one after the other', async () => {
  await fc.assert(
    fc.asyncProperty(program, async program => {
      const { events, final } = await play(program)
      const order = findOrder(events, new Map(), final)
      if (!order)
        throw new Error(`No order explains\n${events.map(toText).join('\n')}\nwith ${JSON.stringify([...final])}`)
      // The feed tells of what was written in the end, and of nothing else.
      const told = db.events.flatMap(event => (event.type === 'change' ? event.detail.ids : []))
      expect(new Set(told)).toEqual(order.wrote)
      count(events)
    }),
    { numRuns: 400 },
  )
  // It was no walk in the park.
  for (const [what, times] of Object.entries(counts)) expect(times, what).toBeGreaterThan(50)
}, 240_000)

function count(events: readonly Event[]): void {
  counts.overlaps += events.filter(a => events.some(b => b !== a && b.start < a.start && b.end > a.start)).length
  counts.workflows += events.filter(({ action }) => (action as { kind: string }).kind === 'workflow').length
  const text = JSON.stringify(events.map(({ record }) => record))
  counts.committed += text.split('"committed":true').length - 1
  counts.timedOut += text.split('TX_TIMEOUT').length - 1
  counts.aborted += text.split('ABORTED').length - 1
  counts.savepoints += text.split('"step":"savepoint"').length - 1
}

const toText = ({ client, start, end, record }: Event) => `client ${client}, ${start}-${end}: ${JSON.stringify(record)}`

test('the check finds what it looks for: a lost update, a dirty read, a stale one', () => {
  const unit = (start: number, end: number, ...units: [op: object, ok: unknown][]): Event => ({
    client: 0,
    start,
    end,
    action: null,
    record: null,
    replay: before =>
      messages.replay(
        before,
        units.map(([op, ok]) => ({ did: [op as never], result: { ok: [ok] } })),
      ),
  })
  const read = (n: number | null): [object, unknown] => [{ op: 'read', id: 'a' }, n]
  const write = (n: number): [object, unknown] => [{ op: 'upsert', id: 'a', n }, n]
  const is = (n: number) => new Map([['a', n]])
  expect(findOrder([unit(1, 4, read(0), write(1)), unit(2, 3, read(0), write(1))], is(0), is(1))).toBeNull()
  expect(findOrder([unit(1, 4, read(0), write(1)), unit(2, 3, read(1), write(2))], is(0), is(2))).not.toBeNull()
  // What was never committed was read.
  expect(findOrder([unit(1, 4, read(7))], is(0), is(0))).toBeNull()
  // Answered before the read began, and not seen by it.
  expect(findOrder([unit(1, 2, write(1)), unit(3, 4, read(0))], is(0), is(1))).toBeNull()
  expect(findOrder([unit(1, 4, write(1)), unit(2, 3, read(0))], is(0), is(1))).not.toBeNull()
})
