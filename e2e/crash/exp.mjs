import { runnerImport } from 'vite'
import { mkdtempSync, cpSync, writeFileSync, readFileSync } from 'node:fs'
let src = readFileSync('/work/main/e2e/browser-process.ts', 'utf8').replace("'--headless',", "'--headless', ...(process.env.FLAGS ? process.env.FLAGS.split(' ') : []),")
writeFileSync('/work/main/e2e/crash/exp-bp.ts', src.replace("'../scripts/find", "'../../scripts/find"))
const { module: { startBrowser } } = await runnerImport('/work/main/e2e/crash/exp-bp.ts')
const { module: { serve } } = await runnerImport('/work/main/e2e/server.ts')
const dir = mkdtempSync('/tmp/exp/site-')
cpSync('/work/main/dist', dir + '/lib', { recursive: true })
writeFileSync(dir + '/index.html', `<script type=module>import * as d from './lib/index.js'; window.d = d; window.open_ = async () => { const { dataflow, model, t } = d
  window.db = dataflow('q', { maxWaitForOwner: 60000, models: { a: model('A', { id: t.id(), body: t.text() }) } }); const t0 = performance.now(); await db.ready; return performance.now() - t0 }
  window.raw = () => new Promise(r => navigator.locks.request('raw', () => { r(1); return new Promise(() => {}) }))
  </script>`)
const server = await serve(dir)

for (const order of ['before', 'after', 'before', 'after', 'before-query']) {
  const b = await startBrowser(mkdtempSync('/tmp/exp/profile-'))
  const A = await b.context.newPage(); await A.goto(server.url); await A.waitForFunction(() => 'open_' in window)
  await A.evaluate(() => { addEventListener('pagehide', e => localStorage.setItem('persisted', String(e.persisted))) })
  await A.evaluate(() => open_())
  const B = await b.context.newPage(); await B.goto(server.url); await B.waitForFunction(() => 'open_' in window)
  let opened, t0
  if (order !== 'after') { opened = B.evaluate(() => open_()); await new Promise(r => setTimeout(r, 500)) }
  t0 = performance.now()
  await A.goto('about:blank')
  if (order === 'after') opened = B.evaluate(() => open_())
  if (order === 'before-query') console.log(await B.evaluate(async () => { await new Promise(r => setTimeout(r, 2000)); return JSON.stringify(await navigator.locks.query()) }))
  await Promise.race([opened, new Promise(r => setTimeout(r, 70000))])
  console.log('B asked', order, 'waited', Math.round(performance.now() - t0), 'persisted', await B.evaluate(() => localStorage.getItem('persisted')))
  await b.kill()
}
process.exit()
