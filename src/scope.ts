// db.scope(): a handle of the database that sees and writes only the rows of a scope. It is the worker that binds each
// operation (worker/compile/scope.ts); here the values are checked, and the handle says what it is not.
import type { RunOptions } from './connect.js'
import type { CheckQuery, Executor, QueryResult } from './database.js'
import { badOption, named } from './encode/options.js'
import { encodeGiven } from './encode/row.js'
import type { AnyModel, FieldsOf, Operation, OptionsOf, ScopeIn } from './model.js'
import type { RelationsOf } from './related.js'
import { RESERVED_ACCESSORS, type PageModel } from './resolve.js'
import { describe, isObject } from './shared/codec.js'
import { DataFlowError } from './shared/errors.js'
import { didYouMean } from './shared/nearest.js'
import type { Scope } from './shared/protocol.js'
import type { AcceptedOf, ScopedFields, TypeError } from './shared/schema.js'
import type { TableOf } from './table.js'
import type { TransactionOptions } from './transaction.js'

/** The fields that a scope binds in a model. */
type BoundIn<M> = ScopeIn<OptionsOf<M>>
type BoundInAny<Ms> = { [C in keyof Ms]: BoundIn<Ms[C]> }[keyof Ms] & string

/** What `scope()` takes: a value for each field that a scope binds. */
export type ScopeValues<Ms> = [BoundInAny<Ms>] extends [never]
  ? TypeError<"No model is scoped: declare one with { scope: 'tenantId' }">
  : {
      readonly [K in BoundInAny<Ms>]: {
        [C in keyof Ms]: K extends BoundIn<Ms[C]> ? AcceptedOf<FieldsOf<Ms[C]>[K & keyof FieldsOf<Ms[C]>]> : never
      }[keyof Ms]
    }

type ReadMethod =
  'read' | 'readOrThrow' | 'list' | 'first' | 'page' | 'iterate' | 'count' | 'aggregate' | 'distinct' | 'search'
type SharedTable<T> = Pick<T, Extract<keyof T, ReadMethod>>

/** Of a scoped model all operations, of a shared one those that read. */
type ScopedTable<M extends AnyModel, Rs> = [BoundIn<M>] extends [never]
  ? SharedTable<TableOf<FieldsOf<M>, OptionsOf<M>, Rs>>
  : TableOf<ScopedFields<FieldsOf<M>, BoundIn<M>>, OptionsOf<M>, Rs>

type IsSeen<M> = OptionsOf<M> extends { readonly scope: unknown } | { readonly shared: true } ? true : false
type SeenOf<Ms> = { readonly [C in keyof Ms as IsSeen<Ms[C]> extends true ? C : never]: Ms[C] }
export type ScopedTables<Ms> = {
  readonly [C in keyof Ms as IsSeen<Ms[C]> extends true ? C : never]: Ms[C] extends AnyModel
    ? ScopedTable<Ms[C], RelationsOf<SeenOf<Ms>, Ms[C]>>
    : never
}

export interface ScopedExecutor<Ms = {}> extends Pick<Executor, 'execute'> {
  /** Runs an operation, bound to the scope. Raw SQL is `READONLY`. */
  run<const Q extends Operation<any>>(
    operation: Q & CheckQuery<SeenOf<Ms>, Q>,
    options?: RunOptions,
  ): Promise<QueryResult<Q, SeenOf<Ms>>>
  /** Runs several in one round trip and one transaction: all or nothing. */
  batch<const Q extends readonly Operation<any>[]>(
    operations: Q & NoInfer<{ [I in keyof Q]: CheckQuery<SeenOf<Ms>, Q[I]> }>,
    options?: RunOptions,
  ): Promise<{ -readonly [I in keyof Q]: QueryResult<Q[I], SeenOf<Ms>> }>
}

/** What `transaction()` of a scope hands to its function. */
export type ScopedTransaction<Ms> = ScopedTables<Ms> &
  ScopedExecutor<Ms> & {
    /** Called when the transaction is saved; never when it is rolled back. */
    afterCommit(callback: () => void): void
    /** As the transaction's: `tx` is bound to the scope too. */
    savepoint<T>(body: (tx: ScopedTransaction<Ms>) => Promise<T>): Promise<T>
  }

/** A database of which only the rows of one scope can be seen and written. */
export type Scoped<Ms> = ScopedTables<Ms> &
  ScopedExecutor<Ms> & {
    /** As the database's: `tx` is bound to the scope too. */
    transaction<T>(body: (tx: ScopedTransaction<Ms>) => Promise<T>, options?: TransactionOptions): Promise<T>
  }

/** The values of a scope, as stored. Throws `BAD_OPTION` and `VALIDATION`. */
export function encodeScope(values: unknown, models: ReadonlyMap<string, PageModel>): Scope {
  return named({ op: 'scope' }, () => {
    const scoped = [...models.values()].filter(({ definition }) => definition.scope)
    const bound = new Set(scoped.flatMap(({ definition }) => definition.scope!))
    if (bound.size === 0)
      throw badOption('No model of this database is scoped.', "declare one with { scope: 'tenantId' }.")
    const example = `db.scope({ ${[...bound].join(', ')} }).`
    if (!isObject(values)) throw badOption(`A scope is an object, not ${describe(values)}.`, example)
    for (const name of Object.keys(values)) {
      if (!bound.has(name))
        throw badOption(`No model is scoped by "${name.replaceAll('\0', '\\0')}".`, didYouMean(name, [...bound]))
    }
    const scope: Record<string, Scope[string]> = {}
    // Each model may take less than the others: an enum, a text of a limited length.
    for (const { definition, fieldNamed } of scoped) {
      for (const name of definition.scope!) {
        const value = Object.hasOwn(values, name) ? values[name] : undefined
        const stored = encodeGiven(fieldNamed.get(name)!, value, {}) as Scope[string]
        if ((scope[name] ??= stored) === stored) continue
        throw badOption(
          `${definition.name} stores this ${name} in another way than other models.`,
          'use one schema for all.',
        )
      }
    }
    return scope
  })
}

/** Gives a handle, for each name of the database that it has not, the sentence why. */
export function refuseOthers<T extends object>(handle: T): T {
  for (const name of RESERVED_ACCESSORS) {
    // A handle with a `then` would be taken for a promise.
    if (name in handle || name === 'then') continue
    Object.defineProperty(handle, name, {
      get() {
        throw new DataFlowError('READONLY', `A scope has no ${name}: it could reach rows of others.`, {
          hint: `use db.${name}, of the database itself.`,
        })
      },
    })
  }
  return handle
}
