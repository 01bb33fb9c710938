// Which form of date a column holds, told by its values: a declared DATETIME says nothing of it.
import { present, type ColumnFacts, type TextForm, type ValueFacts } from './facts.js'
import { count, listed, quoted } from './quote.js'

export type DateForm = 'ms' | 'seconds' | 'text'

export interface DateFinding {
  /** null: no form of t.date() reads these values. */
  readonly form: DateForm | null
  readonly notes: readonly string[]
}

/** From 1973 to 2286, in seconds and in milliseconds: dates written as 20260131 are in neither. */
const SECONDS = [1e8, 1e10] as const
const MILLISECONDS = [1e11, 1e13] as const

const DAY = '9999-99-99'
/** What t.date() writes. */
const FULL = `${DAY}T99:99:99.999Z`
const ISO = /^9999-99-99(?:T99:99(?::99(?:\.9{1,3})?)?(?:Z|[+-]99:99)?)?$/
const WITH_BLANK = /^9999-99-99 99:99(?::99(?:\.9+)?)?$/

export function dateForm(table: string, column: ColumnFacts): DateFinding {
  const { values } = column
  const { integers, texts } = values
  const known = present(values)
  if (known === 0) {
    const made = formOfDefault(column)
    if (made !== undefined) return made === null ? withBlank(table, column.name, []) : { form: made, notes: [] }
    return { form: 'text', notes: ['has no value to tell the form of its dates: taken for ISO text'] }
  }
  if (texts === known) return textForm(table, column.name, values)
  if (integers === known) {
    if (isWithin(values, SECONDS)) return { form: 'seconds', notes: [] }
    if (isWithin(values, MILLISECONDS)) return { form: 'ms', notes: [] }
    return { form: null, notes: ['holds integers that are neither seconds nor milliseconds since 1970 throughout'] }
  }
  if (texts === 0 && values.blobs === 0)
    return { form: null, notes: ['holds numbers that are no seconds or milliseconds'] }
  const kinds = [
    texts > 0 ? count(texts, 'text') : '',
    integers + values.reals > 0 ? count(integers + values.reals, 'number') : '',
    values.blobs > 0 ? count(values.blobs, 'blob') : '',
  ]
  return {
    form: null,
    notes: [`holds dates of several forms: ${listed(kinds.filter(Boolean))}; reads give each as it is`],
  }
}

function isWithin({ min, max }: ValueFacts, [from, to]: readonly [number, number]): boolean {
  return min !== null && max !== null && min >= from && max < to
}

function textForm(table: string, name: string, { texts, forms }: ValueFacts): DateFinding {
  const like = (pattern: RegExp) => forms.filter(({ form }) => pattern.test(form))
  const valid = (some: readonly TextForm[]) => some.reduce((sum, { rows, invalid }) => sum + rows - invalid, 0)
  const iso = like(ISO)
  const wrong = texts - valid(iso)
  if (wrong === 0) return { form: 'text', notes: isoNotes(table, name, iso) }
  if (wrong === valid(like(WITH_BLANK))) return withBlank(table, name, iso)
  const shown = forms.map(({ form }) => form).find(form => /^[9 /.:TZ+-]+$/.test(form) && !ISO.test(form))
  const such = shown === undefined ? '' : `, such as ${shown} (9 is any digit)`
  const what = wrong === 1 ? 'is no date' : 'are no dates'
  return { form: null, notes: [`holds ${count(wrong, 'text')} that ${what} of the calendar in ISO form${such}`] }
}

/** What t.date() reads, but does not write. */
function isoNotes(table: string, name: string, iso: readonly TextForm[]): string[] {
  const notes: string[] = []
  if (iso.some(({ form }) => form.includes('T') && !/Z|[+-]99:99$/.test(form))) {
    notes.push('holds times without a zone, which are read as local time')
  }
  if (iso.some(({ form }) => form !== FULL)) {
    const text = 'holds dates in another form than t.date() writes; filters compare texts, so $eq does not find them'
    notes.push(`${text}. As one form: ${toFull(table, name)}`)
  }
  return notes
}

function withBlank(table: string, name: string, iso: readonly TextForm[]): DateFinding {
  const text = `holds dates with a blank between day and time${iso.length > 0 ? ' in some rows' : ''}`
  return { form: null, notes: [`${text}, which t.date() does not read. As ISO text: ${toFull(table, name)}`] }
}

/** Takes a time without a zone for one in UTC, as SQLite does. */
function toFull(table: string, name: string): string {
  const column = quoted(name)
  return `UPDATE ${quoted(table)} SET ${column} = strftime('%Y-%m-%dT%H:%M:%fZ', ${column})`
}

/** What its DEFAULT makes; null for a text with a blank, undefined where it tells nothing. */
function formOfDefault(column: ColumnFacts): DateForm | null | undefined {
  const { defaultValue } = column
  if (typeof defaultValue === 'string' && WITH_BLANK.test(toForm(defaultValue))) return null
  return FORMS.find(form => makesForm(column, form))
}

const FORMS: readonly DateForm[] = ['text', 'seconds', 'ms']
const toForm = (text: string) => text.replaceAll(/\d/g, '9')

/** Whether what the DEFAULT makes is a date of this form. SQLite makes numbers of texts that look like one. */
export function makesForm({ defaultValue }: ColumnFacts, form: DateForm): boolean {
  if (form === 'text') return typeof defaultValue === 'string' && ISO.test(toForm(defaultValue))
  const [from, to] = form === 'seconds' ? SECONDS : MILLISECONDS
  return /^\d+$/.test(String(defaultValue)) && Number(defaultValue) >= from && Number(defaultValue) < to
}
