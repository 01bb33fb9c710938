// The library's own worker behind faults.js, and a record of what crosses. For the option `worker`.

/** What happens inside the worker when the page says so; faults.js explains each. */
export type Fault =
  'refuse' | 'hold' | 'release' | 'abort' | 'stopTimers' | 'throw' | 'close' | 'disconnect' | 'disconnectSilently'
type Fact = { did: Fault } | { held: true } | { durability: string }

export class TestWorker {
  /** Every worker made, the last one at the end. */
  readonly workers: Worker[] = []
  /** The method each message to a worker called. */
  readonly calls: string[] = []
  /** What came back, as Comlink sends it. */
  readonly replies: { type: string; name?: string; value?: unknown }[] = []
  /** Durability of each transaction that writes. */
  readonly durabilities: string[] = []
  /** The option of that name: from a blob: the library's worker cannot find it by itself. */
  readonly wasmUrl: URL
  readonly #url: string
  readonly #channel: BroadcastChannel

  private constructor(url: string, wasmUrl: URL, channel: BroadcastChannel) {
    this.#url = url
    this.wasmUrl = wasmUrl
    this.#channel = channel
    channel.addEventListener('message', ({ data }: MessageEvent<Fact>) => {
      if ('durability' in data) this.durabilities.push(data.durability)
    })
  }

  static async load(): Promise<TestWorker> {
    const files: string[] = await (await fetch('files.json')).json()
    const locate = (name: RegExp): URL => {
      const found = files.find(file => name.test(file))
      if (!found) throw new Error(`None of ${files.join(', ')} is ${name}`)
      return new URL(found, location.href)
    }
    const name = `?${crypto.randomUUID()}`
    const imports = [new URL(`faults.js${name}`, location.href), locate(/(^|\/)worker[^/]*\.js$/)]
    const text = imports.map(url => `import '${url}'`).join('\n')
    const url = URL.createObjectURL(new Blob([text], { type: 'text/javascript' }))
    return new TestWorker(url, locate(/\.wasm$/), new BroadcastChannel(name))
  }

  /** Makes the worker: `dataflow(name, { worker: testWorker.make, wasmUrl: testWorker.wasmUrl })`. */
  readonly make = (): Worker => {
    const worker = new Worker(this.#url, { type: 'module' })
    const post = worker.postMessage.bind(worker) as (message: unknown, transfer: Transferable[]) => void
    worker.postMessage = ((message: { path?: string[] }, transfer: Transferable[]) => {
      this.calls.push(message.path?.join('.') ?? '')
      post(message, transfer)
    }) as Worker['postMessage']
    worker.addEventListener('message', ({ data }) => this.replies.push(data))
    this.workers.push(worker)
    return worker
  }

  /** Resolves when the worker has it. */
  async tell(fault: Fault): Promise<void> {
    const done = this.#hear(fact => 'did' in fact && fact.did === fault)
    this.#channel.postMessage(fault)
    await done
  }

  /** Makes the next flush stay under way until it is told 'release' or 'abort'; `begun` resolves when it is. */
  async hold(): Promise<{ begun: Promise<void> }> {
    const begun = this.#hear(fact => 'held' in fact)
    await this.tell('hold')
    return { begun }
  }

  #hear(wanted: (fact: Fact) => boolean): Promise<void> {
    return new Promise(resolve => {
      const listen = ({ data }: MessageEvent<Fact>) => {
        if (!wanted(data)) return
        this.#channel.removeEventListener('message', listen)
        resolve()
      }
      this.#channel.addEventListener('message', listen)
    })
  }
}
