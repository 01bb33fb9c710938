// What stands in the middle of the page: the newest notes, the notes with a tag, a place and its notes.
import { announce, h } from './dom.js'
import { formatPosition, whereabouts } from './format.js'
import { noteForm } from './note-form.js'
import { insertNote, noteItem, type NoteActions } from './note-item.js'
import { guard } from './notices.js'
import { addNote, newestNotes, placeWithNotes } from './notes.js'

export interface View {
  readonly title: string
  readonly content: readonly (HTMLElement | null)[]
  /** Marked on the map. */
  readonly here?: { lat: number; lng: number }
}

/** All notes, or those with a tag. */
export async function notesView(tag: string | null, actions: NoteActions): Promise<View> {
  const title = tag === null ? 'Recent notes' : `#${tag}`
  const list = h('ol', { class: 'notes', 'aria-label': title })
  const more = h('button', { type: 'button', class: 'more', onclick: () => guard(show) }, 'Older notes')
  let next: string | null = null
  const show = async () => {
    const page = await newestNotes(next, tag)
    next = page.next
    const items = page.items.map(({ note, place }) => noteItem(note, place, actions))
    const further = list.children.length > 0
    list.append(...items)
    more.hidden = next === null
    if (further) items[0]?.querySelector('a')?.focus()
  }
  await show()
  return {
    title,
    content: [
      tag === null ? null : backLink(),
      h('h1', { tabindex: -1 }, title),
      list,
      tag === null ? welcome() : h('p', { class: 'empty' }, 'No note has this tag.'),
      more,
    ],
  }
}

function welcome(): HTMLElement {
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

export async function placeView(id: number, isImporting: boolean, actions: NoteActions): Promise<View> {
  const { place, notes } = await placeWithNotes(id)
  if (!place) {
    const text = isImporting ? 'It may come with the import that is still running.' : 'Nothing has this address.'
    return {
      title: 'No such place',
      content: [backLink(), h('h1', { tabindex: -1 }, 'No such place'), h('p', { class: 'empty' }, text)],
    }
  }
  const list = h('ol', { class: 'notes', 'aria-label': 'Notes about this place' })
  list.append(...notes.map(note => noteItem(note, null, actions)))
  const form = noteForm({
    save: async draft => {
      insertNote(list, await addNote(place.id, draft), actions)
      actions.onChange()
      announce('Note saved.')
      // The day stays: notes of a walk come one after the other.
      for (const field of form.querySelectorAll<HTMLInputElement>('textarea, input[type=text]')) field.value = ''
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
      h('h2', {}, 'Notes'),
      list,
      h('p', { class: 'empty' }, 'No notes about this place yet.'),
    ],
  }
}

function backLink(): HTMLElement {
  return h('a', { class: 'back', href: '#/' }, 'All notes')
}
