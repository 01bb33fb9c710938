// Proves at every start that the database really lives in our file: the system calls are found by minified names, and
// a wrong one must not be noticed by losing somebody's data.
import { Connection } from './connection.js'
import { CHUNK_SIZE, ChunkedFile } from './file.js'
import { Handle } from './handle.js'
import type { Runtime } from './runtime.js'

const ROWS = 40

/** Header bytes that a backup, as export() makes it, writes differently: change counters, and who wrote last. */
const DIFFERENT = [
  [24, 28],
  [40, 44],
  [92, 100],
] as const

/** Throws when SQLite does not read and write through our file. */
export function checkBoot(runtime: Runtime): void {
  const file = new ChunkedFile()
  const database = runtime.openDatabase(file)
  const connection = new Connection(() => new Handle(runtime.wasm, database))
  connection.run('CREATE TABLE t(id INTEGER PRIMARY KEY, text TEXT)')
  connection.atomically(() => {
    for (let i = 0; i < ROWS; i++) connection.run('INSERT INTO t VALUES (?, ?)', [i, textOf(i)])
  })
  connection.run('DELETE FROM t WHERE id = 1')
  compare(file, database.export())
  connection.close()

  const again = new Connection(() => new Handle(runtime.wasm, runtime.openDatabase(file)))
  let expected = 0
  const rows = again.each('SELECT id, text FROM t ORDER BY id', [], row => {
    if (expected === 1) expected++
    if (row.value(0) !== expected || row.text(1) !== textOf(expected)) throw new Error('A row was read back wrong')
    expected++
  })
  again.close()
  if (rows !== ROWS - 1) throw new Error(`${rows} rows were read back from our file`)
}

function textOf(i: number): string {
  return `${i}`.repeat(200)
}

function compare(file: ChunkedFile, exported: Uint8Array): void {
  if (file.size !== exported.length || file.size > CHUNK_SIZE) throw new Error(`Our file has ${file.size} bytes`)
  const ours = file.chunk(0).slice(0, file.size)
  for (const [from, to] of DIFFERENT) {
    ours.fill(0, from, to)
    exported.fill(0, from, to)
  }
  if (ours.some((byte, i) => byte !== exported[i])) throw new Error('Our file and the exported one differ')
}
