// The form for a note, new or old.
import { h } from './dom.js'
import { today } from './format.js'
import type { Note } from './models.js'
import { guard } from './notices.js'
import { parseTags, type NoteDraft } from './notes.js'

export interface NoteFormOptions {
  /** The note to change; a new one if left out. */
  note?: Note
  save(draft: NoteDraft): Promise<void>
  /** No such button if left out. */
  cancel?: () => void
}

let forms = 0

export function noteForm({ note, save, cancel }: NoteFormOptions): HTMLFormElement {
  const id = `note-form-${++forms}`
  const text = h('textarea', {
    id: `${id}-text`,
    rows: 3,
    maxlength: 10_000,
    required: true,
    placeholder: note ? '' : 'What did you see?',
  })
  const date = h('input', { id: `${id}-date`, type: 'date', required: true })
  const tags = h('input', { id: `${id}-tags`, type: 'text', placeholder: 'birds, rain', autocapitalize: 'off' })
  const submit = h('button', { type: 'submit', class: 'primary' }, note ? 'Save changes' : 'Add note')
  const label = (input: HTMLElement, name: string) => h('label', { for: input.id }, name)

  text.value = note?.text ?? ''
  tags.value = note?.tags.join(', ') ?? ''
  date.valueAsDate = note?.date ?? today()

  const onSubmit = async () => {
    submit.disabled = true
    try {
      await save({ text: text.value.trim(), tags: parseTags(tags.value), date: date.valueAsDate! })
    } finally {
      submit.disabled = false
    }
  }
  const form = h(
    'form',
    { class: 'note-form', 'aria-label': note ? 'Change the note' : 'New note' },
    h('div', { class: 'field wide' }, label(text, 'Note'), text),
    h('div', { class: 'field' }, label(date, 'Day'), date),
    h('div', { class: 'field grow' }, label(tags, 'Tags, with commas'), tags),
    h('div', { class: 'actions' }, submit, cancel && h('button', { type: 'button', onclick: cancel }, 'Cancel')),
  )
  form.addEventListener('submit', event => {
    event.preventDefault()
    // Spaces alone pass `required`.
    text.setCustomValidity(text.value.trim() ? '' : 'Write something first.')
    if (form.reportValidity()) guard(onSubmit)
  })
  text.addEventListener('input', () => text.setCustomValidity(''))
  form.addEventListener('keydown', event => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit()
    if (event.key === 'Escape' && cancel) cancel()
  })
  return form
}
