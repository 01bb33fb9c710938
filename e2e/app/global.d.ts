interface Window {
  dataflowEdge: typeof import('dataflow-edge')
  kit: typeof import('./kit.js')
}
