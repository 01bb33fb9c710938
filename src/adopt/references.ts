// Which foreign keys of a table its model declares: those over one column, to the key of another model.
import type { ForeignKeyFacts, TableFacts } from './facts.js'
import { holdsKey, type Choice, type Kind } from './kind.js'
import { listed, textCode } from './quote.js'

/** What a reference can lead to. */
export interface KeyTarget {
  readonly model: string
  readonly table: string
  readonly key: string
  readonly kind: Kind
}

/** A t.ref(): the model that it names, and what its options say. */
export interface Reference extends Choice {
  readonly refers: { readonly model: string; readonly options: readonly string[] }
}

export interface Finding {
  readonly references: ReadonlyMap<string, Reference>
  readonly notes: readonly { readonly column?: string; readonly message: string }[]
}

const ACTIONS: Record<string, string> = { CASCADE: 'cascade', 'SET NULL': 'set null', RESTRICT: 'restrict' }

/** `targets` by name of the table in lower case, also of tables that are left out: null. */
export function referencesOf(table: TableFacts, key: string, targets: ReadonlyMap<string, KeyTarget | null>): Finding {
  const references = new Map<string, Reference>()
  const notes: { column?: string; message: string }[] = []
  for (const foreign of table.foreignKeys) {
    const [name] = foreign.columns
    const target = targets.get(foreign.table.toLowerCase())
    const column = table.columns.find(other => other.name.toLowerCase() === name!.toLowerCase())!
    const note = (message: string): void => {
      const alone = foreign.columns.length === 1
      notes.push({ ...(alone ? { column: column.name } : {}), message })
    }
    const why =
      whyNotDeclared(foreign, target) ??
      (column.name === key ? 'a key is no t.ref()' : null) ??
      (references.has(column.name) ? 'a field refers to one model' : null) ??
      (holdsKey(column, target!.kind) ? null : `it does not hold what ${target!.key} holds`)
    if (why !== null) {
      note(`refers to ${foreign.table}${toColumns(foreign)}, by SQLite only: ${why}`)
      continue
    }
    const { model, kind } = target!
    const actions = (['onDelete', 'onUpdate'] as const).flatMap(when => {
      const action = foreign[when]
      const words = `${when === 'onDelete' ? 'ON DELETE' : 'ON UPDATE'} ${action} is kept by SQLite, not declared`
      if (action === 'NO ACTION') return []
      if (action === 'SET NULL' && column.notNull) note(`${words}: the column is NOT NULL`)
      else if (ACTIONS[action]) return [`${when}: '${ACTIONS[action]}'`]
      else note(words)
      return []
    })
    const type = kind.stores === 'TEXT' ? '' : `.$type<${kind.name === 'bigint' ? 'bigint' : 'number'}>()`
    const { max: _max, ...unlimited } = kind
    references.set(column.name, {
      code: refCode(model, actions) + type,
      kind: unlimited,
      notes: [],
      refers: { model, options: actions },
    })
  }
  return { references, notes }
}

export function refCode(model: string, options: readonly string[]): string {
  return `t.ref(${textCode(model)}${options.length > 0 ? `, { ${options.join(', ')} }` : ''})`
}

function whyNotDeclared(foreign: ForeignKeyFacts, target: KeyTarget | null | undefined): string | null {
  if (target === undefined) return 'there is no such table, so SQLite refuses to write here'
  if (foreign.columns.length > 1) return `a reference is one column, this is ${listed(foreign.columns)}`
  if (target === null) return 'that table is left out'
  const [to] = foreign.to
  return to && to.toLowerCase() !== target.key.toLowerCase() ? `its key is ${target.key}` : null
}

const toColumns = ({ to }: ForeignKeyFacts) => (to.includes(null) ? '' : ` (${listed(to as string[])})`)
