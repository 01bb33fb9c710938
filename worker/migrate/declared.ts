// The models as they are declared, with their shapes and checksums.
import type { ModelDefinition } from '../../src/shared/definition.js'
import type { SchemaDifference } from '../../src/shared/protocol.js'
import { checksumOf, contentChecksum, shapeOf, type TableShape } from './shape.js'

/** A model with its shape, hashed when it is first asked for. */
export interface DeclaredModel {
  readonly definition: ModelDefinition
  readonly shape: TableShape
  readonly checksum: string
  /** Somebody has hashed the same model before. */
  known(checksum: string): void
}

/** The shape and its checksum are made when they are first asked for. */
class Declared implements DeclaredModel {
  readonly definition: ModelDefinition
  #shape: TableShape | null = null
  #checksum: string | null = null

  constructor(definition: ModelDefinition) {
    this.definition = definition
  }

  get shape(): TableShape {
    return (this.#shape ??= shapeOf(this.definition))
  }

  get checksum(): string {
    return (this.#checksum ??= checksumOf(this.shape))
  }

  known(checksum: string): void {
    this.#checksum ??= checksum
  }
}

export function declare(definitions: readonly ModelDefinition[]): ReadonlyMap<string, DeclaredModel> {
  return new Map(definitions.map(definition => [definition.name, new Declared(definition)]))
}

/** The checksum of a build: all its models. */
export function schemaChecksum(models: Iterable<DeclaredModel>): string {
  return contentChecksum([...models].map(({ shape, checksum }) => [shape.model, checksum]).sort())
}

/** Shapes know columns; an app knows its fields. */
export function withFieldName(difference: SchemaDifference, { definition }: DeclaredModel): SchemaDifference {
  const field = definition.fields.find(({ column }) => column === difference.field)?.name
  return field === undefined ? difference : { ...difference, field }
}
