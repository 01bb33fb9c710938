// What a database of some size costs: to write into, to open, to hold, to checkpoint, to encrypt.
import { alternate, median } from '../harness/alternate.mjs'
import { atMost, digits, ms, times } from '../harness/bar.mjs'
import { Browser } from '../harness/browser.mjs'

/** @typedef {import('./measure.js').Measure} Measure */

const SIZES = [0, 10, 100, 500]
const OPENED = [1, 10, 50, 100]
const AWAITED = 100
const KIB = 1024
const kib = (/** @type {number} */ n) => `${digits(n / KIB)} KiB`
const name = (/** @type {number} */ size) => `bench-size-${size}`

/** @type {Measure} */
export const growth = {
  name: 'storage growth',
  async run({ browser, runs }) {
    for (const size of SIZES) await browser.call('fillTo', name(size), size)
    const raw = await alternate(SIZES.map(String), runs, size =>
      browser.call('insertInto', name(Number(size)), AWAITED),
    )
    const inserts = SIZES.map(size => median(raw[size].insert))
    const rows = SIZES.map((size, i) => [`${size} MB`, digits(median(raw[size].megabytes)), digits(inserts[i])])
    return {
      raw,
      tables: [{ title: 'One awaited insert of 2 KB, saved', head: ['', 'base, MiB', 'ms'], rows }],
      bars: SIZES.slice(1).map((size, i) =>
        atMost(`an awaited insert at ${size} MB beside 0`, inserts[i + 1] / inserts[0], 1.3, times),
      ),
    }
  },
}

/** @type {Measure} */
export const opening = {
  name: 'storage opening',
  async run({ browser, runs }) {
    /** @type {Record<string, string>} */
    const ids = {}
    for (const size of OPENED) ids[size] = (await browser.call('fillTo', `bench-open-${size}`, size)).id
    const raw = await alternate(OPENED.map(String), runs, async size => ({
      ...(await browser.call('openUntilRead', `bench-open-${size}`, ids[size])),
      ...(await browser.call('readRaw', `bench-open-${size}`)),
    }))
    const figures = OPENED.map(size => ({
      size: median(raw[size].megabytes),
      open: median(raw[size].open),
      read: median(raw[size].raw),
    }))
    const { log, killed } = await openKilled(browser, runs, ids[10])
    const clean = figures[1]
    return {
      raw: { raw, killed },
      tables: [
        {
          title: 'Opening until the first row is read (ms)',
          head: ['', 'base, MiB', 'log, MiB', 'open', 'its bytes alone'],
          rows: [
            ...figures.map(({ size, open, read }, i) => [
              `${OPENED[i]} MB, closed`,
              digits(size),
              '0',
              digits(open),
              digits(read),
            ]),
            ['10 MB, killed with a full log', digits(clean.size), digits(log), digits(median(killed)), ''],
          ],
        },
      ],
      bars: [
        ...figures.flatMap(({ size, open, read }, i) => [
          atMost(`open ${OPENED[i]} MB: 120 ms + 7 ms per MB`, open, 120 + 7 * size, ms),
          atMost(`open ${OPENED[i]} MB: 1.3 x its bytes alone + 80 ms`, open, 1.3 * read + 80, ms),
        ]),
        atMost(
          'open 10 MB after a kill: the least of these + 25 ms per MiB of log',
          median(killed),
          Math.min(120 + 7 * clean.size, 1.3 * clean.read + 80) + 25 * log,
          ms,
        ),
      ],
    }
  },
}

/** @param {Browser} browser @param {number} runs @param {string} id */
async function openKilled(browser, runs, id) {
  const killed = []
  let log = 0
  // The log stays as it is: opening reads it, closing has nothing to add.
  await browser.call('fillLog', 'bench-open-10', 3.8)
  for (let run = 0; run < runs; run++) {
    const { open, logMegabytes } = await browser.call('openUntilRead', 'bench-open-10', id)
    killed.push(open)
    log = logMegabytes
  }
  return { log, killed }
}

