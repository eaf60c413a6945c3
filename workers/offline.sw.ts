/**
 * Keeps the app on this device, so that it opens without a network. One build is one cache, complete or
 * absent; a newer build waits beside it until the page says that nothing computes. Answers are served
 * as they came, so the isolation headers (COOP, COEP) of the relay hold off-line too.
 */
declare const self: ServiceWorkerGlobalScope
/** Put in by the build: every file of the app, and a digest of their bytes. */
declare const __APP_FILES__: readonly string[]
declare const __APP_BUILD__: string

const PREFIX = 'swarm-app-'
const CACHE = PREFIX + __APP_BUILD__
const PAGE = 'index.html'
/** Names with a hash never change, so the browser's own cache may answer for them. */
const HASHED = /^assets\//
/** At once, so that a phone's connection is not flooded while the page itself loads. */
const PARALLEL = 6

const at = (name: string): string => new URL(name, self.registration.scope).href

const keep = async (cache: Cache, name: string): Promise<void> => {
  const request = new Request(at(name), { cache: HASHED.test(name) ? 'default' : 'no-cache' })
  const answer = await fetch(request)
  if (!answer.ok) throw new Error(`${name}: ${answer.status}`)
  await cache.put(at(name), await plain(answer))
}

/** A redirected answer may not be given to a navigation; its copy may. */
const plain = async (answer: Response): Promise<Response> =>
  answer.redirected
    ? new Response(await answer.blob(), { status: answer.status, headers: answer.headers })
    : answer

/** All or nothing: a build with a hole in it would fail in the middle of somebody's work. */
const keepAll = async (): Promise<void> => {
  const cache = await caches.open(CACHE)
  const left = [...new Set([PAGE, ...__APP_FILES__])]
  const fetcher = async (): Promise<void> => {
    for (let name = left.pop(); name !== undefined; name = left.pop()) await keep(cache, name)
  }
  try {
    await Promise.all(Array.from({ length: PARALLEL }, fetcher))
  } catch (cause) {
    await caches.delete(CACHE)
    throw cause
  }
}

const dropOthers = async (): Promise<void> => {
  const names = await caches.keys()
  const others = names.filter((name) => name.startsWith(PREFIX) && name !== CACHE)
  await Promise.all(others.map((name) => caches.delete(name)))
}

/** The one page for every navigation within the app, the kept file for the rest, else the network. */
const answer = async (request: Request): Promise<Response> => {
  const cache = await caches.open(CACHE)
  const home = new URL(self.registration.scope).pathname
  const { pathname } = new URL(request.url)
  const page = request.mode === 'navigate' && (pathname === home || pathname === `${home}${PAGE}`)
  const kept = await cache.match(page ? at(PAGE) : request, { ignoreSearch: page })
  return kept ?? fetch(request)
}

self.addEventListener('install', (event) => event.waitUntil(keepAll()))

self.addEventListener('activate', (event) =>
  event.waitUntil(dropOthers().then(() => self.clients.claim())),
)

self.addEventListener('message', (event) => {
  if (event.data === 'take-over') event.waitUntil(self.skipWaiting())
})

self.addEventListener('fetch', (event) => {
  const { request } = event
  if (request.method !== 'GET' || !request.url.startsWith(self.registration.scope)) return
  event.respondWith(answer(request))
})

export {}
