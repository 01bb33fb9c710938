// The option `encryption`: a passphrase becomes a CryptoKey at the first use, and then only that key is kept. It can
// derive keys and nothing else, and cannot be exported.
import { DataFlowError } from './shared/errors.js'
import type { EncryptionKey } from './shared/protocol.js'

/** A passphrase, or a key of the app's own: AES-GCM with `encrypt` and `decrypt`, or PBKDF2 with `deriveKey`. */
export type Encryption = { readonly passphrase: string } | CryptoKey

const USAGES: Record<string, readonly KeyUsage[]> = { 'AES-GCM': ['encrypt', 'decrypt'], PBKDF2: ['deriveKey'] }
const EXAMPLE = "{ passphrase: '...' }, or a CryptoKey of AES-GCM with encrypt and decrypt."

/** Checks at once, throwing `BAD_OPTION`; what it returns makes the key, once. Rejects with WORKER_LOAD. */
export function keyOf(encryption: unknown, op: string): () => Promise<EncryptionKey> {
  const bad = (text: string) => new DataFlowError('BAD_OPTION', text, { op, hint: `pass ${EXAMPLE}` })
  if (typeof encryption !== 'object' || encryption === null) throw bad('encryption needs a passphrase or a CryptoKey.')
  // One of another frame is no instance of this page's CryptoKey.
  if (Object.prototype.toString.call(encryption) === '[object CryptoKey]') {
    const key = encryption as CryptoKey
    const usages = USAGES[key.algorithm.name]
    if (!usages) throw bad(`A key of ${key.algorithm.name} cannot be used.`)
    const lacking = usages.filter(usage => !key.usages.includes(usage))
    if (lacking.length > 0) throw bad(`The key may not be used to ${lacking.join(' and ')}.`)
    return async () => key
  }
  const { passphrase, ...others } = encryption as { passphrase?: unknown }
  if (typeof passphrase !== 'string' || passphrase === '') throw bad('A passphrase must be a text that is not empty.')
  if (Object.keys(others).length > 0) throw bad('encryption has the option passphrase only.')
  let text: string | null = passphrase
  let key: Promise<EncryptionKey> | null = null
  return () => {
    key ??= importPassphrase(text!)
    text = null
    return key
  }
}

async function importPassphrase(passphrase: string): Promise<EncryptionKey> {
  // Not there outside a secure context.
  const subtle = globalThis.crypto?.subtle as SubtleCrypto | undefined
  if (!subtle) {
    const hint = 'needs a secure context (https or localhost).'
    throw new DataFlowError('WORKER_LOAD', 'There is no WebCrypto here to encrypt with.', { hint })
  }
  // The same letter can be typed as one character or as two.
  const bytes = new TextEncoder().encode(passphrase.normalize('NFKC'))
  const key = await subtle.importKey('raw', bytes, 'PBKDF2', false, ['deriveKey', 'deriveBits'])
  bytes.fill(0)
  return key
}
