// Answers sql.js's system calls on a database file from a ChunkedFile; all others go on to Emscripten. Emscripten opens
// an empty file of its own for each of ours: it gives the descriptor, the locks and the inode, but never a byte.
import type { ChunkedFile } from './file.js'
import type { Heap } from './heap.js'

/** The imports of sql.js 1.16.0 by their minified names. Another build has other names: the boot check tells. */
const IMPORTS = { openat: 'x', fstat: 'g', ftruncate: 'J', seek: 'E', read: 't', write: 'q', close: 'e' } as const
type Call = keyof typeof IMPORTS

/** What sql.js calls a database: its export() opens a file of its own with `_export` behind it. */
const DATABASE_PATH = /dbfile_\d+$/

// WASI's error numbers. SQLite turns NOSPC into SQLITE_FULL and rolls back.
const INVALID = 28
const NO_SPACE = 51

/** Byte offset of st_size in Emscripten's struct stat. */
const STAT_SIZE = 24

interface Descriptor {
  readonly file: ChunkedFile
  position: number
}

type Imports = Record<string, Record<string, (...args: never[]) => unknown>>

export class Syscalls {
  readonly #descriptors = new Map<number, Descriptor>()
  #opening: ChunkedFile | null = null
  #heap!: Heap

  /** The heap does not exist before the module that these calls are imported into. */
  attach(heap: Heap): void {
    this.#heap = heap
  }

  /** The database that `open` opens is `file`. Throws when `open` did not open one. */
  openAs<T>(file: ChunkedFile, open: () => T): T {
    if ([...this.#descriptors.values()].some(descriptor => descriptor.file === file)) {
      throw new Error('The file is open already')
    }
    this.#opening = file
    try {
      const opened = open()
      if (this.#opening) throw new Error('The system call that opens the database was not seen')
      return opened
    } finally {
      this.#opening = null
    }
  }

  /** `imports` with the calls on files wrapped. Throws when they are not those of the sql.js we know. */
  wrap(imports: WebAssembly.Imports): WebAssembly.Imports {
    const [namespace, ...others] = Object.keys(imports)
    const known = (imports as Imports)[namespace ?? '']
    if (!known || others.length > 0) throw new Error('Unknown imports')
    const theirs = (call: Call): ((...args: unknown[]) => number) => {
      const found = known[IMPORTS[call]]
      if (typeof found !== 'function') throw new Error(`No import '${IMPORTS[call]}' (${call})`)
      return found as never
    }
    const answer = (call: Call, ours: (open: Descriptor, ...args: never[]) => number) => {
      const original = theirs(call)
      return (fd: number, ...args: never[]) => {
        const open = this.#descriptors.get(fd)
        return open ? ours(open, ...args) : original(fd, ...args)
      }
    }

    const openat = theirs('openat')
    const fstat = theirs('fstat')
    const close = theirs('close')
    const ours: Record<Call, (...args: never[]) => number> = {
      openat: (directory: number, path: number, ...rest: unknown[]) => {
        const fd = openat(directory, path, ...rest)
        if (this.#opening && fd >= 0 && DATABASE_PATH.test(this.#heap.cString(path))) {
          this.#descriptors.set(fd, { file: this.#opening, position: 0 })
          this.#opening = null
        }
        return fd
      },
      fstat: (fd: number, buffer: number) => {
        const failed = fstat(fd, buffer)
        const open = this.#descriptors.get(fd)
        if (open && failed === 0) this.#heap.setInt64(buffer + STAT_SIZE, open.file.size)
        return failed
      },
      close: (fd: number) => {
        this.#descriptors.delete(fd)
        return close(fd)
      },
      seek: answer('seek', (open, offset: bigint, whence: number, result: number) =>
        this.#seek(open, offset, whence, result),
      ),
      read: answer('read', (open, vectors: number, count: number, result: number) =>
        this.#read(open, vectors, count, result),
      ),
      write: answer('write', (open, vectors: number, count: number, result: number) =>
        this.#write(open, vectors, count, result),
      ),
      ftruncate: answer('ftruncate', (open, size: bigint) => {
        // Unlike WASI's calls this one returns its errors as negative numbers.
        return -attempt(() => open.file.truncate(Number(size)))
      }),
    }
    const wrapped = Object.entries(ours).map(([call, answered]) => [IMPORTS[call as Call], answered])
    return { [namespace!]: { ...known, ...Object.fromEntries(wrapped) } } as WebAssembly.Imports
  }

  #seek(open: Descriptor, offset: bigint, whence: number, result: number): number {
    const base = whence === 0 ? 0 : whence === 1 ? open.position : open.file.size
    const position = base + Number(offset)
    if (position < 0) return INVALID
    open.position = position
    this.#heap.setInt64(result, position)
    return 0
  }

  #read(open: Descriptor, vectors: number, count: number, result: number): number {
    const heap = this.#heap
    let total = 0
    for (let i = 0; i < count; i++) {
      const length = heap.getUint32(vectors + i * 8 + 4)
      const done = open.file.read(open.position, heap.bytes, heap.getUint32(vectors + i * 8), length)
      open.position += done
      total += done
      if (done < length) break
    }
    heap.setUint32(result, total)
    return 0
  }

  #write(open: Descriptor, vectors: number, count: number, result: number): number {
    const heap = this.#heap
    let total = 0
    for (let i = 0; i < count; i++) {
      const at = heap.getUint32(vectors + i * 8)
      const length = heap.getUint32(vectors + i * 8 + 4)
      const failed = attempt(() => open.file.write(open.position, heap.bytes, at, length))
      if (failed) return failed
      open.position += length
      total += length
    }
    heap.setUint32(result, total)
    return 0
  }
}

/**
 * An exception must not pass through SQLite's frames: it would leave them half done. The file throws only when there
 * is no memory for it to grow; as "disk full" SQLite can roll that back.
 */
function attempt(change: () => void): number {
  try {
    change()
    return 0
  } catch {
    return NO_SPACE
  }
}
