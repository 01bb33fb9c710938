// Names of tables and columns -> names of models, accessors and fields. A name that can stay as it is, stays.

const IDENTIFIER = /^[A-Za-z][A-Za-z0-9_]*$/

/** Gives each name once; what differs only by case is one name to SQLite, and to whoever reads the code. */
class Names {
  readonly #taken = new Set<string>()

  /** `wanted`, or with a number behind it. */
  take(wanted: string): string {
    const base = /\d$/.test(wanted) ? `${wanted}_` : wanted
    let name = wanted
    for (let n = 2; this.#taken.has(name.toLowerCase()); n++) name = `${base}${n}`
    this.#taken.add(name.toLowerCase())
    return name
  }
}

/** The fields of these columns: first come those whose name needs no change. */
export function fieldNames(columns: readonly string[], reserved: Iterable<string>): ReadonlyMap<string, string> {
  const refused = new Set(Array.from(reserved, name => name.toLowerCase()))
  const names = new Names()
  const isRefused = (name: string) => refused.has(name.toLowerCase())
  const kept = columns.filter(column => IDENTIFIER.test(column) && !isRefused(column))
  const given = new Map(kept.map(column => [column, names.take(column)]))
  columns.forEach((column, i) => {
    if (given.has(column)) return
    const name = IDENTIFIER.test(column) ? column : toCamel(column, 'column', i)
    given.set(column, names.take(isRefused(name) ? `${name}_` : name))
  })
  return given
}

export interface TableNames {
  readonly model: string
  readonly accessor: string
}

// Names that code after it, or who imports it, still needs with their own meaning.
const GLOBALS = new Set(
  'Array BigInt Blob Boolean Date Error File Function Infinity JSON Map Math NaN Number Object Promise RegExp Set String'.split(
    ' ',
  ),
)

/** `reserved` are accessors that a database has for itself. */
export function tableNames(tables: readonly string[], reserved: Iterable<string>): ReadonlyMap<string, TableNames> {
  const refused = new Set(reserved)
  const models = new Names()
  const accessors = new Names()
  const needsChange = (table: string) => !IDENTIFIER.test(table)
  const given = new Map<string, TableNames>()
  const give = (table: string, i: number): void => {
    const camel = toCamel(table, 'table', i)
    const model = camel[0]!.toUpperCase() + camel.slice(1)
    const accessor = lowerFirst(camel)
    given.set(table, {
      model: models.take(GLOBALS.has(model) ? `${model}Row` : model),
      accessor: accessors.take(refused.has(accessor) ? `${accessor}Table` : accessor),
    })
  }
  tables.forEach((table, i) => needsChange(table) || give(table, i))
  tables.forEach((table, i) => needsChange(table) && give(table, i))
  return given
}

/** `ORDER` and `Order` become `order`, `URLList` becomes `urlList`. */
function lowerFirst(name: string): string {
  return name.replace(/^[A-Z]+(?![a-z])|^[A-Z]/, letters => letters.toLowerCase())
}

/** `Order Details` -> `OrderDetails`, `unit-price` -> `unitPrice`, `2nd` -> `column2nd`. */
function toCamel(name: string, noun: string, at: number): string {
  // Letters without their accents; what has no Latin letter is left out.
  const plain = name
    .normalize('NFKD')
    .replaceAll('ß', 'ss')
    .replaceAll(/\p{M}|(?![A-Za-z])\p{L}/gu, '')
  const cased = /[a-z]/.test(plain) ? plain : plain.toLowerCase()
  const words = cased.split(/[^A-Za-z0-9]+/).filter(Boolean)
  const joined = words.map((word, i) => (i === 0 ? word : word[0]!.toUpperCase() + word.slice(1))).join('')
  if (joined === '') return `${noun}${at + 1}`
  return /^\d/.test(joined) ? `${noun}${joined}` : joined
}
