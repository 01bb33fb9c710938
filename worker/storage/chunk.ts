// A chunk of the file as a value of the store, encrypted if the database is. Its place and the last record that it
// contains are part of what is sealed.
import { SEAL_BYTES, type Cipher } from './cipher.js'
import { damaged } from './errors.js'
import { CHUNK_SIZE, decodeChunk, encodeChunk, wholeChunk, type BaseChunk, type Key } from './format.js'

/** What is to be put under `key`. */
export async function sealChunk(key: Key, chunk: BaseChunk, cipher: Cipher): Promise<object> {
  return encodeChunk(key, { ...chunk, bytes: await cipher.seal([...key, chunk.at], chunk.bytes) })
}

/** Rejects with STORAGE_CORRUPT. The chunk has its full length. */
export async function openChunk(key: Key, value: unknown, cipher: Cipher | null): Promise<BaseChunk> {
  const { at, bytes: stored } = decodeChunk(key, value)
  const bytes = cipher ? await cipher.open([...key, at], stored) : stored
  if (bytes.length > CHUNK_SIZE) throw damaged(key, 'its bytes are not a chunk')
  return { at, bytes: wholeChunk(bytes) }
}

/** How many bytes `length` bytes of a file are when they are saved. */
export function sealedLength(length: number, cipher: Cipher | null): number {
  return cipher ? length + SEAL_BYTES : length
}
