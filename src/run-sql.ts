// A raw query -> what crosses, and its rows; validated when the query has a schema.
import type { PreparedOperation } from './encode/options.js'
import { BadValue, validate } from './shared/codec.js'
import { DataFlowError } from './shared/errors.js'
import type { WireTable } from './shared/operation.js'
import { placeOf, showPlace } from './shared/reference.js'
import type { SqlQuery } from './shared/sql.js'

export function prepareSql(query: SqlQuery<unknown>): PreparedOperation {
  const place = query.params.map(placeOf).find(Boolean)
  if (place) {
    const text = `${showPlace(place)} is a reference of a workflow.`
    throw new DataFlowError('BAD_WORKFLOW', text, { op: 'sql', hint: 'run it as a node of that workflow.' })
  }
  return {
    wire: { op: 'sql', sql: query.text, params: query.params },
    decode(result) {
      const { columns, rows } = result as WireTable
      return rows.map((values, index) => {
        const row = Object.fromEntries(columns.map((name, i) => [name, values[i]]))
        return query.schema ? validated(query, row, index) : row
      })
    },
  }
}

function validated(query: SqlQuery<unknown>, row: unknown, index: number): unknown {
  try {
    return validate(query.schema!, row)
  } catch (error) {
    if (!(error instanceof BadValue)) throw error
    const issues = error.issues.map(issue => ({ path: [index, ...issue.path], message: issue.message }))
    const details = { op: 'sql', sql: query.text, issues, hint: 'correct the query, or the schema given to .as().' }
    throw new DataFlowError('VALIDATION', `Row ${index} ${error.message}.`, details, error.cause)
  }
}
