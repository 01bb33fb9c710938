// What run.mjs calls: window.peers. Each measurement has a database of its own name.
import { peers, type PeerName } from './peers.js'
import type { Item, Peer } from './peer.js'
import { median, time } from '../../page/timing.js'

declare global {
  interface Window {
    peers: typeof measures & { names: string[]; durabilityOf(name: PeerName): string }
    acknowledged?(n: number): void
  }
}

let made = 0

function items(count: number): Item[] {
  return Array.from({ length: count }, () => {
    const n = made++
    const id = `${Date.now().toString(36)}-${n.toString().padStart(9, '0')}-${crypto.randomUUID().slice(0, 8)}`
    return {
      id,
      title: `Item ${n}`,
      body: `${n} `.padEnd(900, 'Notes from the field, in plain words. '),
      n,
      at: 1.7e12 + n,
    }
  })
}

async function using<T>(name: PeerName, database: string, work: (peer: Peer) => Promise<T>): Promise<T> {
  const peer = await peers[name].open(database)
  try {
    return await work(peer)
  } finally {
    await peer.close()
  }
}

async function awaited(count: number, work: (i: number) => Promise<unknown>): Promise<number[]> {
  const times: number[] = []
  for (let i = 0; i < count; i++) times.push(await time(() => work(i)))
  return times.sort((a, b) => a - b)
}

const measures = {
  /** `inserts` awaited ones; `atOnce` in one tick; `batch` in one transaction; then reads and a list of all. */
  operations: (name: PeerName, database: string, { inserts, atOnce, batch, list }: Record<string, number>) =>
    using(name, database, async peer => {
      for (const item of items(5)) await peer.insert(item)
      const rows = items(inserts!)
      const times = await awaited(inserts!, i => peer.insert(rows[i]!))
      const many = items(atOnce!)
      const atOnceMs = await time(() => Promise.all(many.map(item => peer.insert(item))))
      const batched = items(batch!)
      const batchMs = await time(() => peer.insertMany(batched))
      const reads = await awaited(100, i => peer.read(batched[i % batched.length]!.id))
      const missing = list! - (await peer.count())
      for (let done = 0; done < missing; done += 1000) await peer.insertMany(items(Math.min(1000, missing - done)))
      const lists: number[] = []
      let count = 0
      for (let i = 0; i < 3; i++) lists.push(await time(async () => void (count = (await peer.list()).length)))
      if (count !== list) throw new Error(`${count} rows were listed, not ${list}`)
      return {
        p50: median(times),
        p95: times[Math.ceil(times.length * 0.95) - 1]!,
        atOnce: atOnceMs / atOnce!,
        batch: batchMs / batch!,
        read: median(reads),
        list: median(lists),
      }
    }),

  /** Until it has about so many MB; a key among its rows. */
  fill: (name: PeerName, database: string, megabytes: number) =>
    using(name, database, async peer => {
      let id = ''
      for (let done = 0; done < Math.max(1, megabytes * 1000); done += 1000) {
        const rows = items(Math.max(1, Math.min(1000, megabytes * 1000 - done)))
        id = rows[0]!.id
        await peer.insertMany(rows)
      }
      return { id }
    }),

  /** From nothing until its first row is read, then awaited inserts. */
  async size(name: PeerName, database: string, id: string, inserts: number) {
    const start = performance.now()
    return using(name, database, async peer => {
      if (!(await peer.read(id))) throw new Error('The row is not there')
      const open = performance.now() - start
      const rows = items(inserts + 2)
      await peer.insert(rows.pop()!)
      return { open, insert: median(await awaited(inserts, () => peer.insert(rows.pop()!))) }
    })
  },

  /** Inserts until the browser is killed; each is told when it has been acknowledged. */
  async insertUntilKilled(name: PeerName, database: string) {
    const peer = await peers[name].open(database)
    for (const item of items(100_000)) {
      await peer.insert(item)
      window.acknowledged?.(item.n)
    }
  },

  numbers: (name: PeerName, database: string) =>
    using(name, database, async peer => (await peer.list()).map(row => Number((row as Item).n))),
}

window.peers = {
  ...measures,
  names: Object.keys(peers),
  durabilityOf: name => peers[name].durability,
}
