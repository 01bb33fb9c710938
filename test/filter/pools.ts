// Values that are known to go wrong.

/** Wildcards of every dialect as literals, NULs, the ends of the ranges of code points. */
export const words: readonly string[] = [
  ...' a ab aab A aB b a*b a?b a[b] [ab] a]b a^b a%b a_b a\\b % _ * É é ÉA'.split(' '),
  ...['a\0b', 'a\0', '\0b', 'a\0\0b', 'a😀b', '😀', '\uFFFD', '\uFFFFa', '\u{10000}a', '\u{10FFFF}', '\u{10FFFF}a'],
  ...['\uD7FF', '\uD7FFa', '\uE000', 'a\uD7FF', 'a\uD7FFb', 'a\uE000', 'a\u{10FFFF}', 'a\u{10FFFF}b', "'", '"'],
]

const safe = Number.MAX_SAFE_INTEGER
export const integers: readonly number[] = [
  ...[0, 1, -1, 5, 7, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), -(2 ** 31) - 1, 1e12, safe, safe - 1, -safe],
]
export const bigints: readonly bigint[] = [
  ...[0n, 1n, -7n, 5_000_000_000n, 2n ** 53n, 2n ** 53n + 1n, -(2n ** 53n), -(2n ** 53n) - 1n],
  ...[2n ** 63n - 2n, 2n ** 63n - 1n, -(2n ** 63n), -(2n ** 63n) + 1n],
]
export const reals: readonly number[] = [
  ...[0, 0.1, -0.5, 1, 2 ** 31, 2 ** 53, 2 ** 60 * 1.1, 1234567890123456789, 1e21, 1e-7, 1e300, 5e-324],
  ...[Infinity, -Infinity],
]

const lastTextDate = Date.UTC(9999, 11, 31, 23, 59, 59, 999)
export const dates: readonly Date[] = [
  ...[0, 1, 999, 1000, 1500, -1, -1500, 1.7e12, 1.7e12 + 1, 2 ** 31, -6e13, lastTextDate],
].map(ms => new Date(ms))

export const jsonScalars: readonly unknown[] = [
  ...[null, true, false, 0, 1, -1, 0.1, 1e21, 1e-7, 2 ** 53, 1234567890123456789, 1e300, 2 ** 63, -(2 ** 62) * 1.1],
  ...['', 'a', 'A', '1', 'null', 'true', 'a\0b', '😀', '"', '\\', '\n', 'é', '\uD800', '\uDC00a', '[1]', '{}'],
]
