// Field Notes: puts the parts of the page together.
import { DataFlowError } from 'dataflow-edge'
import { byId } from './dom.js'
import { PlaceSearch } from './combobox.js'
import { ImportView } from './import-view.js'
import { WorldMap } from './map.js'
import { db } from './models.js'
import { deleteHiddenNotes, notedPlaces } from './notes.js'
import { dismissNotice, guard, showError, showNotice } from './notices.js'
import { keepForOffline } from './offline.js'
import { Panel } from './panel.js'
import { anyPlace, countriesFound } from './search.js'
import { notesView, placeView, type View } from './views.js'

const view = byId('view')
const map = new WorldMap()
let tab = { open: false, text: 'It is opening the database.' }
let opening = false
let shown = 0

const ELSEWHERE = 'Field Notes is open in another tab.'

const importing = new ImportView(map, {
  onPlaces: () =>
    guard(async () => {
      search.refresh()
      const countries = await countriesFound()
      search.setCountries(countries)
      byId('anywhere').hidden = countries.length === 0
    }),
})
const search = new PlaceSearch({
  onChoose: place => goTo(place.id),
  isImporting: () => importing.running,
})
const panel: Panel = new Panel({ isImporting: () => importing.running, tab: () => tab })

function goTo(id: number): void {
  const hash = `#/place/${id}`
  if (location.hash === hash) guard(navigate)
  else location.hash = hash
}

function route(): { place: number } | { tag: string | null } {
  const [, kind, value = ''] = location.hash.split('/')
  if (kind === 'place') return { place: Math.trunc(Number(value)) || 0 }
  return { tag: kind === 'tag' ? decodeURIComponent(value) : null }
}

const actions = { onChange: () => guard(mark), onReturn: () => guard(show) }

async function show(): Promise<void> {
  const turn = ++shown
  const to = route()
  const next: View =
    'place' in to ? await placeView(to.place, importing.running, actions) : await notesView(to.tag, actions)
  // The reader has gone on meanwhile.
  if (turn !== shown) return
  document.title = next.title === 'Recent notes' ? 'Field Notes' : `${next.title} · Field Notes`
  view.replaceChildren(...next.content.filter(part => part !== null))
  map.show({ here: next.here ?? null })
  guard(mark)
}

async function mark(): Promise<void> {
  map.show({ noted: await notedPlaces() })
}

async function navigate(): Promise<void> {
  await show()
  view.querySelector('h1')?.focus()
  window.scrollTo({ top: 0 })
}

function setTab(open: boolean, text: string): void {
  tab = { open, text }
  panel.update()
}

/** Opens the database; waits for another tab that has it. */
async function open(): Promise<void> {
  if (tab.open || opening) return
  opening = true
  try {
    await db.ready
  } catch (error) {
    dismissNotice('BLOCKED')
    setTab(false, 'It could not open the database.')
    const words = DataFlowError.is(error, 'LOCKED') && {
      words: { text: ELSEWHERE, hint: 'Close it there, then try again here.' },
    }
    return showError(error, { retry: () => void open(), keep: true, ...words })
  } finally {
    opening = false
  }
  byId('notices').replaceChildren()
  setTab(true, 'It holds the database; other tabs wait until it is closed.')
  guard(start)
}

async function start(): Promise<void> {
  byId('world').hidden = false
  search.enable()
  await deleteHiddenNotes()
  await show()
  const imported = importing.start()
  panel.update()
  await imported
  panel.update()
}

db.on('blocked', () => {
  setTab(false, 'It waits for the tab that holds the database.')
  showNotice('BLOCKED', ELSEWHERE, 'Close it there, and it opens here.')
})
db.on('error', error => showError(error))
window.addEventListener('hashchange', () => {
  if (tab.open) guard(navigate)
})
byId('anywhere').addEventListener('click', () =>
  guard(async () => {
    const place = await anyPlace()
    if (place) goTo(place.id)
  }),
)
// Whoever comes back to this tab may have closed the other one.
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible') void open()
})
keepForOffline()
void open()
