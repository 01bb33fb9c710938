// The search field: a combobox whose list pops up below it (ARIA authoring practices, "editable with list").
import { announce, byId, h } from './dom.js'
import { countryName, formatCount, formatNumber, whereabouts } from './format.js'
import { guard } from './notices.js'
import { findPlaces, type Found, type FoundPlace } from './search.js'

const DEBOUNCE_MS = 90

export interface SearchOptions {
  onChoose(place: FoundPlace): void
  /** Said where nothing was found: places may be missing yet. */
  isImporting(): boolean
}

export class PlaceSearch {
  readonly #input = byId<HTMLInputElement>('find')
  readonly #country = byId<HTMLSelectElement>('country')
  readonly #popup = byId('results')
  readonly #list = byId('found')
  readonly #count = byId('found-count')
  readonly #options: SearchOptions
  #found: readonly FoundPlace[] = []
  #active = -1
  /** What the list is the answer to; empty while there is none. */
  #answered = ''
  /** Enter came before the answer did. */
  #hurried = false
  #timer = 0
  #asking = new AbortController()

  constructor(options: SearchOptions) {
    this.#options = options
    this.#input.addEventListener('input', () => this.#ask(DEBOUNCE_MS))
    this.#input.addEventListener('focus', () => this.#ask(0))
    this.#input.addEventListener('blur', () => this.#close())
    this.#input.addEventListener('keydown', event => this.#onKey(event))
    this.#country.addEventListener('change', () => {
      this.#input.focus()
      this.#ask(0)
    })
    // The field keeps the focus, so that a press on the list does not close it.
    this.#popup.addEventListener('mousedown', event => event.preventDefault())
  }

  /** Fills the list of countries, keeping what was chosen. */
  setCountries(codes: readonly string[]): void {
    const chosen = this.#country.value
    const options = codes
      .map(code => ({ code, name: countryName(code) }))
      .sort((a, b) => a.name.localeCompare(b.name, 'en'))
      .map(({ code, name }) => h('option', { value: code, selected: code === chosen }, name))
    this.#country.replaceChildren(h('option', { value: '' }, 'All countries'), ...options)
  }

  /** To be called when the database is open. */
  enable(): void {
    this.#input.disabled = this.#country.disabled = false
  }

  /** Asks again: there may be more places now. */
  refresh(): void {
    if (!this.#popup.hidden) this.#ask(0)
  }

  #ask(delay: number): void {
    this.#hurried = false
    this.#answered = ''
    clearTimeout(this.#timer)
    this.#asking.abort()
    const { signal } = (this.#asking = new AbortController())
    this.#timer = window.setTimeout(() => guard(() => this.#find(signal)), delay)
  }

  async #find(signal: AbortSignal): Promise<void> {
    const text = this.#input.value
    if (text.trim() === '') return this.#close()
    const found = await findPlaces(text, this.#country.value, signal)
    // An answer that came before it could be taken back.
    if (signal.aborted || document.activeElement !== this.#input) return
    this.#answered = text
    const [first] = found.places
    if (this.#hurried && first) this.#choose(first)
    else this.#show(found)
  }

  #show({ places, total }: Found): void {
    const chosen = this.#found[this.#active]?.id
    this.#found = places
    this.#list.replaceChildren(
      ...places.map((place, i) =>
        h(
          'li',
          { id: `found-${i}`, role: 'option', 'aria-selected': 'false', onclick: () => this.#choose(place) },
          h('span', { class: 'name' }, place.name),
          ' ',
          h('span', { class: 'where' }, whereabouts(place)),
        ),
      ),
    )
    this.#count.textContent = this.#sentence(places.length, total)
    this.#popup.hidden = false
    this.#input.setAttribute('aria-expanded', 'true')
    this.#activate(places.findIndex(place => place.id === chosen))
    announce(this.#sentence(places.length, total))
  }

  #sentence(shown: number, total: number): string {
    if (total === 0) {
      const where = this.#country.value ? ` in ${countryName(this.#country.value)}` : ''
      return `No place${where} begins so${this.#options.isImporting() ? ' yet: the import is still running.' : '.'}`
    }
    return total > shown
      ? `The first ${shown} of ${formatNumber(total)}: type more to find fewer.`
      : `${formatCount(total, 'place')}.`
  }

  #close(): void {
    clearTimeout(this.#timer)
    this.#asking.abort()
    this.#popup.hidden = true
    this.#input.setAttribute('aria-expanded', 'false')
    this.#activate(-1)
  }

  #activate(index: number): void {
    this.#active = index
    Array.from(this.#list.children, (option, i) => option.setAttribute('aria-selected', String(i === index)))
    const active = this.#list.children[index]
    if (!active) return this.#input.removeAttribute('aria-activedescendant')
    this.#input.setAttribute('aria-activedescendant', active.id)
    active.scrollIntoView({ block: 'nearest' })
  }

  #choose(place: FoundPlace): void {
    this.#close()
    this.#input.value = ''
    this.#options.onChoose(place)
  }

  /** Opens the place that is marked, else the first that answers what stands in the field. */
  #onEnter(open: boolean): void {
    const answered = this.#answered === this.#input.value
    const place = this.#found[answered ? Math.max(this.#active, 0) : this.#active]
    if (open && place) return this.#choose(place)
    if (answered) return
    this.#ask(0)
    this.#hurried = true
  }

  #onKey(event: KeyboardEvent): void {
    if (event.isComposing) return
    const { length } = this.#found
    const open = !this.#popup.hidden && length > 0
    switch (event.key) {
      case 'ArrowDown':
        if (open) this.#activate((this.#active + 1) % length)
        else this.#ask(0)
        break
      case 'ArrowUp':
        if (open) this.#activate(this.#active <= 0 ? length - 1 : this.#active - 1)
        break
      case 'Enter':
        this.#onEnter(open)
        break
      case 'Escape':
        if (this.#popup.hidden) this.#input.value = ''
        this.#close()
        break
      default:
        return
    }
    event.preventDefault()
  }
}
