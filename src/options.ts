// The options of dataflow(), checked: unknown ones are errors, at compile time and at run time.
import type { DatabaseOptions } from './database.js'
import type { AnyModel } from './model.js'
import { migrationConfig } from './migrations.js'
import type { PageModel } from './resolve.js'
import { describe } from './shared/codec.js'
import { DataFlowError } from './shared/errors.js'
import { didYouMean } from './shared/nearest.js'
import type { EngineConfig } from './shared/protocol.js'

/** The models that dataflow() was given. Throws `BAD_OPTION`. */
export function modelsOption(options: unknown): Record<string, AnyModel> {
  const { models } = (options ?? {}) as { models?: unknown }
  if (typeof models === 'object' && models !== null && !Array.isArray(models)) return models as Record<string, AnyModel>
  throw badOption('dataflow() needs models.', "dataflow('app', { models: { users: User } }).")
}

const KNOWN = [
  'models',
  'storage',
  'durability',
  'version',
  'maxWaitForOwner',
  'cacheTableChecks',
  'autoMigrate',
  'existingSchema',
  'migrations',
  'encryption',
  'actor',
  'worker',
  'wasmUrl',
] as const satisfies readonly (keyof DatabaseOptions<any>)[]

function badOption(text: string, hint: string): DataFlowError {
  return new DataFlowError('BAD_OPTION', text, { op: 'dataflow', hint })
}

function check(name: string, value: unknown, fits: boolean, expected: string): void {
  if (value !== undefined && !fits)
    throw badOption(`${name} must not be ${describe(value)}.`, `${name} is ${expected}.`)
}

export function engineConfig(
  name: string,
  options: DatabaseOptions<any>,
  models: ReadonlyMap<string, PageModel>,
): Omit<EngineConfig, 'encryption'> {
  if (typeof name !== 'string' || name === '' || name.includes('\0')) {
    throw badOption('A database needs a name.', "dataflow('app', { models }): a text without NUL.")
  }
  for (const option of Object.keys(options)) {
    if (!(KNOWN as readonly string[]).includes(option)) {
      throw badOption(`dataflow() has no option "${option}".`, didYouMean(option, KNOWN))
    }
  }
  const {
    storage,
    durability,
    version,
    maxWaitForOwner,
    cacheTableChecks,
    autoMigrate,
    existingSchema,
    encryption,
    actor,
    worker,
    wasmUrl,
  } = options
  const oneOf = (values: readonly unknown[], value: unknown) => values.includes(value)
  check('storage', storage, oneOf(['indexeddb', 'memory'], storage), "'indexeddb' or 'memory'")
  check(
    'durability',
    durability,
    oneOf(['relaxed', 'strict', 'deferred'], durability),
    "'relaxed', 'strict' or 'deferred'",
  )
  check('version', version, Number.isSafeInteger(version) && version! >= 0, 'a whole number')
  check(
    'maxWaitForOwner',
    maxWaitForOwner,
    typeof maxWaitForOwner === 'number' && maxWaitForOwner >= 0,
    'milliseconds, or Infinity',
  )
  check('cacheTableChecks', cacheTableChecks, typeof cacheTableChecks === 'boolean', 'true or false')
  check('autoMigrate', autoMigrate, oneOf([true, false, 'warn'], autoMigrate), "true, false or 'warn'")
  check('existingSchema', existingSchema, typeof existingSchema === 'boolean', 'true or false')
  check(
    'actor',
    actor,
    typeof actor === 'string' || typeof actor === 'function',
    'a text, or a function that gives one',
  )
  const audited = [...models.values()].find(({ definition }) => definition.audit)
  if (actor !== undefined && !audited) {
    throw badOption('actor is for models that are audited, and none is.', "model('Name', { ... }, { audit: true }).")
  }
  if (existingSchema && audited) {
    const text = `${audited.definition.name} cannot be audited: with existingSchema the library makes no table.`
    throw badOption(text, 'remove audit, or existingSchema.')
  }
  check('worker', worker, typeof worker === 'function', 'a function that makes a Worker')
  check('wasmUrl', wasmUrl, typeof wasmUrl === 'string' || wasmUrl instanceof URL, 'a URL')
  if (existingSchema && options.migrations !== undefined) {
    throw badOption('existingSchema and migrations exclude each other.', 'existingSchema never migrates.')
  }
  if (existingSchema && autoMigrate !== undefined) {
    throw badOption('existingSchema and autoMigrate exclude each other.', 'existingSchema never migrates.')
  }
  if (encryption !== undefined && storage === 'memory') {
    throw badOption("With storage: 'memory' there is nothing to encrypt.", "use storage: 'indexeddb'.")
  }
  return {
    name,
    models: [...models.values()].map(model => model.definition),
    storage: storage ?? 'indexeddb',
    durability: durability ?? 'relaxed',
    version: version ?? null,
    maxWaitForOwner: maxWaitForOwner ?? 5000,
    cacheTableChecks: cacheTableChecks ?? true,
    autoMigrate: autoMigrate ?? true,
    existingSchema: existingSchema ?? false,
    migrations: migrationConfig(options.migrations),
  }
}
