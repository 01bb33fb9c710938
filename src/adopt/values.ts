// What the columns of a table hold: counted by SQLite, since a declared type says little in a table that is not STRICT.
import {
  isDateType,
  isJsonType,
  type ColumnFacts,
  type Query,
  type SqlCell,
  type TextForm,
  type ValueFacts,
} from './facts.js'
import { quoted } from './quote.js'

export type Declared = Pick<ColumnFacts, 'name' | 'type' | 'generated'>

/** SQLite gives at most 2000 results in a row. */
const COLUMNS_AT_ONCE = 100
/** More forms than that are no dates. */
const MOST_FORMS = 20

const NOTHING: ValueFacts = {
  nulls: 0,
  integers: 0,
  reals: 0,
  texts: 0,
  blobs: 0,
  min: null,
  max: null,
  longest: 0,
  notJson: 0,
  spacedJson: 0,
  forms: [],
}

/** One scan of the table for each hundred columns, and one for each column of text dates. */
export async function readValues(
  query: Query,
  table: string,
  columns: readonly Declared[],
): Promise<{ rows: number; values: ValueFacts[] }> {
  let rows = 0
  const values: ValueFacts[] = []
  for (let from = 0; from === 0 || from < columns.length; from += COLUMNS_AT_ONCE) {
    const some = columns.slice(from, from + COLUMNS_AT_ONCE)
    const counted = some.flatMap(({ name, type, generated }, i) =>
      generated ? [] : aggregates(quoted(name), isJsonType(type)).map((sql, k) => `${sql} AS v${i}_${k}`),
    )
    const [row] = await query(`SELECT count(*) AS n${counted.map(sql => `, ${sql}`).join('')} FROM ${quoted(table)}`)
    rows = Number(row!.n)
    for (const [i, column] of some.entries()) {
      const facts = column.generated ? NOTHING : toFacts(k => row![`v${i}_${k}`] ?? null)
      const forms = isDateType(column.type) && facts.texts > 0 ? await readForms(query, table, column.name) : []
      values.push({ ...facts, forms })
    }
  }
  return { rows, values }
}

const STORAGE = ['null', 'integer', 'real', 'text', 'blob'] as const

function aggregates(column: string, isJson: boolean): string[] {
  const text = `typeof(${column}) = 'text'`
  const integer = `CASE typeof(${column}) WHEN 'integer' THEN ${column} END`
  return [
    ...STORAGE.map(storage => `total(typeof(${column}) = '${storage}')`),
    `min(${integer})`,
    `max(${integer})`,
    `max(CASE WHEN ${text} THEN length(${column}) END)`,
    ...(isJson
      ? [
          `total(${text} AND NOT json_valid(${column}))`,
          `total(CASE WHEN ${text} AND json_valid(${column}) THEN json(${column}) <> ${column} END)`,
        ]
      : []),
  ]
}

function toFacts(at: (k: number) => SqlCell): ValueFacts {
  const bound = (k: number) => at(k) as number | bigint | null
  return {
    nulls: Number(at(0)),
    integers: Number(at(1)),
    reals: Number(at(2)),
    texts: Number(at(3)),
    blobs: Number(at(4)),
    min: bound(5),
    max: bound(6),
    longest: Number(at(7)),
    notJson: Number(at(8)),
    spacedJson: Number(at(9)),
    forms: [],
  }
}

/** SQLite takes 30 February for 2 March, and the hour 24 for one of the next day. */
async function readForms(query: Query, table: string, name: string): Promise<TextForm[]> {
  const column = quoted(name)
  const form = Array.from('012345678').reduce((sql, digit) => `replace(${sql}, '${digit}', '9')`, column)
  const day = `substr(${column}, 1, 10)`
  const valid = `date(${day}) IS ${day} AND julianday(${column}) IS NOT NULL AND substr(${column}, 12, 2) < '24'`
  const rows = await query(
    `SELECT ${form} AS form, count(*) AS n, total(NOT (${valid})) AS invalid FROM ${quoted(table)}
     WHERE typeof(${column}) = 'text' GROUP BY form ORDER BY n DESC LIMIT ${MOST_FORMS}`,
  )
  return rows.map(row => ({ form: String(row.form), rows: Number(row.n), invalid: Number(row.invalid) }))
}
