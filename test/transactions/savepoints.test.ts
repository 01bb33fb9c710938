// tx.savepoint(fn): a part of a transaction that can fail alone, to any depth.
import { expect, test } from 'vitest'
import { sql, workflow } from '../../src/index.js'
import { failureOf, useOrigin } from '../whole/support.js'
import { Account, bomb, codeOf, Entry, feedOf, idsOf, openBank, type Tx } from './support.js'

useOrigin()

class Own extends Error {}

test('what it did stays when it resolves, with what it resolves to', async () => {
  const db = openBank()
  const result = await db.transaction(async tx => {
    await tx.accounts.create({ id: 'before' })
    const cents = await tx.savepoint(async inner => {
      await inner.accounts.create({ id: 'inside', cents: 7 })
      return (await inner.accounts.readOrThrow('inside')).cents
    })
    await tx.accounts.create({ id: 'after' })
    return cents
  })
  expect(result).toBe(7)
  expect(await idsOf(db)).toEqual(['after', 'before', 'inside'])
})

test('all of it is taken back when it throws; the error goes on as it is, and the outer one can be used', async () => {
  const db = openBank()
  const told = feedOf(db)
  await db.ensure()
  const error = new Own('mine')
  await db.transaction(async tx => {
    await tx.accounts.create({ id: 'before' })
    await expect(
      tx.savepoint(async inner => {
        await inner.accounts.create({ id: 'a' })
        await inner.run(Account.create({ id: 'b' }))
        await inner.batch([Account.create({ id: 'c' }), sql`insert into accounts (id, cents) values ('d', 1)`])
        await inner.sql`update accounts set cents = 9 where id = ${'before'}`
        await inner.accounts.bulkCreate([{ id: 'e' }, { id: 'f' }])
        await inner.sql`create table made (x)`
        expect(await inner.accounts.count()).toBe(7)
        throw error
      }),
    ).rejects.toBe(error)
    expect(await tx.accounts.list()).toEqual([{ id: 'before', cents: 0 }])
    expect(await codeOf(tx.sql`select * from made`)).toBe('SQL')
    await tx.accounts.create({ id: 'after' })
  })
  expect(await idsOf(db)).toEqual(['after', 'before'])
  // Neither of what was rolled back, nor of raw SQL that was.
  expect(told).toEqual({ Account: ['before', 'after'] })
})

test('a workflow inside is part of it: kept, taken back with it, or taken back alone', async () => {
  const db = openBank()
  const told = feedOf(db)
  await db.ensure()
  const open = workflow<{ id: string }>('open')
    .node('account', ({ input }) => Account.create({ id: input.id }))
    .node('entry', ({ account }) => Entry.create({ accountId: account.id, what: 'opened' }))
  await db.transaction(async tx => {
    await tx.savepoint(async inner => {
      const { entry } = await inner.execute(open, { id: 'a' })
      expect(entry.accountId).toBe('a')
      expect(await codeOf(inner.execute(open, { id: 'a' }))).toBe('UNIQUE')
    })
    await tx
      .savepoint(async inner => {
        await inner.execute(open, { id: 'b' })
        throw new Own()
      })
      .catch(() => {})
  })
  expect(await db.entries.list({ select: ['accountId'] })).toEqual([{ accountId: 'a' }])
  expect(told.Account).toEqual(['a'])
})

test('nested to any depth: each level is taken back with all that is in it, and nothing else', async () => {
  const db = openBank()
  const told = feedOf(db)
  await db.ensure()
  const nest = async (tx: Tx, depth: number): Promise<void> => {
    await tx.accounts.create({ id: `${depth}` })
    if (depth < 12) await tx.savepoint(inner => nest(inner, depth + 1))
    else throw new Own()
  }
  await db.transaction(async tx => {
    await tx.savepoint(async two => {
      await two.accounts.create({ id: 'two' })
      await expect(two.savepoint(three => nest(three, 3))).rejects.toThrow(Own)
      await two.savepoint(async three => {
        await three.accounts.create({ id: 'three' })
        await three.savepoint(async four => four.accounts.create({ id: 'four' }))
        await three.savepoint(four => nest(four, 11)).catch(() => {})
      })
    })
    await tx
      .savepoint(async two => {
        await two.savepoint(async three => three.accounts.create({ id: 'released, then taken back' }))
        throw new Own()
      })
      .catch(() => {})
  })
  expect(await idsOf(db)).toEqual(['four', 'three', 'two'])
  expect(told).toEqual({ Account: ['two', 'three', 'four'] })
})

test('a call that fails inside takes back only itself', async () => {
  const db = openBank()
  const told = feedOf(db)
  await db.ensure()
  await db.transaction(tx =>
    tx.savepoint(async inner => {
      await inner.accounts.create({ id: 'a' })
      const batch = inner.batch([Account.create({ id: 'never' }), Account.create({ id: 'a' })])
      expect(await codeOf(batch)).toBe('UNIQUE')
      expect(await idsOf(inner)).toEqual(['a'])
    }),
  )
  expect(await idsOf(db)).toEqual(['a'])
  expect(told).toEqual({ Account: ['a'] })
})