/** @type {Measure} */
export const bytes = {
  name: 'storage bytes',
  async run({ browser }) {
    const empty = (await browser.call('bytesPerInsert', 0, 10_000)).bytes
    const full = (await browser.call('bytesPerInsert', 200_000, 10_000)).bytes
    return {
      raw: { empty, full },
      tables: [
        {
          title:
            'Bytes written for each awaited insert (random uuid, two indexes), checkpoints included: 10 000 inserts',
          head: ['', 'KiB'],
          rows: [
            ['into an empty database', digits(empty / KIB)],
            ['into 200 000 rows', digits(full / KIB)],
          ],
        },
      ],
      bars: [
        atMost('bytes per insert, from empty', empty, 6 * KIB, kib),
        atMost('bytes per insert, into 200 000 rows', full, 24 * KIB, kib),
      ],
    }
  },
}

/** @type {Measure} */
export const memory = {
  name: 'storage memory',
  async run({ url, runs }) {
    const peaks = []
    const afters = []
    let size = 0
    const browser = await Browser.start(url)
    try {
      const { id } = await browser.call('fillTo', 'bench-memory', 100)
      for (let run = 0; run < runs; run++) {
        const seen = await browser.watchMemory('holdOpen', 'bench-memory', id)
        size = seen.result * 2 ** 20
        peaks.push((seen.peak - seen.empty) / size)
        afters.push((seen.after - seen.empty) / size)
      }
    } finally {
      await browser.close()
    }
    return {
      raw: { peaks, afters },
      tables: [
        {
          title: `Memory of the renderer above the empty page, as a multiple of the database (${digits(size / 2 ** 20)} MiB)`,
          head: ['', 'x'],
          rows: [
            ['while opening, at most', digits(median(peaks))],
            ['2 s later', digits(median(afters))],
          ],
        },
      ],
      bars: [
        atMost('memory while opening 100 MB', median(peaks), 1.6, times),
        atMost('memory after opening 100 MB', median(afters), 1.4, times),
      ],
    }
  },
}

/** @type {Measure} */
export const stall = {
  name: 'storage stall',
  async run({ browser }) {
    const sizes = [200, 500]
    /** @type {Record<string, any>} */
    const raw = {}
    for (const size of sizes) {
      await browser.call('fillTo', `bench-stall-${size}`, size)
      raw[size] = await browser.call('stallIn', `bench-stall-${size}`)
    }
    return {
      raw,
      tables: [
        {
          title: 'Awaited inserts of 16 KB while a checkpoint rides along (ms)',
          head: ['', 'longest', 'median', 'inserts', 'longest without', 'median without'],
          rows: sizes.map(size => {
            const { during, medianDuring, steps, outside, medianOutside } = raw[size]
            return [`${size} MB`, ...[during, medianDuring, steps, outside, medianOutside].map(digits)]
          }),
        },
      ],
      bars: sizes.map(size => atMost(`longest insert during a checkpoint at ${size} MB`, raw[size].during, 30, ms)),
    }
  },
}

/** @type {Measure} */
export const encryption = {
  name: 'storage encryption',
  async run({ browser, runs }) {
    const kinds = /** @type {const} */ (['plain', 'encrypted'])
    const options = (/** @type {string} */ kind) => ({ encrypted: kind === 'encrypted' })
    /** @type {Record<string, string>} */
    const ids = {}
    for (const kind of kinds) ids[kind] = (await browser.call('fillTo', `bench-cipher-${kind}`, 20, options(kind))).id
    const raw = await alternate([...kinds], runs, async kind => ({
      ...(await browser.call('openUntilRead', `bench-cipher-${kind}`, ids[kind], options(kind))),
      ...(await browser.call('insertInto', `bench-cipher-${kind}`, AWAITED, options(kind))),
    }))
    const derived = await alternate(['passphrase'], runs, () => browser.call('derive'))
    const [insert, open] = ['insert', 'open'].map(figure => kinds.map(kind => median(raw[kind][figure])))
    return {
      raw: { raw, derived },
      tables: [
        {
          title: 'Encryption at rest, 20 MB (ms)',
          head: ['', 'plain', 'encrypted', 'times'],
          rows: [
            ['one awaited insert of 2 KB', ...insert.map(digits), digits(insert[1] / insert[0])],
            ['opening until the first row is read, the key at hand', ...open.map(digits), digits(open[1] / open[0])],
            ['deriving the key from a passphrase', '', digits(median(derived.passphrase.derive)), ''],
          ],
        },
      ],
      bars: [
        atMost('an awaited insert, encrypted beside plain', insert[1] / insert[0], 1.25, times),
        atMost('opening, encrypted beside plain, without the derivation', open[1] / open[0], 1.5, times),
      ],
    }
  },
}
