// Excess properties of what is inferred: TypeScript refuses them in a literal of a known type only.
import type { Ref } from './shared/reference.js'
import type { TypeError } from './shared/schema.js'
import type { SqlExpr } from './shared/sql.js'

type Leaf =
  | string
  | number
  | bigint
  | boolean
  | null
  | undefined
  | Date
  | Uint8Array
  | ArrayBuffer
  | AbortSignal
  | SqlExpr
  | Ref<any>

// These look into each member of a union.
type KeyIn<Shape> = Shape extends unknown ? keyof Shape : never
type At<Shape, K> = Shape extends unknown ? (K extends keyof Shape ? Shape[K] : never) : never
type ItemOf<Shape> = Shape extends readonly (infer Item)[] ? Item : never

/** `A`, where every name that `Shape` does not have is an error that says so. */
export type Exact<A, Shape> = unknown extends Shape
  ? A
  : A extends Leaf
    ? A
    : A extends readonly unknown[]
      ? { [I in keyof A]: Exact<A[I], ItemOf<Shape>> }
      : {
          [K in keyof A]: K extends KeyIn<Shape>
            ? Exact<A[K], At<Shape, K>>
            : TypeError<`there is no ${K & string} here`>
        }
