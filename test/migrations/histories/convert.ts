// What becomes of a value when its column gets another type or another form of date, in plain JavaScript.
import { whole, type ColumnType, type DateForm, type Stored } from './spec.js'

export interface Storage {
  readonly type: ColumnType
  readonly form: DateForm | null
}

/** `lost`: the value is not there any more as it was; `value` is then what CAST makes of it. 'unclear': nobody promised anything. */
export type Converted = { readonly value: Stored; readonly lost: boolean } | 'unclear'

const kept = (value: Stored): Converted => ({ value, lost: false })
const lost = (value: Stored): Converted => ({ value, lost: true })

const INT64_MAX = 2n ** 63n - 1n
const INT64_MIN = -(2n ** 63n)
const isInt64 = (value: bigint) => value >= INT64_MIN && value <= INT64_MAX
const clamp = (value: bigint) => whole(value > INT64_MAX ? INT64_MAX : value < INT64_MIN ? INT64_MIN : value)

export function convert(value: Stored, from: Storage, to: Storage): Converted {
  if (value === null) return kept(null)
  if (from.form && to.form) return from.form === to.form ? kept(value) : convertDate(value, from.form, to.form)
  // A text becomes a date, or a date's text a number: no rule says what that would mean.
  if (to.form === 'text') return 'unclear'
  if (from.form === 'text' && to.type !== 'TEXT' && to.type !== 'BLOB') return 'unclear'
  if (from.type === to.type) return kept(value)
  switch (to.type) {
    case 'INTEGER':
      return toInteger(value, from.type)
    case 'REAL':
      return toReal(value, from.type)
    case 'TEXT':
      return toText(value, from.type)
    case 'BLOB':
      return toBlob(value, from.type)
  }
}

function convertDate(value: Exclude<Stored, null>, from: DateForm, to: DateForm): Converted {
  const parsed = from === 'text' ? Date.parse(value as string) : null
  if (Number.isNaN(parsed)) return 'unclear'
  const ms = parsed !== null ? BigInt(parsed) : BigInt(value as number | bigint) * (from === 'seconds' ? 1000n : 1n)
  if (to === 'ms') return isInt64(ms) ? kept(whole(ms)) : 'unclear'
  if (to === 'seconds') {
    if (ms % 1000n === 0n) return kept(whole(ms / 1000n))
    return ms > 0n ? lost(whole(ms / 1000n)) : 'unclear'
  }
  const date = new Date(Number(ms))
  const inYears = !Number.isNaN(date.getTime()) && date.getUTCFullYear() >= 0 && date.getUTCFullYear() <= 9999
  return inYears ? kept(date.toISOString()) : lost(null)
}

const WHOLE = /^(0|-?[1-9]\d*)$/
const JSON_REAL = /^-?(0|[1-9]\d*)(\.\d+(e[+-]?\d+)?|e[+-]?\d+)$/i
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?/i

function toInteger(value: Stored, from: ColumnType): Converted {
  if (from === 'REAL') {
    const real = value as number
    if (!Number.isFinite(real)) return lost(clamp(real > 0 ? INT64_MAX : INT64_MIN))
    const cut = BigInt(Math.trunc(real))
    return Number.isInteger(real) && isInt64(cut) ? kept(whole(cut)) : lost(clamp(cut))
  }
  const text = textOf(value)
  const cast = clamp(BigInt(/^\s*\+?(-?\d+)/.exec(text)?.[1] ?? '0'))
  const isExact = from === 'TEXT' && WHOLE.test(text) && isInt64(BigInt(text))
  return isExact ? kept(cast) : lost(cast)
}

const isWithinReal = (n: bigint) => n <= 2n ** 53n && n >= -(2n ** 53n)

function toReal(value: Stored, from: ColumnType): Converted {
  if (from === 'INTEGER') {
    const n = BigInt(value as number | bigint)
    const cast = Number(n)
    return isWithinReal(n) ? kept(cast) : lost(cast)
  }
  const text = textOf(value)
  const cast = Number(NUMBER.exec(text.trimStart())?.[0] ?? '0') + 0
  if (from !== 'TEXT') return lost(cast)
  // '007' is no number, and 2^53 + 1 no REAL.
  if (WHOLE.test(text)) return isWithinReal(BigInt(text)) ? kept(cast) : lost(cast)
  return JSON_REAL.test(text) ? kept(cast) : lost(cast)
}

function toText(value: Stored, from: ColumnType): Converted {
  if (from === 'INTEGER') return kept(String(value))
  if (from === 'REAL') {
    const text = realText(value as number)
    return text === null ? 'unclear' : Number.isFinite(value) ? kept(text) : lost(text)
  }
  const blob = value as Uint8Array
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(blob)
    return text.includes('\0') ? lost(text) : kept(text)
  } catch {
    return lost(textOf(blob))
  }
}

function toBlob(value: Stored, from: ColumnType): Converted {
  const text = from === 'REAL' ? realText(value as number) : textOf(value)
  if (text === null) return 'unclear'
  const blob = new Uint8Array(new TextEncoder().encode(text))
  return from === 'TEXT' ? kept(blob) : lost(blob)
}

const textOf = (value: Stored): string =>
  value instanceof Uint8Array ? new TextDecoder('utf-8', { ignoreBOM: true }).decode(value) : String(value)

/** A REAL as SQLite writes it: the shortest text that reads back as the same number; null where it may be another. */
function realText(value: number): string | null {
  if (!Number.isFinite(value)) return value > 0 ? 'Inf' : '-Inf'
  const exponent = value === 0 ? 0 : Math.floor(Math.log10(Math.abs(value)))
  if (exponent >= -4 && exponent <= 15) return Number.isInteger(value) ? `${value}.0` : String(value)
  const [digits, power] = value.toExponential().split('e')
  // With 16 digits SQLite may find that a 17th is needed, and write another number that reads back as this one.
  if (digits!.replace(/\D/g, '').length === 16) return null
  return `${digits!.includes('.') ? digits : `${digits}.0`}e${power}`
}
