// db.importRows(): CSV and JSON Lines into a table.
import { describe, expect, test, vi } from 'vitest'
import { caught, count, open, streamOf, useOrigin } from './support.js'

useOrigin()

describe('sources', () => {
  const csv = 'n,text\n1,één\n2,"two\nlines"\n'
  const bytes = new TextEncoder().encode(csv)
  const sources: [string, () => any][] = [
    ['a text', () => csv],
    ['a Blob', () => new Blob([csv])],
    ['a File with a byte order mark', () => new File(['\uFEFF', csv], 'rows.csv')],
    ['a Response', () => new Response(csv)],
    ['a stream of bytes', () => streamOf(Array.from(bytes, (_, i) => bytes.slice(i, i + 1)))],
    [
      'an async iterable of texts',
      () =>
        (async function* () {
          for (const c of csv) yield c
        })(),
    ],
  ]
  test.each(sources)('%s', async (_, source) => {
    const db = open()
    expect(await db.importRows('logs', source())).toEqual({ count: 2, failed: 0, errors: [] })
    expect(await db.logs.list({ select: ['n', 'text'] })).toEqual([
      { n: 1, text: 'één' },
      { n: 2, text: 'two\nlines' },
    ])
    await db.close()
  })

  test('what is none, and what cannot be read', async () => {
    const db = open()
    for (const source of [5, null, {}, ['a']]) {
      expect(await caught(db.importRows('logs', source as never))).toMatchObject({
        code: 'BAD_OPTION',
        op: 'importRows',
      })
    }
    const cause = new Error('gone')
    const broken = new ReadableStream<Uint8Array>({ pull: controller => controller.error(cause) })
    const error = await caught(db.importRows('logs', broken))
    expect(error).toMatchObject({ code: 'IMPORT', model: 'Log', op: 'importRows', kept: 0 })
    expect(error.cause).toBe(cause)
    const numbers = (async function* () {
      yield 5
    })()
    expect(await caught(db.importRows('logs', numbers as never))).toMatchObject({ code: 'IMPORT' })
    const latin = new Blob(['n,text\n1,', new Uint8Array([0xe9]), '\n'])
    expect(await caught(db.importRows('logs', latin))).toMatchObject({
      code: 'IMPORT',
      hint: expect.stringContaining('UTF-8'),
    })
    expect(await caught(db.importRows('logs', new Response('', { status: 404 })))).toMatchObject({ code: 'IMPORT' })
    expect(await db.logs.count()).toBe(0)
    await db.close()
  })

  test('a stream is cancelled when the import fails', async () => {
    const db = open()
    const cancel = vi.fn()
    let n = 0
    const stream = new ReadableStream<Uint8Array>({
      pull: controller => controller.enqueue(new TextEncoder().encode(n++ === 0 ? 'n\n' : n > 5 ? 'x\n' : `${n}\n`)),
      cancel,
    })
    expect(await caught(db.importRows('logs', stream))).toMatchObject({ code: 'VALIDATION', line: 6, kept: 0 })
    expect(cancel).toHaveBeenCalledTimes(1)
    await db.close()
  })
})

