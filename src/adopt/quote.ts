// Texts as SQL and as TypeScript. (src/shared/sql.ts does the first for everybody else: this part is loaded by itself.)

/** A name in SQL. */
export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** A text in SQL. */
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`

/** A text in TypeScript, as Prettier would write it. */
export function textCode(text: string): string {
  const json = JSON.stringify(text)
  const singles = text.split("'").length
  const doubles = text.split('"').length
  if (singles > doubles) return json
  return `'${json.slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`
}

/** An SQL expression in TypeScript. */
export function sqlCode(expression: string): string {
  const text = expression.replace(/[\\`]|\$\{/g, '\\$&').replaceAll('\r', '\\r')
  return `sql\`${text}\``
}

/** Several names in a sentence. */
export const listed = (names: readonly string[]): string => names.join(', ')

/** `1 row`, `2 rows`. */
export const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`
