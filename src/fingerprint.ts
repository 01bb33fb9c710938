// What tells the worker that the models are those it knows already, without hashing each of them there.
import type { ModelDefinition } from './shared/definition.js'

/** Equal for equal models only. null where the browser does not hash (outside a secure context). */
export async function fingerprintOf(models: readonly ModelDefinition[]): Promise<string | null> {
  const bytes = new TextEncoder().encode(JSON.stringify(models, exact))
  const hash = await globalThis.crypto?.subtle?.digest('SHA-256', bytes)
  return hash ? Array.from(new Uint8Array(hash), byte => byte.toString(16).padStart(2, '0')).join('') : null
}

/** What JSON refuses, or writes as null: a default can be a bigint or an infinity. */
function exact(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return { bigint: String(value) }
  return typeof value === 'number' && !Number.isFinite(value) ? { number: String(value) } : value
}