test('when the transaction is rolled back, so is what was released', async () => {
  const db = openBank()
  const told = feedOf(db)
  await expect(
    db.transaction(async tx => {
      await tx.savepoint(async inner => inner.accounts.create({ id: 'a' }))
      throw new Own()
    }),
  ).rejects.toThrow(Own)
  expect(await idsOf(db)).toEqual([])
  expect(told).toEqual({})
})

test('afterCommit of a savepoint: called when the transaction is saved, never when either is rolled back', async () => {
  const db = openBank()
  const called: string[] = []
  const note = (tx: Tx, what: string) => tx.afterCommit(() => called.push(what))
  await db.transaction(async tx => {
    note(tx, 'first')
    await tx.savepoint(async inner => {
      note(inner, 'kept')
      await inner.savepoint(async innermost => note(innermost, 'kept, deeper'))
    })
    await tx
      .savepoint(async inner => {
        note(inner, 'never')
        await inner.savepoint(async innermost => note(innermost, 'never, deeper'))
        throw new Own()
      })
      .catch(() => {})
    note(tx, 'last')
    expect(called).toEqual([])
  })
  expect(called).toEqual(['first', 'kept', 'kept, deeper', 'last'])
  const rolledBack = db.transaction(async tx => {
    await tx.savepoint(async inner => note(inner, 'never'))
    throw new Own()
  })
  await expect(rolledBack).rejects.toThrow(Own)
  expect(called).toHaveLength(4)
})

test('the outer tx is TX_CLOSED while a savepoint is open, and says what to use; then it works again', async () => {
  const db = openBank()
  await db.transaction(async tx => {
    await tx.savepoint(async inner => {
      const error = await failureOf(tx.accounts.create({ id: 'by the outer one' }))
      expect(error).toMatchObject({
        code: 'TX_CLOSED',
        retryable: false,
        hint: expect.stringContaining('use the tx that'),
      })
      expect(await codeOf(tx.batch([Account.count()]))).toBe('TX_CLOSED')
      expect(await codeOf(tx.sql`select 1`)).toBe('TX_CLOSED')
      await inner.savepoint(async innermost => {
        expect(await codeOf(inner.accounts.count())).toBe('TX_CLOSED')
        expect(await codeOf(tx.accounts.count())).toBe('TX_CLOSED')
        await innermost.accounts.create({ id: 'innermost' })
      })
      await inner.accounts.create({ id: 'inner' })
    })
    await tx.accounts.create({ id: 'outer' })
  })
  expect(await idsOf(db)).toEqual(['inner', 'innermost', 'outer'])
})

test('two at once: the second is refused before its function is called, the first goes on', async () => {
  const db = openBank()
  await db.transaction(async tx => {
    let ran = false
    const settled = await Promise.allSettled([
      tx.savepoint(async inner => inner.accounts.create({ id: 'first' })),
      tx.savepoint(async () => (ran = true)),
      tx.accounts.create({ id: 'beside' }),
    ])
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected'])
    expect(settled[1]).toMatchObject({ reason: { code: 'TX_CLOSED' } })
    expect(ran).toBe(false)
    // What was called before it is not in it.
    const before = tx.accounts.create({ id: 'before' })
    await tx.savepoint(async () => Promise.reject(new Own())).catch(() => {})
    await before
  })
  expect(await idsOf(db)).toEqual(['before', 'first'])
})

test('Promise.all of two takes the whole transaction back, as nothing in between is ever kept', async () => {
  const db = openBank()
  const both = db.transaction(async tx => {
    await Promise.all(['a', 'b'].map(id => tx.savepoint(inner => inner.accounts.create({ id }))))
  })
  expect(await codeOf(both)).toBe('TX_CLOSED')
  expect(await idsOf(db)).toEqual([])
})

test('a handle used after its end is TX_CLOSED, whichever way it ended, afterCommit too', async () => {
  const db = openBank()
  const kept: Tx[] = []
  await db.transaction(async tx => {
    await tx.savepoint(async inner => void kept.push(inner))
    await tx.savepoint(async inner => (kept.push(inner), Promise.reject(new Own()))).catch(() => {})
    for (const inner of kept) {
      const { code, hint } = await failureOf(inner.accounts.create({ id: 'late' }))
      expect([code, hint]).toEqual(['TX_CLOSED', 'await every tx.* call before the function ends.'])
      expect(await codeOf(inner.batch([Account.count()]))).toBe('TX_CLOSED')
      expect(await codeOf(inner.sql`select 1`)).toBe('TX_CLOSED')
      expect(await codeOf(inner.savepoint(async () => {}))).toBe('TX_CLOSED')
      expect(() => inner.afterCommit(() => {})).toThrow(expect.objectContaining({ code: 'TX_CLOSED' }))
    }
    // Another savepoint is not the one that the handle was of.
    await tx.savepoint(async () => expect(await codeOf(kept[0]!.accounts.count())).toBe('TX_CLOSED'))
    await tx.accounts.create({ id: 'a' })
  })
  expect(await idsOf(db)).toEqual(['a'])
})

