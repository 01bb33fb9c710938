// The browser and the tab of a run, replaced whenever a fault has taken them.
import { rm } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import type { CDPSession, Page as Tab } from '@playwright/test'
import { startBrowser, type BrowserProcess } from '../browser-process.js'
import type { Answer, Lane, Look, OpenOptions, Page, Report, Saved } from './protocol.js'

/** More than the page gives its own calls. */
const ANSWER_MS = 60_000

/** One tab with the app. */
export class CrashTab {
  readonly tab: Tab
  readonly protocol: CDPSession
  /** Resolves when the tab is no more, for whatever reason. */
  readonly gone: Promise<void>
  /** Hears every report. */
  onReport: (report: Report) => void = () => {}
  isGone = false
  /** The page has been told to open the database: it need not be told again, even after its worker has gone. */
  opened = false

  private constructor(tab: Tab, protocol: CDPSession) {
    this.tab = tab
    this.protocol = protocol
    this.gone = new Promise(resolve => {
      const end = (): void => {
        this.isGone = true
        resolve()
      }
      tab.once('crash', end)
      tab.once('close', end)
    })
  }

  static async show(browser: BrowserProcess, url: string): Promise<CrashTab> {
    const tab = await browser.context.newPage()
    const protocol = await browser.context.newCDPSession(tab)
    const shown = new CrashTab(tab, protocol)
    protocol.on('Runtime.bindingCalled', ({ payload }) => shown.onReport(JSON.parse(payload) as Report))
    await protocol.send('Runtime.enable')
    await shown.load(url)
    return shown
  }

  async load(url: string): Promise<void> {
    this.opened = false
    await this.#goto(url)
    // Each time: the process may be another one.
    await this.protocol.send('Runtime.addBinding', { name: 'tellHarness' })
    await this.tab.waitForFunction(() => 'crash' in window)
  }

  /** On a busy machine Chromium now and then gives up the navigation that leaves a page in the middle of its work. */
  async #goto(url: string): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        await this.tab.goto(url)
        return
      } catch (error) {
        if (tries === 3 || !String(error).includes('net::ERR_ABORTED')) throw error
      }
    }
  }

  open(options: OpenOptions): Promise<Answer<number>> {
    this.opened = true
    return this.#ask('open', options)
  }
  look(): Promise<Answer<Look>> {
    return this.#ask('look')
  }
  saved(): Promise<Answer<Saved>> {
    return this.#ask('saved')
  }
  close(): Promise<Answer<null>> {
    this.opened = false
    return this.#ask('close')
  }
  importCopy(): Promise<Answer<number>> {
    return this.#ask('importCopy')
  }
  backup(): Promise<Answer<null>> {
    return this.#ask('backup')
  }
  /** Resolves when all calls have settled or the tab is gone. */
  async run(lanes: readonly Lane[]): Promise<void> {
    await this.#ask('run', lanes)
  }
  async terminate(): Promise<void> {
    await this.#ask('terminate')
  }

  /** Undefined when the tab goes before it answers. */
  async #ask<T>(name: keyof Page, argument?: unknown): Promise<T | undefined> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<Answer<never>>(resolve => {
      timer = setTimeout(() => {
        const failed = `the page has not answered ${name} for ${ANSWER_MS} ms`
        this.onReport({ hung: failed })
        resolve({ failed, code: 'HUNG' })
      }, ANSWER_MS)
    })
    let isGone = false
    const gone = this.gone.then(() => void (isGone = true))
    // As text: Playwright's own way for values takes seconds for thousands of rows.
    const answered = this.tab
      .evaluate(
        async ([name, text]) => {
          const argument = text === undefined ? undefined : JSON.parse(text)
          return JSON.stringify(await window.crash[name](argument as never))
        },
        [name, JSON.stringify(argument)] as const,
      )
      .then(text => text && JSON.parse(text))
      .catch(async (error: unknown) => {
        // Its navigation or its end rejects the call a moment before, or after, the event that tells of it.
        if (!isGone && !LEAVING.test(String(error))) throw error
      })
    try {
      return (await Promise.race([answered, gone, late])) as T | undefined
    } finally {
      clearTimeout(timer)
    }
  }
}

const LEAVING = /Execution context was destroyed|has been closed|Target crashed|Target closed|Session closed/

export class Session {
  readonly profile: string
  readonly #url: string
  #browser: BrowserProcess | null = null
  #tab: CrashTab | null = null

  constructor(profile: string, url: string) {
    this.profile = profile
    this.#url = url
    process.once('exit', this.#killNow)
  }

  /** Ended in the middle: the browser is a process group of its own and would go on for ever. */
  readonly #killNow = (): void => {
    if (this.#browser && lives(this.#browser.pid)) process.kill(-this.#browser.pid, 'SIGKILL')
  }

  /** The session is over; its profile can go. */
  async end(): Promise<void> {
    process.off('exit', this.#killNow)
    await this.kill()
    await rm(this.profile, { recursive: true, force: true, maxRetries: 10 })
  }

  get origin(): string {
    return new URL(this.#url).origin
  }

  /** The tab, in a browser: both started if they are not there. */
  async tab(): Promise<CrashTab> {
    return (this.#tab ??= await this.anotherTab())
  }

  async anotherTab(): Promise<CrashTab> {
    this.#browser ??= await startBrowser(this.profile)
    return CrashTab.show(this.#browser, this.#url)
  }

  /** From now on `tab` is the one, or with null a new one. */
  use(tab: CrashTab | null): void {
    this.#tab = tab
  }

  /** The tab with the app loaded anew, the database not open. */
  async reloaded(): Promise<CrashTab> {
    const tab = await this.tab()
    if (tab.opened) await tab.load(this.#url)
    return tab
  }

  /** The browser ends in order. */
  async quit(): Promise<void> {
    const { browser, pid } = this.#browser!
    const protocol = await browser.newBrowserCDPSession()
    // It may be gone before it answers.
    protocol.send('Browser.close').catch(() => {})
    for (let tries = 0; tries < 1000 && lives(pid); tries++) await delay(10)
    await this.kill()
  }

  /** SIGKILL to every process of the browser. */
  async kill(): Promise<void> {
    await this.#browser?.kill()
    this.#browser = null
    this.#tab = null
  }
}

function lives(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
