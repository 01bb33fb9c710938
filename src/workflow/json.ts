// Parameters of a built workflow as JSON: what JSON cannot hold is tagged.
import { isIsoDate, isObject } from '../shared/codec.js'
import { DataFlowError } from '../shared/errors.js'

type Tag = '$date' | '$bigint' | '$bytes' | '$number' | '$object'
const TAGS: readonly string[] = ['$date', '$bigint', '$bytes', '$number', '$object'] satisfies Tag[]

const MAX_DEPTH = 100

/** A copy that JSON can hold. Throws BAD_WORKFLOW for a function, a cycle, or an object of a class. */
export function toJson(value: unknown, above: readonly unknown[] = []): unknown {
  if (value === undefined || value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number') return Number.isFinite(value) ? value : { $number: String(value) }
  if (typeof value === 'bigint') return { $bigint: String(value) }
  if (value instanceof Date && !Number.isNaN(value.getTime())) return { $date: value.toISOString() }
  if (value instanceof ArrayBuffer) return toJson(new Uint8Array(value))
  if (value instanceof Uint8Array) return { $bytes: toBase64(value) }
  if (above.includes(value) || above.length > MAX_DEPTH) throw bad('A parameter is a cycle, or nested too deep.')
  const inside = [...above, value]
  if (Array.isArray(value)) {
    return Array.from(value, item => {
      if (item === undefined) throw bad('An item of a list is undefined.')
      return toJson(item, inside)
    })
  }
  const prototype = isObject(value) ? Object.getPrototypeOf(value) : undefined
  if (prototype === undefined || (prototype !== null && Object.getPrototypeOf(prototype) !== null)) {
    throw bad('A parameter is no plain data.')
  }
  const entries = Object.entries(value as object).map(([name, inner]) => [name, toJson(inner, inside)])
  const copy = Object.fromEntries(entries.filter(([, inner]) => inner !== undefined)) as object
  return tagOf(copy) === undefined ? copy : { $object: copy }
}

/** What `toJson` was given; also when it has been through JSON. Throws BAD_WORKFLOW. */
export function fromJson(value: unknown, depth = 0): unknown {
  if (depth > MAX_DEPTH) throw bad('A parameter is nested too deep.')
  if (Array.isArray(value)) return value.map(item => fromJson(item, depth + 1))
  if (!isObject(value)) return value
  const tag = tagOf(value)
  const content = tag && value[tag]
  switch (tag) {
    case '$object':
      return plain(content, depth)
    case '$date': {
      const date = new Date(content as string)
      if (typeof content === 'string' && isIsoDate(content) && !Number.isNaN(date.getTime())) return date
      break
    }
    case '$bigint':
      if (typeof content === 'string' && /^-?\d{1,20}$/.test(content)) return BigInt(content)
      break
    case '$bytes':
      if (typeof content === 'string') return fromBase64(content)
      break
    case '$number':
      if (['Infinity', '-Infinity', 'NaN'].includes(content as string)) return Number(content)
      break
    default:
      return plain(value, depth)
  }
  throw bad(`A parameter is a ${tag} without its content.`)
}

function plain(value: unknown, depth: number): unknown {
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, fromJson(inner, depth + 1)]))
}

function tagOf(value: object): Tag | undefined {
  const [name, ...others] = Object.keys(value)
  return name !== undefined && others.length === 0 && TAGS.includes(name) ? (name as Tag) : undefined
}

function toBase64(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return btoa(text)
}

function fromBase64(text: string): Uint8Array {
  try {
    return Uint8Array.from(atob(text), character => character.charCodeAt(0))
  } catch {
    throw bad('A parameter is bytes that are no base64.')
  }
}

function bad(text: string): DataFlowError {
  const hint = 'parameters are texts, numbers, booleans, dates, bytes, bigints, and lists and objects of them.'
  return new DataFlowError('BAD_WORKFLOW', text, { op: 'workflow', hint })
}
