/**
 * What the relay says over HTTP, on the port that also takes WebSockets: the app, job templates, and
 * three small documents. Slow, greedy and lost clients are sent away early.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { RelayLimits } from './config.ts'
import { isLoopback } from './host.ts'
import { takesGzip, type StaticFile, type StaticFolder } from './static-files.ts'

const HEADER_BYTES_MAX = 16 * 1024
const REQUESTS_PER_SOCKET_MAX = 1_000
/** How long sockets have to finish when the relay stops. */
const CLOSE_MS = 1_500

/**
 * Nothing from anywhere else. `wasm-unsafe-eval` lets the JPEG decoder's WebAssembly compile; relays
 * and peers are reached through WebSockets to any host, since a swarm may have several relays.
 */
export const CSP = [
  `default-src 'none'`,
  `script-src 'self' 'wasm-unsafe-eval'`,
  `worker-src 'self'`,
  `style-src 'self'`,
  `img-src 'self' blob: data:`,
  `font-src 'self'`,
  `connect-src 'self' ws: wss:`,
  `manifest-src 'self'`,
  `form-action 'none'`,
  `base-uri 'none'`,
  `frame-ancestors 'none'`,
  // No string becomes script: `default` lets our own workers through, the other is Svelte's for its templates.
  `require-trusted-types-for 'script'`,
  `trusted-types default svelte-trusted-html`,
].join('; ')

const HEADERS = {
  'content-security-policy': CSP,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'cross-origin-resource-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'permissions-policy': 'geolocation=(), payment=(), usb=(), serial=()',
} as const

export type Document = {
  readonly type: string
  readonly text: string
  readonly status?: number
  readonly shared?: boolean
}

export type HttpOptions = {
  readonly limits: RelayLimits
  readonly countLoopback: boolean
  /** Documents made for each request, by path. */
  readonly documents: ReadonlyMap<string, (request: IncomingMessage) => Document>
  /** Folders by the path they stand under; the first that has the file answers. */
  readonly folders: readonly { readonly at: string; readonly folder: StaticFolder }[]
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
  readonly count: HttpCounters
}

export type HttpCounters = {
  readonly byStatus: Map<number, number>
  upgrades: number
  refusedSockets: number
  cutSockets: number
}

export type HttpServer = {
  listen(host: string, port: number): Promise<number>
  sockets(): number
  close(): Promise<void>
}

export const httpServer = (options: HttpOptions): HttpServer => {
  const { limits, count } = options
  const server = createServer({
    maxHeaderSize: HEADER_BYTES_MAX,
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.idleMs,
    connectionsCheckingInterval: 1_000,
    noDelay: true,
  })
  server.maxRequestsPerSocket = REQUESTS_PER_SOCKET_MAX
  server.maxConnections = limits.sockets
  const sockets = countSockets(server, options)
  server.on('request', (request, response) => {
    void answer(request, response, options).catch(() => response.destroy())
  })
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (request.method !== 'GET' || pathOf(request) !== '/') return refuseUpgrade(socket)
    count.upgrades += 1
    request.socket.setTimeout(0)
    options.upgrade(request, socket, head)
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    count.cutSockets += 1
    // Browsers open sockets ahead of need, and take what comes for the answer to their next request.
    const isLate = error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
    if (socket.writable && !isLate)
      socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n')
    else socket.destroy()
  })
  return {
    sockets: () => sockets.size,
    listen: (host, port) =>
      new Promise((resolve, reject) => {
        server.once('error', reject)
        server.listen(port, host, () => {
          server.off('error', reject)
          const address = server.address()
          resolve(typeof address === 'object' && address !== null ? address.port : port)
        })
      }),
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeIdleConnections()
      const timer = setTimeout(() => {
        server.closeAllConnections()
        for (const socket of sockets) socket.destroy()
      }, CLOSE_MS)
      await closed
      clearTimeout(timer)
    },
  }
}

