// The page of the end-to-end tests: everything the package exports and the tests' own helpers, for page.evaluate.
import * as dataflowEdge from 'dataflow-edge'
import * as kit from './kit.js'

window.dataflowEdge = dataflowEdge
window.kit = kit
