// The service worker, and what the masthead says of the network.
import { announce, byId } from './dom.js'

export function keepForOffline(): void {
  const status = byId('offline')
  let kept = false
  const show = () => {
    status.hidden = !kept && navigator.onLine
    status.textContent = navigator.onLine ? 'Ready offline' : 'Offline'
    status.classList.toggle('now', !navigator.onLine)
  }
  for (const event of ['online', 'offline']) {
    window.addEventListener(event, () => {
      show()
      announce(navigator.onLine ? 'Online again.' : 'Offline: everything goes on working.')
    })
  }
  show()
  if (!('serviceWorker' in navigator)) return
  navigator.serviceWorker.register('./sw.js').catch((error: unknown) => {
    // The page itself works without it.
    console.warn('Field Notes cannot be kept for offline use here:', error)
  })
  // It is active when every file has been kept.
  navigator.serviceWorker.ready.then(() => {
    kept = true
    show()
  }, console.warn)
}
