/** How the app is built: one page (and the widget's, when there is one), workers as ES modules. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vite'
import type { Plugin } from 'vite'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** Entries that exist; the service worker keeps its name and place, since its URL is its identity. */
const entries = {
  index: 'index.html',
  embed: 'embed.html',
  'offline.sw': 'workers/offline.sw.ts',
}

const input = Object.fromEntries(
  Object.entries(entries)
    .map(([name, path]) => [name, here(path)] as const)
    .filter(([, path]) => existsSync(path)),
)

const filesIn = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .map((name) => name.replaceAll('\\', '/'))
        .filter((name) => statSync(`${folder}/${name}`).isFile())
    : []

/**
 * Tells the service worker what there is to keep: `__APP_FILES__` becomes the list of all files of the
 * app and `__APP_BUILD__` a digest of their bytes, so that the worker changes exactly when they do. The CPU
 * engine's WebAssembly is 14 MB that few need; once loaded, the browser's own cache has it.
 */
const appFiles = (): Plugin => ({
  name: 'app-files',
  apply: 'build',
  enforce: 'post',
  generateBundle(_options, bundle) {
    const digest = createHash('sha256')
    const names: string[] = []
    const add = (name: string, bytes: string | Uint8Array): void => {
      names.push(name)
      digest.update(`${name}\n`).update(bytes)
    }
    for (const [name, made] of Object.entries(bundle).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      if (!/\.map$|\.sw\.js$|\.wasm$/.test(name))
        add(name, made.type === 'chunk' ? made.code : made.source)
    for (const name of filesIn(here('public')).toSorted())
      add(name, readFileSync(here(`public/${name}`)))
    const build = digest.digest('hex').slice(0, 16)
    for (const made of Object.values(bundle))
      if (made.type === 'chunk' && made.fileName.endsWith('.sw.js'))
        made.code = made.code
          .replaceAll('__APP_FILES__', JSON.stringify(names))
          .replaceAll('__APP_BUILD__', JSON.stringify(build))
  },
})

/** Which commit this is, with a plus where something was changed since; nothing where there is no repository. */
const commit = (): string | undefined => {
  const git = (...words: string[]): string =>
    execFileSync('git', words, {
      cwd: here('.'),
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
  try {
    const changed = git('status', '--porcelain', '--untracked-files=no') !== ''
    return `${git('rev-parse', '--short=10', 'HEAD').trim()}${changed ? '+' : ''}`
  } catch {
    return undefined
  }
}

export default defineConfig({
  base: './',
  define: { __APP_COMMIT__: JSON.stringify(commit()) ?? 'undefined' },
  plugins: [svelte(), appFiles()],
  worker: { format: 'es' },
  server: { host: '127.0.0.1' },
  build: {
    outDir: 'dist/app',
    target: 'es2024',
    // Which entry became which hashed file: the size budgets read it.
    manifest: 'build-manifest.json',
    // A data URL would need a hole in the content security policy.
    assetsInlineLimit: 0,
    rolldownOptions: {
      input,
      output: {
        entryFileNames: (chunk) =>
          chunk.name.endsWith('.sw') ? '[name].js' : 'assets/[name]-[hash].js',
      },
    },
  },
})
