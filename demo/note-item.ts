// One note, as it is read; its buttons change and delete it.
import { h } from './dom.js'
import { formatDay, whereabouts } from './format.js'
import type { Note } from './models.js'
import { noteForm } from './note-form.js'
import { guard, offerUndo } from './notices.js'
import { changeNote, deleteNote, hideNote, restoreNote, type NotePlace } from './notes.js'

export interface NoteItemOptions {
  note: Note
  /** Named above the note where the page is not about it. */
  place?: NotePlace
  /** Called when the note was changed, deleted or restored. */
  onChange(): void
}

export function noteItem({ note, place, onChange }: NoteItemOptions): HTMLElement {
  const item = h('li', { class: 'note', 'data-note': note.id })
  const day = h('time', { datetime: note.date.toISOString().slice(0, 10) }, formatDay(note.date))

  const read = () => {
    const edit = h('button', { type: 'button', class: 'quiet small', onclick: change }, 'Edit', hidden(note))
    item.replaceChildren(
      place
        ? h(
            'p',
            { class: 'note-place' },
            h('a', { href: `#/place/${place.id}` }, place.name),
            ' ',
            h('span', {}, whereabouts(place)),
          )
        : '',
      h('p', { class: 'note-text' }, note.text),
      h(
        'div',
        { class: 'note-foot' },
        day,
        note.tags.length > 0 && h('ul', { class: 'tags', 'aria-label': 'Tags' }, ...note.tags.map(tagLink)),
        h(
          'span',
          { class: 'note-actions' },
          edit,
          h('button', { type: 'button', class: 'quiet small', onclick: remove }, 'Delete', hidden(note)),
        ),
      ),
    )
    return edit
  }
  const change = () => {
    const form = noteForm({
      note,
      save: async draft => {
        await changeNote(note.id, draft)
        onChange()
      },
      cancel: () => read().focus(),
    })
    item.replaceChildren(form)
    form.querySelector('textarea')!.focus()
  }
  const remove = () =>
    guard(async () => {
      await hideNote(note.id)
      onChange()
      const undo = async () => {
        await restoreNote(note.id)
        onChange()
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

function tagLink(tag: string): HTMLElement {
  return h('li', {}, h('a', { href: `#/tag/${encodeURIComponent(tag)}` }, tag))
}

/** Which note, for those who hear the buttons one after the other. */
function hidden({ text, date }: Note): HTMLElement {
  const words = text.length > 40 ? `${text.slice(0, 40)} …` : text
  return h('span', { class: 'visually-hidden' }, ` the note of ${formatDay(date)}: ${words}`)
}
