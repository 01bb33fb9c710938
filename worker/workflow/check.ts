// Whether what came as a workflow is one: it may come from anywhere.
import { isObject } from '../../src/shared/codec.js'
import { DataFlowError } from '../../src/shared/errors.js'
import { isOperationName } from '../../src/shared/operation.js'
import { isWireReference, MAX_OPEN, NEW_ID, type WireStep } from '../../src/shared/workflow.js'

/** As deep as workflows can stand in each other. */
export const MAX_NESTING = 16

/** Throws BAD_WORKFLOW for steps that refer to what comes later, or whose scopes do not fit into each other. */
export function checkWorkflow(steps: readonly WireStep[]): void {
  check(steps, new Set(), 0)
}

function check(steps: readonly WireStep[], known: Set<number>, depth: number): void {
  if (depth > MAX_NESTING) throw bad(`workflows stand in each other more than ${MAX_NESTING} deep`)
  if (!Array.isArray(steps) || !steps.every(isStep)) throw bad('it is no list of steps')
  const open: { name: string; scope: boolean }[] = []
  for (const { node, slot, when, each, run } of steps) {
    assertKnown([when, each?.of], known, node)
    if (each) known.add(each.item)
    if ('steps' in run) check(run.steps, known, depth + 1)
    else if ('control' in run) checkControl(run.control, run.name, open, node)
    else assertKnown(run, known, node)
    if (known.has(slot)) throw bad(`two nodes have the number of ${node}`)
    known.add(slot)
  }
  const left = open.find(({ scope }) => scope)
  if (left) throw bad(`the scope ${left.name} is never ended`)
}

/** Has the form of a step. What is inside of its operation is refused where it is compiled. */
function isStep(step: unknown): boolean {
  if (!isObject(step) || typeof step.node !== 'string' || !Number.isSafeInteger(step.slot)) return false
  const { when, each, run } = step
  const queries = (value: unknown) => isObject(value) && typeof value.sql === 'string' && Array.isArray(value.params)
  if (when !== undefined && !isWireReference(when) && !queries(when)) return false
  if (each !== undefined && !(isObject(each) && isWireReference(each.of) && Number.isSafeInteger(each.item)))
    return false
  if (!isObject(run)) return false
  if ('steps' in run || 'control' in run) return true
  return run.op === 'sql' ? queries(run) : isOperationName(run.op) && typeof run.model === 'string'
}

/** Every reference leads to a step before. Only what can hold one is looked into. */
function assertKnown(value: unknown, known: ReadonlySet<number>, node: string): void {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return
  if (isWireReference(value)) {
    if ((known.has(value.slot) || value.slot === NEW_ID.slot) && Array.isArray(value.path)) return
    throw bad(`${node} refers to a node that does not come before it`)
  }
  for (const inner of Object.values(value)) assertKnown(inner, known, node)
}

function checkControl(control: string, name: string, open: { name: string; scope: boolean }[], node: string): void {
  if (control === 'scope' || control === 'savepoint') {
    if (open.some(frame => frame.name === name)) throw bad(`${name} has begun already`)
    if (open.length === MAX_OPEN) throw bad(`more than ${MAX_OPEN} scopes and savepoints are open`)
    open.push({ name, scope: control === 'scope' })
    return
  }
  if (!['commit', 'rollback', 'rollbackTo'].includes(control)) throw bad(`${node} is no mark`)
  const wantsScope = control !== 'rollbackTo'
  const at = open.findIndex(frame => frame.name === name && frame.scope === wantsScope)
  const innermost = open.findLast(frame => frame.scope)
  if (at === -1 || (wantsScope && innermost?.name !== name) || (!wantsScope && open.indexOf(innermost!) > at)) {
    throw bad(`${node} ends what is not open`)
  }
  open.length = wantsScope ? at : at + 1
}

function bad(text: string): DataFlowError {
  return new DataFlowError('BAD_WORKFLOW', `This is no workflow: ${text}.`, {
    op: 'workflow',
    hint: 'make it with workflow() or WorkflowBuilder.',
  })
}
