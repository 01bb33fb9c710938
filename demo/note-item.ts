// One note, as it is read; its buttons change and delete it.
import { h } from './dom.js'
import { formatDay, whereabouts } from './format.js'
import type { Note } from './models.js'
import { noteForm } from './note-form.js'
import { guard, offerUndo } from './notices.js'
import { changeNote, deleteNote, hideNote, restoreNote, type NotePlace } from './notes.js'

export interface NoteActions {
  /** A note has come or gone. */
  onChange(): void
  /** A note has come back, and the list that it left is not shown any more. */
  onReturn(): void
}

/** `place` is named above the note where the page is not about it. */
export function noteItem(first: Note, place: NotePlace | null, actions: NoteActions): HTMLElement {
  let note = first
  const item = h('li', { class: 'note' })

  const read = () => {
    const edit = h('button', { type: 'button', class: 'quiet small', onclick: change }, 'Edit', which(note))
    const remove = h('button', { type: 'button', class: 'quiet small', onclick: onRemove }, 'Delete', which(note))
    const day = h('time', { datetime: dayOf(note) }, formatDay(note.date))
    item.replaceChildren(
      place ? placeLink(place) : '',
      h('p', { class: 'note-text' }, note.text),
      h(
        'div',
        { class: 'note-foot' },
        day,
        note.tags.length > 0 && h('ul', { class: 'tags', 'aria-label': 'Tags' }, ...note.tags.map(tagLink)),
        h('span', { class: 'note-actions' }, edit, remove),
      ),
    )
    return edit
  }
  const change = () => {
    const form = noteForm({
      note,
      save: async draft => {
        note = await changeNote(note.id, draft)
        read().focus()
      },
      cancel: () => read().focus(),
    })
    item.replaceChildren(form)
    form.querySelector('textarea')!.focus()
  }
  const onRemove = () =>
    guard(async () => {
      await hideNote(note.id)
      const list = item.parentElement!
      const next = item.nextElementSibling
      item.remove()
      actions.onChange()
      const undo = async () => {
        await restoreNote(note.id)
        actions.onChange()
        if (!list.isConnected) return actions.onReturn()
        list.insertBefore(item, next?.parentElement === list ? next : null)
        item.querySelector('button')!.focus()
      }
      offerUndo(
        'Note deleted.',
        () => guard(undo),
        () => guard(() => deleteNote(note.id)),
      )
    })
  read()
  return item
}

/** Puts a new note among those that are listed, the newest day first. */
export function insertNote(list: HTMLElement, note: Note, actions: NoteActions): void {
  const day = dayOf(note)
  const next = Array.from(list.children).find(item => (item.querySelector('time')?.dateTime ?? '') <= day)
  list.insertBefore(noteItem(note, null, actions), next ?? null)
}

const dayOf = ({ date }: Note): string => date.toISOString().slice(0, 10)

function placeLink(place: NotePlace): HTMLElement {
  const link = h('a', { href: `#/place/${place.id}` }, place.name)
  return h('p', { class: 'note-place' }, link, ' ', h('span', {}, whereabouts(place)))
}

function tagLink(tag: string): HTMLElement {
  return h('li', {}, h('a', { href: `#/tag/${encodeURIComponent(tag)}` }, tag))
}

/** Which note, for those who hear the buttons one after the other. */
function which({ text, date }: Note): HTMLElement {
  const words = text.length > 40 ? `${text.slice(0, 40)} …` : text
  return h('span', { class: 'visually-hidden' }, ` the note of ${formatDay(date)}: ${words}`)
}
