// What stands in the middle of the page: the newest notes, the notes with a tag, a place and its notes.
import { announce, h } from './dom.js'
import { formatPosition, whereabouts } from './format.js'
import { noteForm } from './note-form.js'
import { noteItem } from './note-item.js'
import { guard } from './notices.js'
import { addNote, newestNotes, placeWithNotes, type PlacedNote } from './notes.js'

export interface View {
  readonly title: string
  readonly content: readonly (HTMLElement | null)[]
  /** Marked on the map. */
  readonly here?: { lat: number; lng: number }
}

/** `changed` is called when notes were added, changed or deleted. */
export async function notesView(tag: string | null, changed: () => void): Promise<View> {
  const title = tag === null ? 'Recent notes' : `#${tag}`
  const list = h('ol', { class: 'notes', 'aria-label': title })
  const more = h('button', { type: 'button', class: 'more', onclick: () => guard(show) }, 'Older notes')
  let next: string | null = null
  const show = async () => {
    const page = await newestNotes(next, tag)
    next = page.next
    const first = list.children.length
    list.append(...page.items.map(({ note, place }: PlacedNote) => noteItem({ note, place, onChange: changed })))
    more.hidden = next === null
    if (first > 0) list.children[first]?.querySelector('a')?.focus()
  }
  await show()
  const empty = list.children.length === 0
  return {
    title,
    content: [
      tag === null ? null : backLink(),
      h('h1', { tabindex: -1 }, title),
      empty ? emptyText(tag) : list,
      empty ? null : more,
    ],
  }
}

function emptyText(tag: string | null): HTMLElement {
  if (tag !== null) return h('p', { class: 'empty' }, 'No note has this tag any more.')
  return h(
    'div',
    { class: 'empty' },
    h('p', {}, 'Nothing here yet.'),
    h(
      'p',
      {},
      'Find a place you know, and write down what you saw there. It will be here again tomorrow, online or not.',
    ),
  )
}

export async function placeView(id: number, changed: () => void): Promise<View> {
  const { place, notes } = await placeWithNotes(id)
  if (!place) {
    const text = 'It may come with the import that is still running.'
    return {
      title: 'No such place',
      content: [backLink(), h('h1', { tabindex: -1 }, 'No such place'), h('p', { class: 'empty' }, text)],
    }
  }
  const form = noteForm({
    save: async draft => {
      await addNote(place.id, draft)
      announce('Note saved.')
      // The day stays: notes of a walk come one after the other.
      for (const field of form.querySelectorAll<HTMLInputElement>('textarea, input[type=text]')) field.value = ''
      changed()
    },
  })
  return {
    title: place.name,
    here: place,
    content: [
      backLink(),
      h('h1', { tabindex: -1 }, place.name),
      h('p', { class: 'place-where' }, whereabouts(place), h('span', {}, formatPosition(place))),
      form,
      placeNotes(notes, changed),
    ],
  }
}

/** The notes of the place that is shown, anew; what stands in its form stays. */
export async function refreshPlaceNotes(id: number, changed: () => void): Promise<void> {
  const { notes } = await placeWithNotes(id)
  document.getElementById('place-notes')?.replaceWith(placeNotes(notes, changed))
}

function placeNotes(notes: Awaited<ReturnType<typeof placeWithNotes>>['notes'], changed: () => void): HTMLElement {
  const items = notes.map(note => noteItem({ note, onChange: changed }))
  return h(
    'section',
    { id: 'place-notes' },
    h('h2', { class: notes.length > 0 ? '' : 'visually-hidden' }, 'Notes'),
    notes.length > 0
      ? h('ol', { class: 'notes', 'aria-label': 'Notes about this place' }, ...items)
      : h('p', { class: 'empty' }, 'No notes about this place yet.'),
  )
}

function backLink(): HTMLElement {
  return h('a', { class: 'back', href: '#/' }, 'All notes')
}
