/**
 * Serves the page of `bench kernels` and the peers' packages on 127.0.0.1. Isolated, as threads need it; but
 * without the relay's content policy, which other people's libraries do not keep to.
 */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize, sep } from 'node:path'

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.wasm': 'application/wasm',
}
const HEADERS = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'cross-origin-resource-policy': 'same-origin',
}

export type BenchServer = { readonly url: string; close(): Promise<void> }

/** Folders by the path they stand under; the first that fits answers. */
export const serveFolders = (
  folders: readonly { readonly at: string; readonly folder: string }[],
): Promise<BenchServer> =>
  new Promise((resolve, reject) => {
    const server = createServer((request, response) => {
      const { pathname } = new URL(request.url ?? '/', 'http://localhost')
      const found = folders.find(({ at }) => pathname.startsWith(at))
      const path = found && normalize(join(found.folder, pathname.slice(found.at.length)))
      if (path?.startsWith(found!.folder + sep) === true) void send(path, response)
      else response.writeHead(404).end()
    })
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      const close = (): Promise<void> =>
        new Promise((done) => {
          server.close(() => done())
          server.closeAllConnections()
        })
      resolve({ url: `http://127.0.0.1:${port}`, close })
    })
  })

const send = async (path: string, response: ServerResponse): Promise<void> => {
  const found = await stat(path).catch(() => null)
  if (found?.isFile() !== true) return void response.writeHead(404, HEADERS).end()
  const type = TYPES[extname(path)] ?? 'application/octet-stream'
  response.writeHead(200, { ...HEADERS, 'content-type': type, 'content-length': found.size })
  createReadStream(path)
    .on('error', () => response.destroy())
    .pipe(response)
}
