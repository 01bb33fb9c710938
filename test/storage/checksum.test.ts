import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checksum, xxh32 } from '../../worker/storage/checksum.js'

const text = (s: string): Uint8Array => new TextEncoder().encode(s)

/** XXH32's own test data: a generator seeded with PRIME32, and the sums its sanity check publishes for it. */
function sanityBuffer(length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  let generator = 2654435761n
  for (let i = 0; i < length; i++) {
    bytes[i] = Number(generator >> 56n)
    generator = BigInt.asUintN(64, generator * 11400714785074694797n)
  }
  return bytes
}

test.each([
  [0, 0, 0x02cc5d05],
  [0, 0x9e3779b1, 0x36b78ae7],
  [1, 0, 0xcf65b03e],
  [1, 0x9e3779b1, 0xb4545aa4],
  [14, 0, 0x1208e7e2],
  [14, 0x9e3779b1, 0x6af1d1fe],
  [222, 0, 0x5bd11dbd],
  [222, 0x9e3779b1, 0x58803c5f],
])('gives the published sum of %i bytes with seed %i', (length, seed, sum) => {
  expect(xxh32(sanityBuffer(length), seed)).toBe(sum)
})

test('gives the published sums of texts', () => {
  expect(xxh32(text('a'))).toBe(0x550d7456)
  expect(xxh32(text('abc'))).toBe(0x32d153ff)
  expect(xxh32(text('Nobody inspects the spammish repetition'))).toBe(0xe2293b2f)
})

test('does not depend on where the bytes lie in their buffer', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.integer({ min: 0, max: 7 }), (bytes, offset) => {
      const shifted = new Uint8Array(bytes.length + 8)
      shifted.set(bytes, offset)
      expect(xxh32(shifted.subarray(offset, offset + bytes.length))).toBe(xxh32(bytes))
    }),
  )
})

test('covers the place', () => {
  const bytes = text('the same bytes')
  expect(checksum(['log', 0, 1], bytes)).not.toBe(checksum(['log', 0, 2], bytes))
  expect(checksum(['log', 0, 1], bytes)).not.toBe(checksum(['base', 0, 1], bytes))
})
