// harness/browser.mjs isolates the page, only so that this clock moves in steps of 5 us and not of 100.

/** Runs `count` operations one after the other; the median time of one, in ms. */
export async function medianOfAwaited(count: number, operation: (i: number) => Promise<unknown>): Promise<number> {
  const times: number[] = []
  for (let i = 0; i < count; i++) times.push(await time(() => operation(i)))
  return median(times)
}

/** Starts `count` operations in one tick; ms until the last is done. */
export function timeAtOnce(count: number, operation: (i: number) => Promise<unknown>): Promise<number> {
  return time(() => Promise.all(Array.from({ length: count }, (_, i) => operation(i))))
}

export async function time(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
