// From a file that others made to models as text. Loaded only by who asks for it: nothing here is imported by, or imports,
// what every page loads, or the bundler would split that.
import { readFile } from './read.js'
import { nameRelations } from './relation-names.js'
import type { WireTable } from '../shared/operation.js'
import type { FileFacts, Query } from './facts.js'
import { candidateOf, modelOf, type Candidate, type ModelCode, type Problem } from './model-of.js'
import { tableNames } from './names.js'
import { printModule } from './print.js'
import type { KeyTarget } from './references.js'

/** Names that an app cannot give. */
export interface Reserved {
  readonly accessors: Iterable<string>
  readonly fields: Iterable<string>
}

/** A column of the file. */
export interface IntrospectedColumn {
  readonly column: string
  /** As declared in the file; '' for none. */
  readonly type: string
  /** Its field, and how that is declared: `t.text({ max: 160 })`. null when it is left out. */
  readonly field: string | null
  readonly declaration: string | null
}

/** A table of the file. */
export interface IntrospectedTable {
  readonly table: string
  readonly rows: number
  /** Name of its model, and its key in `models`. null when it is left out: `problems` says why. */
  readonly model: string | null
  readonly accessor: string | null
  readonly columns: readonly IntrospectedColumn[]
}

/** What the models do not say of the file. */
export interface IntrospectionProblem {
  /** A table, or a view. */
  readonly table: string
  readonly column?: string
  readonly message: string
  /** The code has no model for this table, no field for this column. Otherwise it has, and this is to be known. */
  readonly leftOut: boolean
}

export interface Introspection {
  /** A TypeScript module that exports each model, and all of them as `models`. */
  readonly code: string
  readonly tables: readonly IntrospectedTable[]
  readonly problems: readonly IntrospectionProblem[]
}

/** `run` answers as the worker does. */
export async function adopt(run: (sql: string) => Promise<WireTable>, reserved: Reserved): Promise<Introspection> {
  const query: Query = async sql => {
    const { columns, rows } = await run(sql)
    return rows.map(values => Object.fromEntries(columns.map((name, i) => [name, values[i]!])))
  }
  return describe(await readFile(query), reserved)
}

/** Pure. */
export function describe(file: FileFacts, reserved: Reserved): Introspection {
  const candidates: Candidate[] = []
  const problems: Problem[] = []
  for (const table of file.tables) {
    const candidate = candidateOf(table)
    if (typeof candidate !== 'string') candidates.push(candidate)
    else problems.push({ table: table.name, message: `left out: ${candidate}`, leftOut: true })
  }
  const fields = [...reserved.fields]
  const names = tableNames(
    candidates.map(({ table }) => table.name),
    [...reserved.accessors, ...fields],
  )
  const targets = new Map<string, KeyTarget | null>(file.tables.map(({ name }) => [name.toLowerCase(), null]))
  for (const { table, key, keyKind } of candidates) {
    const target = { model: names.get(table.name)!.model, table: table.name, key: key.name, kind: keyKind }
    targets.set(table.name.toLowerCase(), target)
  }
  const models: ModelCode[] = []
  for (const candidate of candidates) {
    const context = { names: names.get(candidate.table.name)!, targets, reservedFields: fields }
    const made = modelOf(candidate, context)
    models.push(made.model)
    problems.push(...made.problems)
  }
  problems.push(...othersOf(file))
  const named = nameRelations(models, fields)
  return { code: printModule(named, problems), tables: file.tables.map(table => tableOf(table, named)), problems }
}

function othersOf({ views, virtual, triggers }: FileFacts): Problem[] {
  return [
    ...views.map(table => ({ table, message: 'left out: it is a view; db.sql reads it', leftOut: true })),
    ...virtual.map(({ name, module }) => ({
      table: name,
      message: `left out: it is a virtual table (${module})`,
      leftOut: true,
    })),
    ...triggers.map(({ name, table }) => ({
      table,
      message: `the trigger ${name} is kept by SQLite, not declared`,
      leftOut: false,
    })),
  ]
}

function tableOf(
  { name, rows, columns }: FileFacts['tables'][number],
  models: readonly ModelCode[],
): IntrospectedTable {
  const model = models.find(({ table }) => table === name)
  return {
    table: name,
    rows,
    model: model?.model ?? null,
    accessor: model?.accessor ?? null,
    columns: columns.map(({ name: column, type }) => {
      const found = model?.fields.find(field => field.column === column)
      return { column, type, field: found?.field ?? null, declaration: found?.code ?? null }
    }),
  }
}
