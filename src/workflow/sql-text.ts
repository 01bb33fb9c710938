// The places of values in a SQL text that an app or a file wrote.
import { DataFlowError } from '../shared/errors.js'

/** What can hold a `?` that is no place: strings, names, comments. */
const QUOTED =
  /'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|--[^\n]*|\/\*[\s\S]*?\*\/|\?\d*|[:@$][A-Za-z_]\w*/g

/** The text between its places: one part more than there are. Throws BAD_WORKFLOW for places with names or numbers. */
export function partsOf(text: string): string[] {
  const parts: string[] = []
  let from = 0
  for (const { 0: found, index } of text.matchAll(QUOTED)) {
    if (!/^[?:@$]/.test(found)) continue
    if (found !== '?') {
      throw new DataFlowError('BAD_WORKFLOW', 'Places of values have neither a name nor a number.', {
        op: 'sql',
        hint: 'write ? for each, and `params` in their order.',
      })
    }
    parts.push(text.slice(from, index))
    from = index + 1
  }
  return [...parts, text.slice(from)]
}
