// The text of a source, piece by piece: bytes are decoded as they come, a character may stand across two of them.

export type TextSource = Blob | Response | ReadableStream<Uint8Array> | AsyncIterable<string> | string

/** Bytes that were read, and of how many if that is known. */
export interface Extent {
  bytes?: number
  total?: number
}

export class NotUtf8 extends Error {}

/** A text is taken in pieces of so many characters. */
const PIECE = 64 * 1024

/** null for what is no source. Notes in `extent` how far it is. */
export function textsOf(source: unknown, extent: Extent): AsyncIterable<string> | null {
  if (typeof source === 'string') return piecesOf(source)
  if (source instanceof Blob) {
    extent.total = source.size
    return decode(source.stream(), extent)
  }
  if (source instanceof Response) {
    if (!source.ok) throw new Error(`the server has answered with ${source.status}`)
    return source.body ? decode(source.body, extent) : piecesOf('')
  }
  if (source instanceof ReadableStream) return decode(source as ReadableStream<Uint8Array>, extent)
  const iterable = typeof source === 'object' && source !== null && Symbol.asyncIterator in source
  return iterable ? checkTexts(source as AsyncIterable<unknown>) : null
}

async function* piecesOf(text: string): AsyncGenerator<string> {
  for (let at = 0; at < text.length; at += PIECE) yield text.slice(at, at + PIECE)
}

async function* checkTexts(source: AsyncIterable<unknown>): AsyncGenerator<string> {
  for await (const text of source) {
    if (typeof text !== 'string') throw new TypeError('the iterable gives something that is no string')
    yield* piecesOf(text)
  }
}

async function* decode(stream: ReadableStream<Uint8Array>, extent: Extent): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  const reader = stream.getReader()
  extent.bytes = 0
  let ended = false
  try {
    for (;;) {
      const { done, value } = await reader.read()
      ended = done
      yield* piecesOf(decodeWith(decoder, value, !done))
      if (done) return
      extent.bytes += value.length
    }
  } finally {
    // Whoever asks for no more has its own reason; what the stream says to it is not wanted either.
    if (!ended) await reader.cancel().catch(() => {})
  }
}

function decodeWith(decoder: TextDecoder, bytes: Uint8Array | undefined, stream: boolean): string {
  try {
    return decoder.decode(bytes as BufferSource | undefined, { stream })
  } catch (cause) {
    throw new NotUtf8('the bytes are no UTF-8', { cause })
  }
}
