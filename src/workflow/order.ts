// The order in which the nodes of a built workflow run.
import { DataFlowError } from '../shared/errors.js'
import type { BuiltConnection } from './built.js'

/** As they were added, unless a connection wants it otherwise. A mark, which begins or ends a scope, keeps its place. */
export function order<Node extends { readonly id: string; readonly mark: boolean }>(
  nodes: readonly Node[],
  connections: readonly BuiltConnection[],
): Node[] {
  const indexes = new Map(nodes.map(({ id }, i) => [id, i]))
  const behind = nodes.map((): number[] => [])
  const waitsFor = nodes.map(() => 0)
  const runBefore = (before: number, after: number): void => {
    behind[before]!.push(after)
    waitsFor[after]!++
  }
  for (const { from, to } of connections) runBefore(indexes.get(from)!, indexes.get(to)!)
  let lastMark = -1
  nodes.forEach(({ mark }, i) => {
    if (lastMark >= 0) runBefore(lastMark, i)
    if (!mark) return
    for (let before = lastMark + 1; before < i; before++) runBefore(before, i)
    lastMark = i
  })
  // The one that was added first is the last: it is taken next.
  const ready = nodes.flatMap((_, i) => (waitsFor[i] === 0 ? [i] : [])).reverse()
  const ordered: Node[] = []
  for (let next = ready.pop(); next !== undefined; next = ready.pop()) {
    ordered.push(nodes[next]!)
    for (const i of behind[next]!) if (--waitsFor[i]! === 0) insert(ready, i)
  }
  if (ordered.length === nodes.length) return ordered
  const left = nodes.filter((_, i) => waitsFor[i]! > 0).map(({ id }) => id)
  throw new DataFlowError('BAD_WORKFLOW', `These nodes wait for each other: ${left.join(', ')}.`, {
    op: 'workflow',
    hint: 'remove the connection that closes the cycle.',
  })
}

/** Into a list in descending order. */
function insert(list: number[], value: number): void {
  let [from, to] = [0, list.length]
  while (from < to) {
    const middle = (from + to) >> 1
    if (list[middle]! > value) from = middle + 1
    else to = middle
  }
  list.splice(from, 0, value)
}
