// The transaction nodes: marks in the order of the others, where a scope or a savepoint begins and ends.
import { DataFlowError } from '../shared/errors.js'
import { MAX_OPEN, type WireControl } from '../shared/workflow.js'
import type { Frames, NodeType, Params } from './node-types.js'

function mark(
  name: string,
  inputs: readonly string[],
  required: readonly (readonly string[])[],
  body: (params: Params, frames: Frames) => WireControl,
  result: (params: Params) => unknown,
): NodeType {
  return { name, inputs, required, outputs: [], body, outputPath: path => path, result: (_, params) => result(params) }
}

export const MARKS: readonly NodeType[] = [
  mark(
    'TransactionScopeNode',
    [],
    [],
    (_, { node, open }) => {
      begin(open, { name: node, scope: true })
      return { control: 'scope', name: node }
    },
    () => ({ status: 'started' }),
  ),
  mark(
    'TransactionCommitNode',
    [],
    [],
    (_, frames) => ({ control: 'commit', name: endScope(frames) }),
    () => ({ status: 'committed' }),
  ),
  mark(
    'TransactionRollbackNode',
    ['reason'],
    [],
    (_, frames) => ({ control: 'rollback', name: endScope(frames) }),
    ({ reason = null }) => ({
      status: 'rolled_back',
      reason,
    }),
  ),
  mark(
    'TransactionSavepointNode',
    ['name'],
    [['name']],
    ({ name }, { open }) => {
      if (typeof name !== 'string') throw bad('A savepoint has a name.', "{ name: 'before' }.")
      begin(open, { name, scope: false })
      return { control: 'savepoint', name }
    },
    ({ name }) => ({ status: 'created', savepoint: name }),
  ),
  mark(
    'TransactionRollbackToSavepointNode',
    ['savepoint'],
    [['savepoint']],
    ({ savepoint }, { open }) => {
      const at = open.findIndex(frame => !frame.scope && frame.name === savepoint)
      if (at === -1 || open.slice(at).some(frame => frame.scope)) {
        throw bad('There is no such savepoint in this scope.', 'set it with a TransactionSavepointNode before.')
      }
      open.length = at + 1
      return { control: 'rollbackTo', name: savepoint as string }
    },
    ({ savepoint }) => ({ status: 'rolled_back', savepoint }),
  ),
]

function begin(open: Frames['open'], frame: Frames['open'][number]): void {
  if (open.some(({ name }) => name === frame.name)) {
    throw bad('A scope or savepoint of this name is open.', 'give every one a name of its own.')
  }
  if (open.length === MAX_OPEN) throw bad(`More than ${MAX_OPEN} scopes and savepoints are open.`, 'end some of them.')
  open.push(frame)
}

function endScope({ open }: Frames): string {
  const at = open.findLastIndex(frame => frame.scope)
  if (at === -1) throw bad('No scope is open here.', 'begin one with a TransactionScopeNode before.')
  const { name } = open[at]!
  open.length = at
  return name
}

function bad(text: string, hint: string): DataFlowError {
  return new DataFlowError('BAD_WORKFLOW', text, { op: 'workflow', hint })
}
