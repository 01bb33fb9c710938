// What is read of a file that others made, as plain data.

/** Runs one SELECT. */
export type Query = (sql: string) => Promise<Record<string, SqlCell>[]>
export type SqlCell = string | number | bigint | Uint8Array | null

export interface FileFacts {
  /** As they were made, one after another. */
  readonly tables: readonly TableFacts[]
  readonly views: readonly string[]
  /** With the module that makes them. */
  readonly virtual: readonly { readonly name: string; readonly module: string }[]
  readonly triggers: readonly { readonly name: string; readonly table: string }[]
}

export interface TableFacts {
  readonly name: string
  /** Its CREATE TABLE. */
  readonly sql: string
  readonly strict: boolean
  readonly withoutRowid: boolean
  readonly rows: number
  readonly columns: readonly ColumnFacts[]
  readonly indexes: readonly IndexFacts[]
  readonly foreignKeys: readonly ForeignKeyFacts[]
}

export interface ColumnFacts {
  readonly name: string
  /** As declared; '' for none. */
  readonly type: string
  readonly notNull: boolean
  /** Text of the DEFAULT, as SQLite gives it. */
  readonly default: string | null
  /** What that text makes at the moment; for columns of dates only. */
  readonly defaultValue?: SqlCell
  /** Its place in the primary key, from 1; 0 for none. */
  readonly keyAt: number
  readonly generated: boolean
  readonly values: ValueFacts
}

/** What a column holds: how many values of each storage class. */
export interface ValueFacts {
  readonly nulls: number
  readonly integers: number
  readonly reals: number
  readonly texts: number
  readonly blobs: number
  /** Of the integers; null when there are none. */
  readonly min: number | bigint | null
  readonly max: number | bigint | null
  /** Characters of the longest text. */
  readonly longest: number
  /** For columns declared as JSON: texts that are none, and texts with blanks between the parts. */
  readonly notJson: number
  readonly spacedJson: number
  /** For columns declared as dates: the forms of the texts, with a 9 for each digit. */
  readonly forms: readonly TextForm[]
}

export interface TextForm {
  readonly form: string
  readonly rows: number
  /** Of these, how many are no day and time of the calendar. */
  readonly invalid: number
}

export interface IndexFacts {
  readonly name: string
  readonly unique: boolean
  /** The condition of a partial index. */
  readonly where: string | null
  /** Made by PRIMARY KEY. */
  readonly ofKey: boolean
  /** null for an expression. */
  readonly columns: readonly {
    readonly name: string | null
    readonly descending: boolean
    readonly collation: string
  }[]
}

export interface ForeignKeyFacts {
  readonly columns: readonly string[]
  readonly table: string
  /** null: the key of that table. */
  readonly to: readonly (string | null)[]
  readonly onDelete: string
  readonly onUpdate: string
}

/** Values that are not NULL. */
export const present = ({ integers, reals, texts, blobs }: ValueFacts): number => integers + reals + texts + blobs

/** The only names that mean a date; everything else is what it holds. */
export const isDateType = (type: string): boolean => /DATE|TIMESTAMP/i.test(type)
export const isJsonType = (type: string): boolean => /JSON/i.test(type)
