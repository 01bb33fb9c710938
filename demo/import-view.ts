// The import as it is seen: the bar, its words, and the map that fills.
import { DataFlowError } from 'dataflow-edge'
import { announce, byId } from './dom.js'
import { formatNumber } from './format.js'
import { countPlaces, importDue, importPlaces, keepMap, readImport, type Progress } from './import.js'
import { addToCells, countCells, emptyCells, type WorldMap } from './map.js'
import { dismissNotice, showError } from './notices.js'

export interface ImportViewOptions {
  /** Called when there are more places than before, but not at each chunk, and at the end. */
  onPlaces(): void
}

const FETCH = 'NETWORK'

/** Chunks between two calls of onPlaces. */
const PAUSE = 8

export class ImportView {
  readonly #bar = byId<HTMLProgressElement>('import-progress')
  readonly #caption = byId('map-caption')
  readonly #map: WorldMap
  readonly #options: ImportViewOptions
  #running = false
  /** The quarter that was told last. */
  #told = 0

  constructor(map: WorldMap, options: ImportViewOptions) {
    this.#map = map
    this.#options = options
  }

  get running(): boolean {
    return this.#running
  }

  /** Imports what is left. Failures are shown, with a way to try again. */
  async start(): Promise<void> {
    if (this.#running) return
    this.#running = true
    try {
      await this.#run()
    } catch (error) {
      this.#onFailure(error)
    } finally {
      this.#running = false
      this.#bar.hidden = true
      this.#options.onPlaces()
    }
  }

  #onFailure(error: unknown): void {
    this.#caption.textContent = 'The import has stopped.'
    const again = () => {
      dismissNotice(FETCH)
      void this.start()
    }
    if (DataFlowError.is(error)) return showError(error, { retry: again })
    // Nearly always the network. Whatever it was, the console tells all of it.
    console.error(error)
    const words = { code: FETCH, text: 'The places could not be fetched.', hint: 'What has arrived is kept.' }
    showError(error, { retry: again, words })
    window.addEventListener('online', again, { once: true })
  }

  async #run(): Promise<void> {
    const state = await readImport()
    // An edition that replaces another: the map is complete already, and is counted anew at the end.
    const complete = state?.map ?? null
    const cells = complete ?? (state ? await countCells() : emptyCells())
    this.#map.show({ cells })
    if (state) this.#options.onPlaces()
    const due = await importDue(state)
    if (due) {
      this.#show(due)
      let chunks = 0
      await importPlaces(due, (progress, places) => {
        if (!complete) addToCells(cells, places)
        this.#map.redraw()
        this.#show(progress)
        if (chunks++ % PAUSE === 0) this.#options.onPlaces()
      })
    }
    const total = await countPlaces()
    if (due || !complete) await keepMap(complete ? await countCells() : cells)
    this.#caption.textContent = `${formatNumber(total)} places`
    if (due) announce(`The import is complete: ${formatNumber(total)} places.`)
  }

  #show({ done, total }: Progress): void {
    const share = total === 0 ? 0 : done / total
    this.#bar.hidden = false
    this.#bar.value = share
    this.#caption.textContent =
      total === 0
        ? 'Bringing in the places …'
        : `Bringing in the places: ${formatNumber(done)} of ${formatNumber(total)}`
    const quarter = Math.floor(share * 4)
    if (quarter <= this.#told || quarter === 4) return
    this.#told = quarter
    announce(`Import of the places: ${quarter * 25} percent.`)
  }
}
