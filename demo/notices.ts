// What went wrong, with the code and the hint that the library gives, and what was done, with a way back.
import { DataFlowError } from 'dataflow-edge'
import { announce, byId, h } from './dom.js'

export interface NoticeOptions {
  /** What "Try again" does; no such button if left out. */
  retry?: () => void
  /** Cannot be dismissed: it says why nothing else is here. */
  keep?: boolean
  /** Said in place of the error's own words, which are for developers. */
  words?: { readonly code?: string; readonly text: string; readonly hint: string }
}

/** Shows an error above everything else, in the place of one with the same code. */
export function showError(error: unknown, options: NoticeOptions = {}): void {
  show({ ...describe(error), ...options.words }, 'alert', options)
}

/** Says something that is no error. `code` names it for `dismissNotice`. */
export function showNotice(code: string, text: string, hint: string): void {
  show({ code, text, hint }, 'status', { keep: true })
}

export function dismissNotice(code: string): void {
  byId('notices').querySelector(`[data-code="${code}"]`)?.remove()
}

interface Message {
  readonly code: string
  readonly text: string
  readonly hint: string
}

function show({ code, text, hint }: Message, role: 'alert' | 'status', { retry, keep = false }: NoticeOptions): void {
  const close = () => notice.remove()
  const actions = [
    retry && h('button', { type: 'button', onclick: () => (close(), retry()) }, 'Try again'),
    !keep && h('button', { type: 'button', class: 'quiet', onclick: close }, 'Dismiss'),
  ].filter(Boolean)
  const notice = h(
    'div',
    { class: `notice ${role}`, role, 'data-code': code },
    h('p', {}, role === 'alert' && h('code', {}, code), ' ', text),
    hint ? h('p', { class: 'hint' }, hint) : null,
    actions.length > 0 && h('p', { class: 'actions' }, ...actions),
  )
  dismissNotice(code)
  byId('notices').append(notice)
}

/** Runs a handler's work; what it throws is shown. */
export function guard(work: () => Promise<void>): void {
  work().catch((error: unknown) => {
    // Taken back by ourselves, for something newer.
    if (!DataFlowError.is(error, 'ABORTED')) showError(error)
  })
}

function describe(error: unknown): Message {
  if (!DataFlowError.is(error)) {
    return { code: 'ERROR', text: error instanceof Error ? error.message : String(error), hint: '' }
  }
  const { code, hint = '', message } = error
  // The message is made for a console: it holds code and hint too.
  const text = message.replace(`[${code}] `, '').replace(hint && ` Hint: ${hint}`, '')
  return { code, text, hint }
}

/** How long an undo is offered. */
const UNDO_MS = 12_000
let endLast = () => {}

/** Offers to take something back; `onEnd` runs when the offer ends unused. */
export function offerUndo(text: string, undo: () => void, onEnd: () => void): void {
  endLast()
  let timer = 0
  const hold = () => clearTimeout(timer)
  // Nobody is hurried who is about to press it.
  const holdForKeyboard = () => {
    if (button.matches(':focus-visible')) hold()
  }
  const wait = () => {
    hold()
    timer = window.setTimeout(() => end(onEnd), UNDO_MS)
  }
  const end = (then: () => void) => {
    hold()
    endLast = () => {}
    const focused = toast.contains(document.activeElement)
    toast.remove()
    if (focused) byId('view').focus()
    then()
  }
  const button = h('button', { type: 'button', onclick: () => end(undo) }, 'Undo')
  const toast = h('div', { class: 'toast', role: 'group', 'aria-label': text }, h('span', {}, text), button)
  toast.addEventListener('mouseenter', hold)
  toast.addEventListener('focusin', holdForKeyboard)
  for (const event of ['mouseleave', 'focusout']) toast.addEventListener(event, wait)
  endLast = () => end(onEnd)
  byId('toasts').append(toast)
  announce(text)
  wait()
  // What was deleted had the focus, and left none behind.
  button.focus()
}
