// XXH32: four independent lanes, so it keeps up with the reading of a large database (about 0.3 ms per MB), which CRC-32
// and the asynchronous SHA-256 of WebCrypto do not. It finds accidents, not forgery; AES-GCM is for that.

const P1 = 0x9e3779b1
const P2 = 0x85ebca77
const P3 = 0xc2b2ae3d
const P4 = 0x27d4eb2f
const P5 = 0x165667b1

export function xxh32(bytes: Uint8Array, seed = 0): number {
  const length = bytes.length
  const words = wordsOf(bytes)
  let word = 0
  let hash: number
  if (length >= 16) {
    let a = (seed + P1 + P2) | 0
    let b = (seed + P2) | 0
    let c = seed | 0
    let d = (seed - P1) | 0
    for (const end = (length >>> 4) << 2; word < end; word += 4) {
      a = round(a, words[word]!)
      b = round(b, words[word + 1]!)
      c = round(c, words[word + 2]!)
      d = round(d, words[word + 3]!)
    }
    hash = rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18)
  } else {
    hash = seed + P5
  }
  hash = (hash + length) | 0
  for (; word < words.length; word++) hash = Math.imul(rotate((hash + Math.imul(words[word]!, P3)) | 0, 17), P4)
  for (let i = words.length << 2; i < length; i++) {
    hash = Math.imul(rotate((hash + Math.imul(bytes[i]!, P5)) | 0, 11), P1)
  }
  hash = Math.imul(hash ^ (hash >>> 15), P2)
  hash = Math.imul(hash ^ (hash >>> 13), P3)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** A checksum that also covers where the bytes are kept: right bytes under a wrong key are damage too. */
export function checksum(place: readonly (string | number)[], bytes: Uint8Array): number {
  return xxh32(bytes, textChecksum(JSON.stringify(place)))
}

export function textChecksum(text: string): number {
  return xxh32(new TextEncoder().encode(text))
}

function round(lane: number, word: number): number {
  return Math.imul(rotate((lane + Math.imul(word, P2)) | 0, 13), P1)
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits))
}

/** Whole little-endian words; every engine that runs WebAssembly is little-endian. */
function wordsOf(bytes: Uint8Array): Uint32Array {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice()
  return new Uint32Array(aligned.buffer, aligned.byteOffset, bytes.length >>> 2)
}
