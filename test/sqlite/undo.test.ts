// Commits, rollbacks, flushes that succeed and flushes that fail, in any order: the rows are always those of the model.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { FileChanges } from '../../worker/seams.js'
import { comparable, imageOf, openDatabase, replay, valueOf } from './support.js'

const batch = fc.record({
  from: fc.integer({ min: 0, max: 400 }),
  count: fc.integer({ min: 1, max: 300 }),
  length: fc.constantFrom(0, 10, 500, 9000),
})
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('put' as const), batch }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete' as const), batch }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('rolledBack' as const), batch }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('lease' as const), batch }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('vacuum' as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('take' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('fail' as const), taken: fc.integer({ min: 0, max: 2 }) }) },
)

type Model = Map<number, number>

test('the rows are right after any history, and so is the replayed log', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 20 }), async steps => {
      const { db, file, exported } = await openDatabase()
      db.run('PRAGMA cache_size = 20')
      db.exec('CREATE TABLE t(id INTEGER PRIMARY KEY, length INTEGER, text TEXT); CREATE INDEX i ON t(text)')
      let saved: Uint8Array = replay(new Uint8Array(0), file.takeChanges()!)
      let model: Model = new Map()
      let flushed: Model = new Map()
      const history: { changes: FileChanges; model: Model; image: Uint8Array }[] = []
      const put = (target: Model, { from, count, length }: { from: number; count: number; length: number }): void => {
        for (let id = from; id < from + count; id++) {
          db.run('INSERT OR REPLACE INTO t VALUES (?, ?, ?)', [id, length, `${id}`.padEnd(length, 'x')])
          target.set(id, length)
        }
      }
      for (const step of steps) {
        switch (step.kind) {
          case 'put':
            db.atomically(() => put(model, step.batch))
            break
          case 'delete': {
            const { from, count } = step.batch
            db.run('DELETE FROM t WHERE id >= ? AND id < ?', [from, from + count])
            for (let id = from; id < from + count; id++) model.delete(id)
            break
          }
          case 'rolledBack':
            expect(() =>
              db.atomically(() => {
                put(new Map(), step.batch)
                db.run('DELETE FROM t WHERE id % 2')
                throw new Error('back')
              }),
            ).toThrow('back')
            break
          case 'lease': {
            const lease = db.begin()
            put(model, step.batch)
            lease.commit()
            break
          }
          case 'vacuum':
            db.run('VACUUM')
            break
          case 'take': {
            const changes = file.takeChanges()
            if (!changes) break
            history.push({ changes, model: flushed, image: saved })
            saved = replay(saved, changes)
            flushed = new Map(model)
            break
          }
          case 'fail':
            file.undoUntaken()
            for (let i = 0; i < step.taken && history.length > 0; i++) {
              const last = history.pop()!
              file.undo(last.changes)
              flushed = last.model
              saved = last.image
            }
            model = new Map(flushed)
            db.reopen()
            db.run('PRAGMA cache_size = 20')
            expect(Buffer.compare(imageOf(file), saved)).toBe(0)
            break
        }
        const rows: Model = new Map()
        db.each('SELECT id, length, text FROM t', [], row => {
          rows.set(row.value(0) as number, row.value(1) as number)
          expect(row.text(2)!.length).toBe(Math.max(`${row.value(0)}`.length, row.value(1) as number))
        })
        expect(rows).toEqual(model)
      }
      expect(valueOf(db, 'PRAGMA integrity_check')).toBe('ok')
      expect(Buffer.compare(comparable(imageOf(file)), comparable(exported()))).toBe(0)
      db.close()
    }),
    { numRuns: 40 },
  )
}, 60_000)