/** Keeps the count of open sockets, and turns away who has too many. */
const countSockets = (
  server: Server,
  { limits, countLoopback, count }: HttpOptions,
): Set<Socket> => {
  const sockets = new Set<Socket>()
  const perAddress = new Map<string, number>()
  server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress ?? ''
    const open = perAddress.get(address) ?? 0
    if (open >= limits.socketsPerAddress && (countLoopback || !isLoopback(address))) {
      count.refusedSockets += 1
      socket.destroy()
      return
    }
    sockets.add(socket)
    // Node waits for headers only once their first byte has come.
    socket.setTimeout(limits.idleMs)
    perAddress.set(address, open + 1)
    socket.once('close', () => {
      sockets.delete(socket)
      const left = (perAddress.get(address) ?? 1) - 1
      if (left > 0) perAddress.set(address, left)
      else perAddress.delete(address)
    })
    socket.on('error', () => socket.destroy())
  })
  return sockets
}

const refuseUpgrade = (socket: Duplex): void => {
  socket.end('HTTP/1.1 404 Not Found\r\nconnection: close\r\n\r\n')
}

/** The decoded path, or null when it is none. */
const pathOf = (request: IncomingMessage): string | null => {
  const path = (request.url ?? '').split(/[?#]/, 1)[0] ?? ''
  if (!path.startsWith('/')) return null
  try {
    return decodeURIComponent(path)
  } catch {
    return null
  }
}

const answer = async (
  request: IncomingMessage,
  response: ServerResponse,
  options: HttpOptions,
): Promise<void> => {
  response.on('finish', () => {
    const { byStatus } = options.count
    byStatus.set(response.statusCode, (byStatus.get(response.statusCode) ?? 0) + 1)
  })
  // Nothing here takes a body; one that comes all the same is not waited for.
  request.resume()
  for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value)
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD')
    response.setHeader('connection', 'close')
    return plain(request, response, 405, 'only GET and HEAD')
  }
  const path = pathOf(request)
  if (path === null) return plain(request, response, 400, 'not a path')
  const make = options.documents.get(path)
  if (make) return sendDocument(request, response, make(request))
  for (const { at, folder } of options.folders) {
    if (!path.startsWith(at)) continue
    const file = await folder.get(path.slice(at.length - 1))
    if (file) return sendFile(request, response, file)
  }
  return plain(request, response, 404, 'not found')
}

const plain = (
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  text: string,
): void =>
  sendDocument(request, response, { type: 'text/plain; charset=utf-8', text: `${text}\n`, status })

const sendDocument = (
  request: IncomingMessage,
  response: ServerResponse,
  document: Document,
): void => {
  if (document.shared) {
    // A page of another origin that embeds the program has to find the relay, too.
    response.setHeader('access-control-allow-origin', '*')
    response.setHeader('cross-origin-resource-policy', 'cross-origin')
  }
  const bytes = Buffer.from(document.text)
  response.writeHead(document.status ?? 200, {
    'content-type': document.type,
    'content-length': bytes.byteLength,
    'cache-control': 'no-store',
  })
  response.end(request.method === 'HEAD' ? undefined : bytes)
}

const sendFile = (request: IncomingMessage, response: ServerResponse, file: StaticFile): void => {
  response.setHeader('etag', file.etag)
  response.setHeader('cache-control', file.cache)
  response.setHeader('vary', 'accept-encoding')
  if (request.headers['if-none-match'] === file.etag) {
    response.writeHead(304)
    response.end()
    return
  }
  const small = takesGzip(request.headers['accept-encoding'] ?? '') ? file.gzip : null
  const bytes = small ?? file.bytes
  response.writeHead(200, {
    'content-type': file.type,
    'content-length': bytes.byteLength,
    ...(small ? { 'content-encoding': 'gzip' } : {}),
  })
  response.end(request.method === 'HEAD' ? undefined : bytes)
}
