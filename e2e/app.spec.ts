import { expect, test } from './fixtures.js'

test('the package loads in a page and exports its names', async ({ app }) => {
  const names = await app.evaluate(() => Object.keys(window.dataflowEdge))
  expect(names).toEqual(expect.arrayContaining(['dataflow', 'model', 't', 'sql', 'DataFlowError']))
})
