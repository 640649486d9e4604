// The service worker: it keeps the files of this build, so that the page opens without a connection. Nothing else goes
// through it: no messages, no addresses of servers. The build fills in the list of files and its digest.

const FILES = __FILES__
const CACHE = 'fishchat-__DIGEST__'
const PAGE = '/'

self.addEventListener('install', (event) => {
  event.waitUntil(
    caches
      .open(CACHE)
      .then((cache) => cache.addAll([PAGE, ...FILES]))
      .then(() => self.skipWaiting()),
  )
})

self.addEventListener('activate', (event) => {
  // The caches of older builds go; tabs that still run one of them have loaded what they need, or reload.
  const old = (names) => Promise.all(names.filter((name) => name.startsWith('fishchat-') && name !== CACHE).map((name) => caches.delete(name)))
  event.waitUntil(
    caches
      .keys()
      .then(old)
      .then(() => self.clients.claim()),
  )
})

self.addEventListener('fetch', (event) => {
  const { request } = event
  const { origin, pathname } = new URL(request.url)
  if (request.method !== 'GET' || origin !== self.location.origin) return
  if (request.mode === 'navigate') {
    // The page itself comes from the server while there is one.
    event.respondWith(fetch(request).catch(() => caches.match(PAGE, { cacheName: CACHE })))
  } else if (FILES.includes(pathname)) {
    event.respondWith(caches.match(pathname, { cacheName: CACHE }).then((found) => found ?? fetch(request)))
  }
})

self.addEventListener('notificationclick', (event) => {
  event.notification.close()
  event.waitUntil(
    self.clients.matchAll({ type: 'window' }).then(([window]) => (window ? window.focus() : self.clients.openWindow(PAGE))),
  )
})