test('a savepoint that is not awaited: the end of what it is in is refused, and nothing is kept', async () => {
  const db = openBank()
  let inner: Promise<string> | undefined
  let goOn = () => {}
  const waiting = new Promise<void>(resolve => (goOn = resolve))
  const outer = db.transaction(async tx => {
    await tx.accounts.create({ id: 'a' })
    inner = codeOf(tx.savepoint(async inner => (await inner.accounts.create({ id: 'b' }), await waiting)))
  })
  expect(await failureOf(outer)).toMatchObject({
    code: 'TX_CLOSED',
    hint: expect.stringContaining('await each savepoint'),
  })
  goOn()
  expect(await inner).toBe('TX_CLOSED')
  expect(await idsOf(db)).toEqual([])
  await db.transaction(async tx => {
    await tx.accounts.create({ id: 'kept' })
    const code = await codeOf(
      tx.savepoint(async two => {
        await two.accounts.create({ id: 'two' })
        void two.savepoint(() => new Promise(() => {}))
      }),
    )
    expect(code).toBe('TX_CLOSED')
  })
  expect(await idsOf(db)).toEqual(['kept'])
})

test('the whole transaction is lost in a savepoint: every level and the rest of the calls say why', async () => {
  const db = openBank()
  await db.ensure()
  await db.run(bomb)
  const codes: string[] = []
  const end = await failureOf(
    db.transaction(async tx => {
      await tx.accounts.create({ id: 'a' })
      const two = tx.savepoint(async two => {
        const three = two.savepoint(async three => {
          const guilty = await failureOf(three.accounts.create({ id: 'bomb' }))
          expect(guilty).toMatchObject({ code: 'SQL', model: 'Account', op: 'create' })
          codes.push(await codeOf(three.accounts.count()))
        })
        const error = await failureOf(three)
        expect(error.message).toContain('An earlier call has rolled the whole transaction back: boom')
        expect(error.cause).toMatchObject({ model: 'Account', op: 'create' })
        codes.push(error.code, await codeOf(two.accounts.create({ id: 'outside of any transaction' })))
      })
      codes.push(await codeOf(two), await codeOf(tx.accounts.count()))
      // Everybody else goes on at once.
      expect(await db.accounts.count()).toBe(0)
    }),
  )
  expect(codes).toEqual(['SQL', 'SQL', 'SQL', 'SQL', 'SQL'])
  expect(end.code).toBe('SQL')
  expect(await idsOf(db)).toEqual([])
})

test('a conflict that rolls back keeps its own code at every level', async () => {
  const db = openBank()
  await db.accounts.create({ id: 'a' })
  const end = db.transaction(async tx => {
    await tx.accounts.create({ id: 'b' })
    await tx.savepoint(async inner => {
      expect(await codeOf(inner.sql`insert or rollback into accounts (id, cents) values ('a', 1)`)).toBe('UNIQUE')
    })
  })
  expect(await codeOf(end)).toBe('UNIQUE')
  expect(await idsOf(db)).toEqual(['a'])
})

test('a deferred foreign key, broken in a savepoint, is told at the commit; mended, it is not', async () => {
  const db = openBank()
  await db.ensure()
  await db.sql`create table child (up text references accounts (id) deferrable initially deferred)`
  let afterwards: Tx | undefined
  const broken = db.transaction(async tx => {
    afterwards = tx
    await tx.savepoint(async inner => inner.sql`insert into child values ('nobody')`)
  })
  expect(await codeOf(broken)).toBe('FOREIGN_KEY')
  expect(await codeOf(afterwards!.accounts.count())).toBe('TX_CLOSED')
  await db.transaction(async tx => {
    await tx.savepoint(async inner => inner.sql`insert into child values ('later')`)
    await tx
      .savepoint(async inner => (await inner.sql`insert into child values ('nobody')`, Promise.reject(new Own())))
      .catch(() => {})
    await tx.accounts.create({ id: 'later' })
  })
  expect(await db.sql`select * from child`).toEqual([{ up: 'later' }])
})

test('takes a function, as transaction does', async () => {
  const db = openBank()
  const end = db.transaction(async tx => {
    // @ts-expect-error what an app without types may pass
    const error = await failureOf(tx.savepoint([Account.count()]))
    expect(error).toMatchObject({ code: 'BAD_OPTION', op: 'savepoint', hint: 'tx.savepoint(async tx => { ... }).' })
    // @ts-expect-error
    tx.afterCommit('not a function')
  })
  expect(await failureOf(end)).toMatchObject({ code: 'BAD_OPTION', op: 'afterCommit' })
})

test('a savepoint costs two messages and two statements of control', async () => {
  const db = openBank()
  await db.ensure()
  const cost = async (work: (tx: Tx) => Promise<unknown>) => {
    const before = await db.metrics()
    await db.transaction(work)
    const after = await db.metrics()
    return after.statements.control - before.statements.control
  }
  const without = await cost(async tx => tx.accounts.create({ id: 'a' }))
  const within = await cost(async tx => tx.savepoint(async inner => inner.accounts.create({ id: 'b' })))
  expect(within - without).toBe(2)
  // A call that only reads needs none of its own.
  expect(await cost(async tx => tx.accounts.count())).toBe(2)
})
