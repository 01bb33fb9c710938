// "Under the hood": what the database does for this page, from db.metrics() and db.on().
import type { Metrics, MigrationEntry, QueryEvent } from 'dataflow-edge'
import { activity, onIdle, type Activity } from './activity.js'
import { byId, h } from './dom.js'
import { db } from './models.js'
import { guard } from './notices.js'
import {
  checksSection,
  migrationsSection,
  queryItem,
  statementsSection,
  storageSection,
  tabSection,
} from './panel-sections.js'

export interface PanelOptions {
  /** An import runs a statement per row: nothing to follow one by one. */
  isImporting(): boolean
  /** What this tab is to the database. */
  tab(): { readonly open: boolean; readonly text: string }
}

/** Statements kept for the list. */
const RECENT = 8

interface Sample {
  readonly operations: number
  readonly executed: number
}

export class Panel {
  readonly #panel = byId('panel')
  readonly #toggle = byId('panel-toggle')
  readonly #options: PanelOptions
  readonly #stop: (() => void)[] = []
  #unfollow: (() => void) | null = null
  readonly #queries = h('ol', { class: 'queries', 'aria-label': 'Latest statements' })
  readonly #body = h('div')
  #last: Sample | null = null
  #perOperation: number | null = null
  #history: readonly MigrationEntry[] = []
  #due = 0

  constructor(options: PanelOptions) {
    this.#options = options
    this.#toggle.addEventListener('click', () => (this.#panel.hidden ? this.#open() : this.#close()))
    this.#panel.append(
      h(
        'header',
        {},
        h('h2', { id: 'panel-title' }, 'Under the hood'),
        h('button', { type: 'button', class: 'quiet', onclick: () => this.#close() }, 'Close'),
      ),
      this.#body,
    )
    this.#panel.addEventListener('keydown', event => {
      if (event.key === 'Escape') this.#close()
    })
  }

  /** Shows what has changed, soon. */
  refresh(): void {
    if (this.#panel.hidden) return
    clearTimeout(this.#due)
    this.#due = window.setTimeout(() => guard(() => this.#measure()), 60)
  }

  /** To be called when the tab's state or the schema has changed, or an import has begun or ended. */
  update(): void {
    if (this.#panel.hidden) return
    this.#follow()
    guard(async () => {
      // A statement of its own, which belongs to no operation of the page.
      if (this.#options.tab().open) this.#history = await db.migrations.history()
      this.#last = null
      await this.#measure()
    })
  }

  #open(): void {
    this.#panel.hidden = false
    this.#toggle.setAttribute('aria-expanded', 'true')
    document.body.classList.add('with-panel')
    this.#stop.push(
      onIdle(() => this.refresh()),
      db.on('flush', () => this.refresh()),
      db.on('migrate', () => this.update()),
    )
    this.#panel.focus()
    this.update()
  }

  /** Every statement is a message from the worker: asked for only while somebody looks, and never of an import. */
  #follow(): void {
    const wanted = !this.#panel.hidden && !this.#options.isImporting()
    if (wanted) this.#unfollow ??= db.on('query', query => this.#onQuery(query))
    else {
      this.#unfollow?.()
      this.#unfollow = null
    }
  }

  #close(): void {
    for (const stop of this.#stop.splice(0)) stop()
    this.#panel.hidden = true
    this.#follow()
    this.#toggle.setAttribute('aria-expanded', 'false')
    document.body.classList.remove('with-panel')
    this.#toggle.focus()
  }

  #onQuery(query: QueryEvent): void {
    this.#queries.prepend(queryItem(query))
    while (this.#queries.children.length > RECENT) this.#queries.lastElementChild!.remove()
    this.refresh()
  }

  async #measure(): Promise<void> {
    // Asking would wait for the tab that has it.
    if (!this.#options.tab().open) return this.#render(null)
    const before = activity()
    const metrics = await db.metrics()
    this.#compare(before, metrics)
    if (!this.#panel.hidden) this.#render(metrics)
  }

  /** Between two moments in which nothing was under way, statements and operations belong together. */
  #compare(before: Activity, { statements: { executed } }: Metrics): void {
    const { operations, idle } = activity()
    if (this.#options.isImporting()) this.#last = null
    else if (before.idle && idle && before.operations === operations) {
      if (this.#last && operations > this.#last.operations) {
        this.#perOperation = (executed - this.#last.executed) / (operations - this.#last.operations)
      }
      this.#last = { operations, executed }
    }
  }

  #render(metrics: Metrics | null): void {
    const { scrollTop } = this.#panel
    this.#body.replaceChildren(
      ...(metrics
        ? [
            statementsSection(this.#perOperation, metrics.statements, this.#queries),
            checksSection(metrics.ensure),
            storageSection(metrics.flush),
            migrationsSection(this.#history),
          ]
        : []),
      tabSection(this.#options.tab().text, metrics?.rpc ?? null),
    )
    this.#panel.scrollTop = scrollTop
  }
}
