// The key of an operation: equal text for equal arguments, whatever the order of their properties.

/** Canonical text of anything an operation can hold: dates, bigints and bytes told apart, undefined left out. */
export function canonicalKey(value: unknown): string {
  if (value === undefined) return 'u'
  if (typeof value === 'bigint') return `n${value}`
  if (typeof value === 'number') return String(value)
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? typeof value
  if (value instanceof Date) return `d${value.getTime()}`
  if (value instanceof ArrayBuffer) return canonicalKey(new Uint8Array(value))
  if (value instanceof Uint8Array) return `b${value.join(',')}`
  if (Array.isArray(value)) return `[${value.map(canonicalKey).join(',')}]`
  const entries = Object.entries(value).filter(([, v]) => v !== undefined)
  entries.sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([k, v]) => `${JSON.stringify(k)}:${canonicalKey(v)}`).join(',')}}`
}
