// The page of the end-to-end tests: everything the package exports, for page.evaluate.
import * as dataflowEdge from 'dataflow-edge'

window.dataflowEdge = dataflowEdge
