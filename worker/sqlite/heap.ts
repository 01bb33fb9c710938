// WASM's memory: views that survive its growth, and text in and out. sql.js's own getString ends at the first NUL and
// drops a byte order mark; here text is what was stored.

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
const encoder = new TextEncoder()

// Calling TextDecoder and TextEncoder costs 0.3-0.6 us in Chromium whatever the length (0.1 in Node). Up to these
// lengths plain JavaScript is faster for ASCII: adding characters, then building from an array; writing one by one.
const READ_BY_ADDING = 12
const READ_BY_ARRAY = 44
const WRITE_BY_LOOP = 128

export class Heap {
  readonly #memory: WebAssembly.Memory
  #bytes: Uint8Array<ArrayBuffer>
  #view: DataView<ArrayBuffer>

  constructor(memory: WebAssembly.Memory) {
    this.#memory = memory
    this.#bytes = new Uint8Array(memory.buffer as ArrayBuffer)
    this.#view = new DataView(memory.buffer as ArrayBuffer)
  }

  /** The whole memory. Not to be kept across a call into WASM: growing detaches it. */
  get bytes(): Uint8Array<ArrayBuffer> {
    if (this.#bytes.length === 0) this.#refresh()
    return this.#bytes
  }

  getUint32(at: number): number {
    return this.#current.getUint32(at, true)
  }

  setUint32(at: number, value: number): void {
    this.#current.setUint32(at, value, true)
  }

  /** For sizes and offsets: never negative, never beyond 2^53. */
  setInt64(at: number, value: number): void {
    const view = this.#current
    view.setUint32(at, value % 0x1_0000_0000, true)
    view.setUint32(at + 4, Math.floor(value / 0x1_0000_0000), true)
  }

  /** The text that ends at the first NUL. */
  cString(at: number): string {
    const bytes = this.bytes
    return at === 0 ? '' : this.text(at, bytes.indexOf(0, at) - at)
  }

  text(at: number, length: number): string {
    const bytes = this.bytes
    const end = at + length
    if (length <= READ_BY_ADDING) {
      let text = ''
      let i = at
      for (let byte; i < end && (byte = bytes[i]!) < 128; i++) text += String.fromCharCode(byte)
      if (i === end) return text
    } else if (length <= READ_BY_ARRAY) {
      let i = at
      while (i < end && bytes[i]! < 128) i++
      if (i === end) return String.fromCharCode.apply(null, bytes.subarray(at, end) as unknown as number[])
    }
    return decoder.decode(bytes.subarray(at, end))
  }

  /** Writes `text` and returns its length in bytes. There must be room for three bytes per character. */
  setText(at: number, text: string): number {
    const bytes = this.bytes
    const length = text.length
    if (length <= WRITE_BY_LOOP) {
      let i = 0
      for (let code; i < length && (code = text.charCodeAt(i)) < 128; i++) bytes[at + i] = code
      if (i === length) return length
    }
    return encoder.encodeInto(text, bytes.subarray(at, at + length * 3)).written
  }

  get #current(): DataView<ArrayBuffer> {
    if (this.#bytes.length === 0) this.#refresh()
    return this.#view
  }

  #refresh(): void {
    this.#bytes = new Uint8Array(this.#memory.buffer as ArrayBuffer)
    this.#view = new DataView(this.#memory.buffer as ArrayBuffer)
  }
}

export function encodeText(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text)
}
