// What every measurement gives.
import type { Bar } from '../harness/bar.mjs'
import type { Browser } from '../harness/browser.mjs'

export interface Table {
  readonly title: string
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** How many times faster than Dexie: for the chart. */
export interface Comparison {
  readonly what: string
  readonly ratio: number
}

export interface Measured {
  /** Every value of every run. */
  readonly raw: unknown
  readonly tables: readonly Table[]
  readonly bars: readonly Bar[]
  readonly chart?: readonly Comparison[]
}

export interface Measure {
  /** For --only. */
  readonly name: string
  run(parts: { browser: Browser; url: string; runs: number }): Promise<Measured>
}
