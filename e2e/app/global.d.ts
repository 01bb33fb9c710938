interface Window {
  dataflowEdge: typeof import('dataflow-edge')
}
