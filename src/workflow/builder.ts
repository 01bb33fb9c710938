// WorkflowBuilder: DataFlow's way to make a workflow, of nodes by their types and connections by name.
import { DataFlowError } from '../shared/errors.js'
import { compileBuilt, type BuiltConnection, type BuiltNode, type BuiltWorkflow } from './built.js'
import { checkBuilt, MODELS } from './execute.js'
import { toJson } from './json.js'

/**
 * Makes a workflow of nodes and connections. Node types are `UserCreateNode` and its like for each model, `SQLNode`, and
 * `TransactionScopeNode` and its like. Given the database, `build()` checks all of it; without it what needs the models is
 * checked when it is executed.
 *
 * @example
 * const built = new WorkflowBuilder(db)
 *   .addNode('UserCreateNode', 'user', { email: 'ada@example.com', name: 'Ada' })
 *   .addNode('PostCreateNode', 'post', { title: 'Welcome' })
 *   .addConnection('user', 'id', 'post', 'authorId')
 *   .build()
 * const { results, runId } = await db.execute(built)
 */
export class WorkflowBuilder {
  readonly #database: { readonly [MODELS]?: unknown } | undefined
  readonly #nodes: BuiltNode[] = []
  readonly #connections: BuiltConnection[] = []

  constructor(database?: object) {
    this.#database = database
    if (database === undefined || MODELS in database) return
    throw new DataFlowError('BAD_OPTION', 'That is no database.', { hint: 'new WorkflowBuilder(db).', op: 'workflow' })
  }

  /** A parameter that is `{ $param: true }` is given when the workflow is executed. */
  addNode(type: string, id: string, params: Record<string, unknown> = {}): this {
    this.#nodes.push({ type, id, params: toJson(params) as Record<string, unknown> })
    return this
  }

  /** `output` and `input` may be paths: `records.0.id`, `filter.authorId`. The input `after` only says what comes first. */
  addConnection(from: string, output: string, to: string, input: string): this {
    this.#connections.push({ from, output, to, input })
    return this
  }

  /** The workflow as plain data. Throws `BAD_WORKFLOW`, `UNKNOWN_MODEL`, `UNKNOWN_FIELD`, and what its values are refused with. */
  build(): BuiltWorkflow {
    const built: BuiltWorkflow = { dataflow: 1, nodes: [...this.#nodes], connections: [...this.#connections] }
    const models = this.#database?.[MODELS]
    if (models) checkBuilt(built, models as never)
    else compileBuilt(built, null)
    return built
  }
}
