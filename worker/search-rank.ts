// How well a row matches, by what FTS4 tells of it: BM25, which prefers rare words, several of them, and short texts.

/** What ten times the same word counts more than once, and how much a long text is held against a row. */
const SATURATION = 1.2
const LENGTH = 0.75

/** `info`: matchinfo 'pcnalx'. `weights`: of each column of the index. Above 0 for every match. */
export function rankOf(info: Uint8Array<ArrayBuffer>, weights: readonly number[]): number {
  const numbers = new Uint32Array(info.buffer, info.byteOffset, info.byteLength >> 2)
  const phrases = numbers[0]!
  const columns = numbers[1]!
  const rows = numbers[2]!
  const averages = 3
  const lengths = averages + columns
  const hits = lengths + columns
  let rank = 0
  for (let phrase = 0; phrase < phrases; phrase++) {
    for (let column = 0; column < columns; column++) {
      const at = hits + 3 * (phrase * columns + column)
      const here = numbers[at]!
      if (here === 0) continue
      const inRows = numbers[at + 2]!
      // Of a word that more than half of the rows have, less than of another, but never nothing.
      const rarity = Math.log(1 + Math.max(0, rows - inRows + 0.5) / (inRows + 0.5))
      const length = numbers[lengths + column]! / Math.max(1, numbers[averages + column]!)
      const frequency = (here * (SATURATION + 1)) / (here + SATURATION * (1 - LENGTH + LENGTH * length))
      rank += weights[column]! * rarity * frequency
    }
  }
  return rank
}
