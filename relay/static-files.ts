/** Files of a folder over HTTP: nothing outside it, compressed where it helps, cached by what the name promises. */
import { createHash } from 'node:crypto'
import { readFile, realpath, stat } from 'node:fs/promises'
import { extname, join, sep } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.webmanifest': 'application/manifest+json; charset=utf-8',
  '.md': 'text/markdown; charset=utf-8',
  '.wgsl': 'text/plain; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.webp': 'image/webp',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
}
const COMPRESSED =
  /^(text|application)\/(html|javascript|css|json|manifest\+json|markdown|plain|wasm)|svg/
/** The largest file of the app is the CPU engine with 14 MB; what is larger is no part of it. */
const FILE_BYTES_MAX = 16 * 1024 * 1024
const KEPT_BYTES_MAX = 64 * 1024 * 1024

export type StaticFile = {
  readonly type: string
  readonly etag: string
  readonly cache: string
  readonly bytes: Buffer
  /** Null when it would not be smaller. */
  readonly gzip: Buffer | null
}

export type StaticFolder = { get(path: string): Promise<StaticFile | null> }

/**
 * Whether an `accept-encoding` takes gzip: by its name, or by the star that stands for all others.
 * A weight of zero means no. @source RFC 9110, §12.5.3
 */
export const takesGzip = (header: string): boolean => {
  const weights = new Map<string, number>()
  for (const part of header.toLowerCase().split(',')) {
    const [coding = '', ...params] = part.split(';').map((word) => word.trim())
    const weight = params.find((param) => param.startsWith('q='))
    weights.set(coding, weight === undefined ? 1 : Number(weight.slice(2)))
  }
  return (weights.get('gzip') ?? weights.get('*') ?? 0) > 0
}

/** `path` is decoded and begins with a slash; anything that leads out of the folder is not found. */
export const staticFolder = (root: string): StaticFolder => {
  const kept = new Map<string, { modified: number; file: StaticFile }>()
  let keptBytes = 0

  const keep = (path: string, modified: number, file: StaticFile): void => {
    keptBytes += file.bytes.byteLength + (file.gzip?.byteLength ?? 0)
    if (keptBytes > KEPT_BYTES_MAX) {
      kept.clear()
      keptBytes = 0
      return
    }
    kept.set(path, { modified, file })
  }

  return {
    async get(path) {
      // A dot file is nobody's business, and `..` is one.
      if (
        path.includes('\0') ||
        path.includes('\\') ||
        path.split('/').some((part) => part.startsWith('.'))
      )
        return null
      try {
        const base = await realpath(root)
        const real = await realpath(join(base, path.endsWith('/') ? `${path}index.html` : path))
        if (!real.startsWith(base + sep)) return null
        const { mtimeMs, size, isFile } = await describe(real)
        if (!isFile || size > FILE_BYTES_MAX) return null
        const known = kept.get(real)
        if (known?.modified === mtimeMs) return known.file
        const file = await load(real, path)
        keep(real, mtimeMs, file)
        return file
      } catch {
        return null
      }
    },
  }
}

const describe = async (
  path: string,
): Promise<{ mtimeMs: number; size: number; isFile: boolean }> => {
  const found = await stat(path)
  return { mtimeMs: found.mtimeMs, size: found.size, isFile: found.isFile() }
}

const load = async (real: string, path: string): Promise<StaticFile> => {
  const bytes = await readFile(real)
  const type = TYPES[extname(real).toLowerCase()] ?? 'application/octet-stream'
  const small =
    COMPRESSED.test(type) && bytes.byteLength > 1_000 ? await promisify(gzip)(bytes) : null
  return {
    type,
    bytes,
    gzip: small !== null && small.byteLength < bytes.byteLength ? small : null,
    etag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`,
    // A name with a hash never changes its meaning; any other is asked for again each time.
    cache: /^\/assets\/.+-[\w-]{8,}\.\w+$/.test(path)
      ? 'public, max-age=31536000, immutable'
      : 'no-cache',
  }
}
