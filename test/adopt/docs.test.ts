// docs/adopting.md shows what is really printed.
import { expect, test } from 'vitest'
import { samplesOf } from '../support/docs-samples.js'
import { useOrigin } from '../whole/support.js'
import { writeModule } from './support.js'

useOrigin()

test('the printed module is the one in the docs', async () => {
  const setups = samplesOf('docs/adopting.md').filter(({ kind }) => kind === 'setup')
  const [makesFile, both] = setups.map(({ code }) => code.replace(/\nexport \{\}\n$/, ''))
  const path = writeModule('file', `${makesFile}\nexport default dataflow.introspect(file)\n`)
  const { default: found } = (await import(path)) as { default: Promise<{ code: string }> }
  expect((await found).code).toBe(both!.slice(makesFile!.length))
})