describe('without map', () => {
  test('texts are converted by the kind of the field', async () => {
    const db = open()
    const header = 'id,text,big,real,flag,at,json,bytes,made'
    const rows = [
      '1, a ,9007199254740993, 1.5e3 ,true,2026-01-02,"{""a"": [1]}",AQID,',
      '2,,,,,,,,5',
      '3,"",-1,.5,0,86400000,null,,0',
    ]
    await db.importRows('all', [header, ...rows].join('\r\n'))
    const list = await db.all.list()
    expect(list.map(({ createdAt: _made, ...row }) => row)).toEqual([
      {
        id: 1,
        text: ' a ',
        big: 9007199254740993n,
        real: 1500,
        flag: true,
        at: new Date('2026-01-02'),
        json: { a: [1] },
        bytes: new Uint8Array([1, 2, 3]),
        made: 7,
      },
      { id: 2, text: null, big: null, real: null, flag: null, at: null, json: null, bytes: null, made: 5 },
      { id: 3, text: null, big: -1n, real: 0.5, flag: false, at: new Date(86400000), json: null, bytes: null, made: 0 },
    ])
    await db.close()
  })

  test('JSON Lines', async () => {
    const db = open()
    const lines = [
      {
        id: 1,
        text: 'a',
        big: '9007199254740993',
        real: 2,
        flag: false,
        at: '2026-01-02',
        json: { b: 1 },
        bytes: 'AQID',
      },
      { id: 2, big: 5 },
    ]
    await db.importRows('all', lines.map(line => JSON.stringify(line)).join('\n'), { format: 'jsonl' })
    expect(await db.all.list({ select: ['id', 'big', 'flag', 'at', 'json', 'bytes'] })).toEqual([
      {
        id: 1,
        big: 9007199254740993n,
        flag: false,
        at: new Date('2026-01-02'),
        json: { b: 1 },
        bytes: new Uint8Array([1, 2, 3]),
      },
      { id: 2, big: 5n, flag: null, at: null, json: null, bytes: null },
    ])
    await db.close()
  })

  test('a wrong text says its line and field', async () => {
    const db = open()
    const error = await caught(db.importRows('all', 'id,text,flag,big\n1,"a\nb",true,1\n2,,yes,1.5\n'))
    expect(error).toMatchObject({
      code: 'VALIDATION',
      model: 'Everything',
      op: 'importRows',
      line: 4,
      kept: 0,
      fields: ['flag', 'big'],
      issues: [{ path: [1, 'flag'] }, { path: [1, 'big'] }],
    })
    expect(error.message).toContain('line 4')
    expect(error.message).not.toContain('yes')
    for (const [column, text] of Object.entries({
      id: '1e3',
      real: 'x',
      at: 'soon',
      json: '{',
      bytes: '*',
      made: '1.5',
    })) {
      const file = column === 'id' ? `id\n${text}` : `id,${column}\n7,${text}`
      expect(await caught(db.importRows('all', file))).toMatchObject({ code: 'VALIDATION', fields: [column], line: 2 })
    }
    expect(await db.all.count()).toBe(0)
    await db.close()
  })

  test('columns that are no fields', async () => {
    const db = open()
    expect(await caught(db.importRows('users', 'emial\na'))).toMatchObject({
      code: 'UNKNOWN_FIELD',
      fields: ['emial'],
      hint: expect.stringContaining('email'),
    })
    expect(await caught(db.importRows('users', 'a', { columns: ['emial'] }))).toMatchObject({ code: 'UNKNOWN_FIELD' })
    await db.importRows('users', 'a@b;Ada\n', { columns: ['email', 'name'], delimiter: ';' })
    expect(await db.users.first()).toMatchObject({ email: 'a@b', name: 'Ada' })
    await db.close()
  })
})

describe('map', () => {
  test('makes a row of a record, or leaves it out', async () => {
    const db = open()
    const seen: unknown[] = []
    await db.importRows('users', 'Mail,Name\na,A\nb,B\nc,C\n', {
      map(record, index) {
        seen.push([record, index])
        return record.Name === 'B' ? null : { email: record.Mail!, name: record.Name! }
      },
    })
    expect(seen[1]).toEqual([{ Mail: 'b', Name: 'B' }, 1])
    expect(await db.users.list({ select: ['email', 'name'], orderBy: { email: 'asc' } })).toEqual([
      { email: 'a', name: 'A' },
      { email: 'c', name: 'C' },
    ])
    await db.importRows('users', '["d"]\n', { format: 'jsonl', map: (record: string[]) => ({ email: record[0]! }) })
    expect(await db.users.count()).toBe(3)
    await db.close()
  })

  test('what it throws is the cause, with the line', async () => {
    const db = open()
    const cause = new Error('mine')
    const file = 'n\n1\n2\n'
    const error = await caught(
      db.importRows('logs', file, {
        map: (_, index) => {
          if (index === 1) throw cause
          return null
        },
      }),
    )
    expect(error).toMatchObject({ code: 'VALIDATION', line: 3 })
    expect(error.cause).toBe(cause)
    expect(await caught(db.importRows('logs', file, { map: (async () => null) as never }))).toMatchObject({
      code: 'VALIDATION',
      line: 2,
    })
    expect(await caught(db.importRows('logs', file, { map: () => undefined as never }))).toMatchObject({
      code: 'VALIDATION',
      line: 2,
    })
    await db.close()
  })
})

