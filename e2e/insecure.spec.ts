// 29: a page that is no secure context has no navigator.locks and no crypto.subtle.
import { chromium } from '@playwright/test'
import { chromiumFlags, findChromium } from '../scripts/find-chromium.mjs'
import { expect, showApp, test } from './fixtures.js'

test('29: on plain http other than localhost: WORKER_LOAD that says so; on localhost it works', async ({
  profile,
  appServer,
}) => {
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: findChromium(),
    args: [...chromiumFlags, '--host-resolver-rules=MAP insecure.test localhost'],
  })
  const page = context.pages()[0]!
  const tryOnce = () =>
    page.evaluate(async () => ({
      secure: isSecureContext,
      ends: await Promise.all([
        window.kit.settled(window.kit.openNotes('insecure').notes.count()),
        window.kit.settled(window.kit.openNotes('insecure-memory', { storage: 'memory' }).notes.count()),
      ]),
    }))
  await showApp(page, { ...appServer, url: appServer.url.replace('localhost', 'insecure.test') })
  const failed = { code: 'WORKER_LOAD', retryable: false, hint: 'needs a secure context (https or localhost).' }
  expect(await tryOnce()).toMatchObject({ secure: false, ends: [{ failed }, { failed }] })

  await showApp(page, appServer)
  expect(await tryOnce()).toEqual({ secure: true, ends: [{ ok: 0 }, { ok: 0 }] })
  await context.close()
})
