/** What every peer stores. */
export interface Item {
  readonly id: string
  readonly title: string
  readonly body: string
  readonly n: number
  readonly at: number
}

/** One open database with one table of items, as its documentation tells to use it. */
export interface Peer {
  /** Resolves when the row is saved as well as `durability` says. */
  insert(item: Item): Promise<unknown>
  /** In one transaction. */
  insertMany(items: readonly Item[]): Promise<unknown>
  read(id: string): Promise<unknown>
  count(): Promise<number>
  /** All rows as objects, in key order. */
  list(): Promise<readonly unknown[]>
  close(): Promise<unknown>
}

export interface PeerKind {
  /** What a resolved insert survives. */
  readonly durability: string
  open(database: string): Promise<Peer>
}

export const COLUMNS = ['id', 'title', 'body', 'n', 'at'] as const
export const CREATE =
  'CREATE TABLE IF NOT EXISTS items (id TEXT PRIMARY KEY, title TEXT NOT NULL, body TEXT NOT NULL, n INTEGER NOT NULL, at INTEGER NOT NULL)'
export const INSERT = 'INSERT INTO items (id, title, body, n, at) VALUES (?, ?, ?, ?, ?)'
export const READ = 'SELECT * FROM items WHERE id = ?'
export const LIST = 'SELECT * FROM items ORDER BY id'
export const COUNT = 'SELECT count(*) AS n FROM items'

export const valuesOf = ({ id, title, body, n, at }: Item) => [id, title, body, n, at]
