// In the order of a worker's life: sql.js starts once per thread, so the failures come first.
import { expect, test } from 'vitest'
import { DataFlowError } from '../../src/shared/errors.js'
import { bootSqlite, SQLITE_VERSION, type BootOptions } from '../../worker/sqlite/boot.js'
import { Syscalls } from '../../worker/sqlite/syscalls.js'
import { valueOf, wasmBytes } from './support.js'

async function failure(source: ReturnType<BootOptions['wasm']>): Promise<DataFlowError> {
  const error: unknown = await bootSqlite({ wasm: () => source }).then(
    () => null,
    (e: unknown) => e,
  )
  if (!DataFlowError.is(error, 'WORKER_LOAD')) throw new Error('WORKER_LOAD was expected', { cause: error })
  return error
}

test('what cannot be loaded is WORKER_LOAD, and may be tried again', async () => {
  expect((await failure(Promise.reject(new TypeError('fetch failed')))).message).toContain('fetch failed')
  expect((await failure(new Response('gone', { status: 404 }))).message).toContain('404')
  expect((await failure(new Uint8Array([1, 2, 3]))).hint).toContain('wasm-unsafe-eval')
  expect((await failure(new Response('<html>', { headers: { 'content-type': 'text/html' } }))).cause).toBeInstanceOf(
    Error,
  )
})

test('imports of another build are refused', () => {
  expect(() => new Syscalls().wrap({ env: {} })).toThrow("No import 'x' (openat)")
  expect(() => new Syscalls().wrap({ a: {}, b: {} })).toThrow('Unknown imports')
})

test('starts from a response, and once per thread', async () => {
  const type = { headers: { 'content-type': 'application/wasm' } }
  let fetches = 0
  const wasm = () => {
    fetches++
    return Promise.resolve(new Response(wasmBytes(), type))
  }
  const module = await bootSqlite({ wasm })
  expect(module.version).toBe(SQLITE_VERSION)
  expect(await bootSqlite({ wasm })).toBe(module)
  expect(fetches).toBe(1)
  const db = module.open(module.createFile())
  expect(valueOf(db, 'SELECT 1')).toBe(1)
  expect('location' in globalThis).toBe(false)
  db.close()
})