describe('what fails', () => {
  test('a malformed file: IMPORT, with the line', async () => {
    const db = open()
    const wrong: [string, object, number][] = [
      ['n,text\n1,a\n2\n', {}, 3],
      ['n,text\n1,"a\n\n', {}, 2],
      ['n,text\n1,"a"b\n', {}, 2],
      ['n,n\n1,2\n', {}, 1],
      ['{"n":1}\n{"n":\n', { format: 'jsonl' }, 2],
    ]
    for (const [text, options, line] of wrong) {
      const error = await caught(db.importRows('logs', text, options))
      expect(error).toMatchObject({ code: 'IMPORT', model: 'Log', op: 'importRows', line, kept: 0 })
      expect(error.message).toContain(`line ${line}`)
    }
    expect(await db.logs.count()).toBe(0)
    await db.close()
  })

  test("SQLite's refusal says line and record, also behind records that were left out", async () => {
    const db = open()
    const error = await caught(
      db.importRows('logs', 'n\n1\n"2"\n\n3\n1\n', { map: ({ n }) => (n === '2' ? null : { n: Number(n) }) }),
    )
    expect(error).toMatchObject({ code: 'UNIQUE', line: 6, issues: [{ path: [3, 'n'] }] })
    expect(error.hint).toMatch(/^line 6; row 3; use onConflict/)
    await db.close()
  })

  test("onError: 'collect' goes on behind what is wrong in a record", async () => {
    const db = open()
    const text = 'n,text\n1,a\nx,b\n3\n1,d\n5,e\n'
    const { count: written, failed, errors } = await db.importRows('logs', text, { onError: 'collect' })
    expect([written, failed]).toEqual([2, 3])
    expect(errors).toMatchObject([
      { index: 1, error: { code: 'VALIDATION', line: 3, fields: ['n'] } },
      { index: 2, error: { code: 'IMPORT', line: 4 } },
      { index: 3, error: { code: 'UNIQUE', line: 5 } },
    ])
    const lines = await db.importRows('logs', '{"n":7}\noops\n{"n":8}\n', { format: 'jsonl', onError: 'collect' })
    expect(lines).toMatchObject({ count: 2, errors: [{ index: 1, error: { code: 'IMPORT', line: 2 } }] })
    await db.close()
  })

  test('options', async () => {
    const db = open()
    const wrong: object[] = [
      { format: 'xml' },
      { delimiter: ';;' },
      { delimiter: '"' },
      { columns: 'n' },
      { map: 5 },
      { format: 'jsonl', columns: ['n'] },
      { onConflict: 'replace' },
      { header: true },
      { atomic: 'yes' },
    ]
    for (const options of wrong) {
      expect(await caught(db.importRows('logs', 'n\n1', options as never))).toMatchObject({
        code: 'BAD_OPTION',
        op: 'importRows',
      })
    }
    expect(await caught(db.importRows('log' as never, 'n\n1'))).toMatchObject({ code: 'UNKNOWN_MODEL' })
    await db.close()
  })
})

describe('large files', () => {
  const rows = (count: number) => `n,text\n${Array.from({ length: count }, (_, n) => `${n},row ${n}\n`).join('')}`

  test('chunks, progress in bytes, and what is kept', async () => {
    const db = open()
    await db.logs.count()
    const file = new Blob([rows(25_000)])
    const told: any[] = []
    const { messages } = await count(db, () =>
      db.importRows('logs', file, { onProgress: progress => told.push(progress) }),
    )
    expect(messages).toBe(3)
    expect(told.map(({ rows }) => rows)).toEqual([10_000, 20_000, 25_000, 25_000])
    expect(told.at(-1)).toEqual({ rows: 25_000, bytes: file.size, total: file.size })
    await db.logs.bulkDelete({ all: true })
    const error = await caught(db.importRows('logs', rows(25_000) + 'x,\n'))
    expect(error).toMatchObject({ code: 'VALIDATION', line: 25_002, kept: 20_000 })
    expect(await db.logs.count()).toBe(20_000)
    await db.close()
  })

  test('conflicts, atomic, a signal, a transaction', async () => {
    const db = open()
    await db.logs.create({ n: 5 })
    expect(await db.importRows('logs', rows(10), { onConflict: 'skip' })).toMatchObject({ count: 9 })
    expect(await db.importRows('logs', 'n,text\n5,new\n', { onConflict: 'update' })).toMatchObject({ count: 1 })
    expect(await db.logs.first({ where: { n: 5 } })).toMatchObject({ text: 'new' })
    expect(await caught(db.importRows('logs', 'n\n100\n5\n', { atomic: true }))).toMatchObject({
      code: 'UNIQUE',
      kept: 0,
    })
    const aborted = AbortSignal.abort()
    expect(await caught(db.importRows('logs', 'n\n100\n', { signal: aborted }))).toMatchObject({ code: 'ABORTED' })
    const failing = db.transaction(async tx => {
      expect(await tx.importRows('logs', 'n\n100\n')).toMatchObject({ count: 1 })
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    expect(await db.logs.count()).toBe(10)
    await db.close()
  })
})
