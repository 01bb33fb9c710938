// Calls that have arrived and not begun: until then each can be taken back.

export class Arrivals {
  readonly #waiting = new Set<number>()
  /** Those of them that were taken back. */
  readonly #cancelled = new Set<number>()

  add(id: number): void {
    this.#waiting.add(id)
  }

  /** Which of these were still waiting: none of them will be done. */
  cancel(ids: readonly number[]): readonly number[] {
    const taken = ids.filter(id => this.#waiting.has(id))
    for (const id of taken) this.#cancelled.add(id)
    return taken
  }

  /** The call waits no more: true if it was taken back before. */
  takeOff(id: number): boolean {
    this.#waiting.delete(id)
    return this.#cancelled.delete(id)
  }
}
