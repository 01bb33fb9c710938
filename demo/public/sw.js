// Keeps the page, so that it opens without a network. Files are taken from one cache that holds one build as a whole;
// a new build is fetched in the background and used by the next visit.
const PREFIX = 'field-notes:'
const PAGE = './'
/** Not part of files.json: what the build does not see. */
const MORE = [PAGE, './files.json', './icon.svg', './manifest.webmanifest']
/** The places are needed once, for the import; the inline worker only where a bundler lost the real one; adopt never. */
const LEFT_OUT = /places-|inline-worker|adopt-/

self.addEventListener('install', event => {
  self.skipWaiting()
  event.waitUntil(keepBuild())
})

self.addEventListener('activate', event => {
  event.waitUntil(self.clients.claim())
})

self.addEventListener('fetch', event => {
  const { request } = event
  if (request.method !== 'GET' || new URL(request.url).origin !== location.origin) return
  if (request.mode === 'navigate') {
    event.respondWith(fromCache(PAGE).then(kept => kept ?? fetch(request)))
    // Offline there is no newer build to be had.
    event.waitUntil(keepBuild().catch(() => {}))
  } else {
    event.respondWith(fromCache(request).then(kept => kept ?? fetch(request)))
  }
})

/** From the newest complete build; a page of the one before may still be open. */
async function fromCache(request) {
  for (const name of (await builds()).reverse()) {
    const kept = await (await caches.open(name)).match(request, { ignoreSearch: true })
    if (kept) return kept
  }
}

/** Fetches the build that is online now, if it is not the one we have. */
async function keepBuild() {
  const [list, page] = await Promise.all(['./files.json', PAGE].map(fetchText))
  const name = PREFIX + (await digest(list + page))
  if ((await builds()).includes(name)) return
  const files = JSON.parse(list).filter(file => !LEFT_OUT.test(file))
  // All or nothing: addAll stores nothing when one file fails.
  const requests = [...files.map(file => `./${file}`), ...MORE].map(path => new Request(path, { cache: 'no-cache' }))
  await (await caches.open(name)).addAll(requests)
  const older = (await builds()).filter(build => build !== name)
  for (const build of older.slice(0, -1)) await caches.delete(build)
}

/** Complete builds, the oldest first. */
async function builds() {
  const names = (await caches.keys()).filter(name => name.startsWith(PREFIX))
  const complete = await Promise.all(names.map(async name => (await caches.open(name)).match(PAGE)))
  return names.filter((_, i) => complete[i])
}

async function fetchText(path) {
  const response = await fetch(path, { cache: 'no-store' })
  if (!response.ok) throw new Error(`${path}: ${response.status}`)
  return response.text()
}

async function digest(text) {
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return Array.from(new Uint8Array(hash, 0, 8), byte => byte.toString(16).padStart(2, '0')).join('')
}
