// An app's SQL expression over stored rows.

const PARTS = /'(?:[^']|'')*'|--[^\n]*|\/\*[\s\S]*?\*\/|\[[^\]]*\]|`(?:[^`]|``)*`|"((?:[^"]|"")*)"/g

/**
 * The expression with its names in `backticks`. SQLite takes a name in double quotes that it does not know for a text:
 * every row would get the name of a column that is gone as its value. In backticks it is an error.
 */
export function withKnownNames(expression: string): string {
  return expression.replace(PARTS, (part, name?: string) =>
    name === undefined ? part : `\`${name.replaceAll('""', '"').replaceAll('`', '``')}\``,
  )
}
