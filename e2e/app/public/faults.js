// Runs in the worker before the library, which stays as it is built: makes the real IndexedDB fail, wait and tell, and
// the worker itself end, when the page says so. The page and this talk over a channel named by the script's query.
const channel = new BroadcastChannel(new URL(import.meta.url).search)
const tell = fact => channel.postMessage(fact)

let refusing = false
let holding = false
/** The object store of the transaction that is kept open. */
let held = null
const connections = new Set()

const commands = {
  /** The next value that is put is refused: the disk is full. */
  refuse: () => (refusing = true),
  /** The next transaction that writes stays open until it is released or aborted. */
  hold: () => (holding = true),
  release: () => (held = null),
  abort() {
    const { transaction } = held
    held = null
    transaction.abort()
  },
  /** No timer fires any more: nothing is saved by the passing of time. */
  stopTimers: () => (globalThis.setTimeout = () => 0),
  throw: () => setTimeout(() => fail('thrown in the worker')),
  close: () => self.close(),
  /** The browser closes the connection to IndexedDB, and says so. */
  disconnect() {
    for (const db of connections) {
      db.close()
      db.dispatchEvent(new Event('close'))
    }
    connections.clear()
  },
  /** The same, before its event has come. */
  disconnectSilently() {
    for (const db of connections) db.close()
    connections.clear()
  },
}
channel.onmessage = ({ data }) => {
  if (!Object.hasOwn(commands, data)) return
  tell({ did: data })
  commands[data]()
}

function fail(message) {
  throw new Error(message)
}

function keepOpen(store) {
  if (held !== store) return
  store.get('nothing').onsuccess = () => keepOpen(store)
}

const { put } = IDBObjectStore.prototype
IDBObjectStore.prototype.put = function (...args) {
  if (refusing) {
    refusing = false
    throw new DOMException('No room, says the test', 'QuotaExceededError')
  }
  const request = put.apply(this, args)
  if (holding) {
    holding = false
    held = this
    keepOpen(this)
    tell({ held: true })
  }
  return request
}

const { commit } = IDBTransaction.prototype
IDBTransaction.prototype.commit = function () {
  // A transaction that is kept open ends by itself when it is released.
  if (held?.transaction !== this) commit.call(this)
}

const { transaction } = IDBDatabase.prototype
IDBDatabase.prototype.transaction = function (stores, mode, options) {
  connections.add(this)
  const begun = transaction.call(this, stores, mode, options)
  // What the browser took, not what was passed.
  if (begun.mode === 'readwrite') tell({ durability: begun.durability })
  return begun
}
