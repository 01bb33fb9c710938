// The map: no outline, only the places themselves, counted in cells of half a degree.
import { byId } from './dom.js'
import { formatCount } from './format.js'
import { db } from './models.js'

/** Half a degree; from 84° north to 56° south, where people live. */
const CELLS = 2
const WIDTH = 360 * CELLS
const NORTH = 84
const HEIGHT = (NORTH + 56) * CELLS

interface Position {
  readonly lat: number
  readonly lng: number
}

/** Places per cell, up to 255. */
export type Cells = Uint8Array

export function emptyCells(): Cells {
  return new Uint8Array(WIDTH * HEIGHT)
}

export function addToCells(cells: Cells, places: readonly Position[]): void {
  for (const { lat, lng } of places) {
    const x = Math.min(Math.floor((lng + 180) * CELLS), WIDTH - 1)
    const y = Math.floor((NORTH - lat) * CELLS)
    if (y < 0 || y >= HEIGHT) continue
    const at = y * WIDTH + x
    if (cells[at]! < 255) cells[at]!++
  }
}

/** Counts all places that are there. */
export async function countCells(): Promise<Cells> {
  const cells = emptyCells()
  for await (const place of db.places.iterate({ select: ['lat', 'lng'], chunk: 20_000 })) addToCells(cells, [place])
  return cells
}

export class WorldMap {
  readonly #canvas = byId<HTMLCanvasElement>('map')
  #cells = emptyCells()
  #noted: readonly Position[] = []
  #here: Position | undefined
  #due = 0

  constructor() {
    new ResizeObserver(() => this.#draw()).observe(this.#canvas)
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#draw())
  }

  show({ cells, noted, here }: { cells?: Cells; noted?: readonly Position[]; here?: Position | null }): void {
    this.#cells = cells ?? this.#cells
    this.#noted = noted ?? this.#noted
    if (here !== undefined) this.#here = here ?? undefined
    this.#canvas.parentElement!.classList.toggle('near', this.#here !== undefined)
    const marked = formatCount(this.#noted.length, 'place')
    this.#canvas.setAttribute('aria-label', `Map of the world, made of its places; ${marked} with notes marked`)
    this.redraw()
  }

  redraw(): void {
    cancelAnimationFrame(this.#due)
    this.#due = requestAnimationFrame(() => this.#draw())
  }

  #draw(): void {
    const canvas = this.#canvas
    const ratio = window.devicePixelRatio
    const width = Math.round(canvas.clientWidth * ratio)
    const height = Math.round(canvas.clientHeight * ratio)
    if (width === 0) return
    canvas.width = width
    canvas.height = height
    const scale = width / WIDTH
    const context = canvas.getContext('2d')!
    // A place is shown in the middle of a band, as far as the world reaches.
    const middle = this.#here ? (NORTH - this.#here.lat) * CELLS : 0
    const top = Math.max(0, Math.min(middle - height / scale / 2, HEIGHT - height / scale))
    context.translate(0, -top * scale)
    const style = getComputedStyle(canvas)
    this.#drawPlaces(context, scale, style.getPropertyValue('--dot'))
    const accent = style.getPropertyValue('--mark')
    for (const position of this.#noted) drawMark(context, position, scale, 2.5 * ratio, accent)
    if (!this.#here) return
    drawMark(context, this.#here, scale, 3.5 * ratio, accent)
    context.lineWidth = 1.5 * ratio
    context.strokeStyle = accent
    context.stroke(circle(this.#here, scale, 9 * ratio))
  }

  #drawPlaces(context: CanvasRenderingContext2D, scale: number, colour: string): void {
    context.fillStyle = colour
    for (let at = 0; at < this.#cells.length; at++) {
      const count = this.#cells[at]!
      if (count === 0) continue
      // The first place of a cell tells most: land, and somebody there.
      context.globalAlpha = Math.min(0.22 + Math.log2(count) * 0.13, 1)
      context.fillRect((at % WIDTH) * scale, Math.floor(at / WIDTH) * scale, scale, scale)
    }
    context.globalAlpha = 1
  }
}

function circle({ lat, lng }: Position, scale: number, radius: number): Path2D {
  const path = new Path2D()
  path.arc((lng + 180) * CELLS * scale, (NORTH - lat) * CELLS * scale, radius, 0, 2 * Math.PI)
  return path
}

function drawMark(
  context: CanvasRenderingContext2D,
  position: Position,
  scale: number,
  radius: number,
  colour: string,
): void {
  context.fillStyle = colour
  context.fill(circle(position, scale, radius))
}
