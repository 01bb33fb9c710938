// Encryption at rest: AES-256-GCM under a data key that never changes. The head keeps that key wrapped by the app's own
// one, so that a new passphrase wraps 32 bytes anew and no data. What is sealed is bound to the key of its record: no
// record can take the place of another.
import { DataFlowError } from '../../src/shared/errors.js'
import { damaged } from './errors.js'
import type { Key } from './format.js'

/** OWASP's figure for PBKDF2 with SHA-256, about half a second. */
const ROUNDS = 600_000
const NONCE = 12
/** What sealing adds: the nonce and GCM's tag. */
export const SEAL_BYTES = NONCE + 16
const WRAPPING: Key = ['data key']

type Bytes = Uint8Array<ArrayBuffer>

/** What the head says of it; bytes are in base64. */
export interface CipherHead {
  /** How the wrapping key is made of a passphrase; null when the app brings the key itself. */
  readonly derived: { readonly by: 'PBKDF2-SHA-256'; readonly rounds: number; readonly salt: string } | null
  readonly dataKey: string
}

export class Cipher {
  readonly head: CipherHead
  readonly #dataKey: CryptoKey
  readonly #wrapping: CryptoKey

  private constructor(head: CipherHead, dataKey: CryptoKey, wrapping: CryptoKey) {
    this.head = head
    this.#dataKey = dataKey
    this.#wrapping = wrapping
  }

  /** For a database that has no data key yet. `secret` is a key of AES-GCM, or one of PBKDF2 made of a passphrase. */
  static create(secret: CryptoKey): Promise<Cipher> {
    return Cipher.#wrap(secret, random(32))
  }

  /** Rejects with STORAGE_KEY when `secret` is not the key of this head. */
  static async open(secret: CryptoKey, head: CipherHead): Promise<Cipher> {
    if ((secret.algorithm.name === 'PBKDF2') !== (head.derived !== null)) {
      const made = head.derived ? 'a passphrase' : 'a CryptoKey'
      throw wrongKey(`it was encrypted with ${made}`)
    }
    const wrapping = await wrappingKey(secret, head.derived)
    const dataKey = await unwrap(wrapping, head.dataKey)
    return new Cipher(head, await importDataKey(dataKey), wrapping)
  }

  /** The same data key for another secret. */
  async rewrap(secret: CryptoKey): Promise<Cipher> {
    return Cipher.#wrap(secret, await unwrap(this.#wrapping, this.head.dataKey))
  }

  seal(key: Key, bytes: Bytes): Promise<Bytes> {
    return seal(this.#dataKey, key, bytes)
  }

  /** Rejects with STORAGE_CORRUPT when `sealed` was not sealed under `key`. */
  async open(key: Key, sealed: Bytes): Promise<Bytes> {
    try {
      return await open(this.#dataKey, key, sealed)
    } catch (e) {
      throw damaged(key, 'it does not belong there or was changed: it cannot be decrypted', e)
    }
  }

  /** Leaves nothing of `dataKey` behind. */
  static async #wrap(secret: CryptoKey, dataKey: Bytes): Promise<Cipher> {
    const passphrase = secret.algorithm.name === 'PBKDF2'
    const derived = passphrase ? ({ by: 'PBKDF2-SHA-256', rounds: ROUNDS, salt: toBase64(random(16)) } as const) : null
    const wrapping = await wrappingKey(secret, derived)
    const wrapped = toBase64(await seal(wrapping, WRAPPING, dataKey))
    return new Cipher({ derived, dataKey: wrapped }, await importDataKey(dataKey), wrapping)
  }
}

/** The head's `cipher` as it was stored, if it is one. */
export function isCipherHead(value: unknown): value is CipherHead {
  if (typeof value !== 'object' || value === null) return false
  const { derived, dataKey } = value as Partial<CipherHead>
  if (!isBase64(dataKey)) return false
  if (derived === null) return true
  return derived?.by === 'PBKDF2-SHA-256' && Number.isSafeInteger(derived.rounds) && isBase64(derived.salt)
}

const HINT = 'pass the key that it was encrypted with as `encryption`; nothing was read or changed.'

export function wrongKey(why: string, hint = HINT, cause?: unknown): DataFlowError<'STORAGE_KEY'> {
  return new DataFlowError('STORAGE_KEY', `The saved database cannot be opened with this key: ${why}.`, { hint }, cause)
}

function wrappingKey(secret: CryptoKey, derived: CipherHead['derived']): CryptoKey | Promise<CryptoKey> {
  if (!derived) return secret
  const { rounds, salt } = derived
  const how = { name: 'PBKDF2', hash: 'SHA-256', salt: fromBase64(salt), iterations: rounds }
  return crypto.subtle.deriveKey(how, secret, { name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'])
}

async function unwrap(wrapping: CryptoKey, wrapped: string): Promise<Bytes> {
  try {
    return await open(wrapping, WRAPPING, fromBase64(wrapped))
  } catch (e) {
    throw wrongKey('it is another one', HINT, e)
  }
}

/** Takes `raw` over: afterwards only the CryptoKey, which cannot be exported, knows it. */
async function importDataKey(raw: Bytes): Promise<CryptoKey> {
  const key = await crypto.subtle.importKey('raw', raw, 'AES-GCM', false, ['encrypt', 'decrypt'])
  raw.fill(0)
  return key
}

/** A fresh nonce, then the encrypted bytes with their tag. */
async function seal(cryptoKey: CryptoKey, key: Key, bytes: Bytes): Promise<Bytes> {
  const iv = random(NONCE)
  const encrypted = await crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData: bound(key) }, cryptoKey, bytes)
  const sealed = new Uint8Array(NONCE + encrypted.byteLength)
  sealed.set(iv)
  sealed.set(new Uint8Array(encrypted), NONCE)
  return sealed
}

async function open(cryptoKey: CryptoKey, key: Key, sealed: Bytes): Promise<Bytes> {
  const how = { name: 'AES-GCM', iv: sealed.subarray(0, NONCE), additionalData: bound(key) }
  return new Uint8Array(await crypto.subtle.decrypt(how, cryptoKey, sealed.subarray(NONCE)))
}

function bound(key: Key): Bytes {
  return new TextEncoder().encode(JSON.stringify(key))
}

function random(length: number): Bytes {
  return crypto.getRandomValues(new Uint8Array(length))
}

function toBase64(bytes: Bytes): string {
  return btoa(String.fromCharCode(...bytes))
}

function fromBase64(text: string): Bytes {
  return Uint8Array.from(atob(text), character => character.charCodeAt(0))
}

function isBase64(value: unknown): value is string {
  return typeof value === 'string' && /^[A-Za-z0-9+/]+={0,2}$/.test(value)
}
