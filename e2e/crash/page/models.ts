// The models, and the content of their rows: who knows n, v and the length knows every character.
import { model, sql, t } from 'dataflow-edge'

const content = () => ({
  id: t.id(),
  /** Not unique: a write done twice has to show. */
  n: t.integer().index(),
  /** The number of the call that wrote the content. */
  v: t.integer(),
  body: t.text(),
  sum: t.integer(),
  /** Counted by the library, so that an update done twice shows. */
  rev: t.version(),
})

/** As many of the added columns, the newest, have an index: older ones lose theirs. */
const INDEXED = 3

/** The n-th release. Every one brings each kind of change: the rows that are judged come through all of them. */
export function modelsWith(release: number) {
  const added = Array.from({ length: release }, (_, i) => {
    const field = t.integer().default(i + 1)
    return [`c${i + 1}`, release - i <= INDEXED ? field.index() : field]
  })
  const isOdd = release % 2 === 1
  // Under another name, and of another type, with another default and another check, in each release.
  const kind = isOdd ? t.real() : t.integer()
  const extra = kind
    .default(7 + release)
    .check(sql<boolean>`${sql.id(`extra${release}`)} > ${-release}`)
    .column(`extra${release}`)
    .renamedFrom(...Array.from({ length: release }, (_, i) => `extra${i}`))
  // Let go and taken back.
  const spare = isOdd ? {} : { spare: t.text().default('kept') }
  return {
    owners: model('Owner', content()),
    items: model('Item', { ...content(), owner: t.ref('Owner', { onDelete: 'cascade' }).nullable() }),
    notes: model(
      'Note',
      { ...content(), extra, ...(spare as {}), ...(Object.fromEntries(added) as {}) },
      isOdd ? { indexes: [{ on: [{ v: 'desc' }, 'n'], where: sql<boolean>`v > 1` }] } : {},
    ),
    // A model that changes its name and its table.
    tags: model(
      isOdd ? 'Label' : 'Tag',
      { id: t.id() },
      { table: `tags${release}`, renamedFrom: isOdd ? 'Tag' : 'Label' },
    ),
  }
}

/** The data steps of all releases so far: SQL's and the page's. None changes what a row is judged by. */
export function dataSteps(release: number) {
  return Array.from({ length: release }, (_, i) => ({
    id: `release ${i + 1}`,
    up:
      i % 2 === 0
        ? sql`UPDATE notes SET v = v WHERE n % 10 = 0`
        : async (tx: { sql: (strings: TemplateStringsArray) => Promise<unknown[]> }) => {
            await tx.sql`UPDATE owners SET v = v`
            await tx.sql`UPDATE items SET v = v WHERE n % 10 = 0`
          },
  }))
}

const POOL = randomText(1 << 20)

export function contentOf(n: number, v: number, size: number): { n: number; v: number; body: string; sum: number } {
  const head = `${n}.${v}:`
  const start = (Math.imul(n, 0x9e3779b1) ^ Math.imul(v, 0x85ebca6b)) >>> 0
  const body = (head + POOL.slice(start % (POOL.length >> 1))).slice(0, Math.max(size, head.length))
  if (body.length < size) throw new Error(`No body of ${size} characters`)
  return { n, v, body, sum: checksum(body) }
}

export function isWhole(row: { n: number; v: number; body: string; sum: number }): boolean {
  const { body, sum } = contentOf(row.n, row.v, row.body.length)
  return row.body === body && row.sum === sum
}

function checksum(text: string): number {
  let sum = 0x811c9dc5
  for (let i = 0; i < text.length; i++) sum = Math.imul(sum ^ text.charCodeAt(i), 0x01000193)
  return sum >>> 0
}

/** The same in every page: what one browser wrote the next one has to recognise. */
function randomText(length: number): string {
  const codes = new Uint16Array(length)
  let state = 1
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    codes[i] = 32 + ((state >>> 24) % 90)
  }
  return new TextDecoder('utf-16le').decode(codes)
}
