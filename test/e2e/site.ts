/** Somebody else's page, on its own origin, with the library as it was built and as its own tools bundle it. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { build } from 'vite'
import { root } from '../../relay/local-node.mjs'
import { test as base } from './rig.ts'

/** The relay's address as it stands in the example. */
const RELAY = 'http://127.0.0.1:4100'
const [, readme = ''] = readFileSync(join(root, 'README.md'), 'utf8').split('<!-- sdk-example -->')
/** What the README says of the library. */
export const code = readme.trim().replace(/^```js\n|\n```$/g, '')

const TYPES: Record<string, string> = {
  html: 'text/html',
  js: 'text/javascript',
  wasm: 'application/wasm',
}

/** A page of somebody else: `/` has the library at hand, `/example` runs what the README says. */
export const test = base.extend<
  { open(page: Page, path?: string): Promise<Page> },
  { site: Server }
>({
  site: [
    // oxlint-disable-next-line no-empty-pattern -- Playwright reads what a fixture needs from here
    async ({}, use) => {
      const cache = join(root, 'node_modules/.cache')
      mkdirSync(cache, { recursive: true })
      const folder = mkdtempSync(join(cache, 'sdk-'))
      const [library, pages, out] = ['library', 'pages', 'out'].map((name) =>
        join(folder, name),
      ) as [string, string, string]
      const quiet = { logLevel: 'error', build: { emptyOutDir: true } } as const
      await build({
        ...quiet,
        configFile: join(root, 'vite.sdk.config.ts'),
        build: { outDir: library },
      })
      mkdirSync(pages)
      const page = (folder: string, name: string, script: string): void => {
        writeFileSync(join(folder, `${name}.js`), script)
        writeFileSync(
          join(folder, `${name}.html`),
          `<!doctype html><title>${name}</title><link rel="icon" href="data:,"><script type="module" src="./${name}.js"></script>`,
        )
      }
      const asked = `new URLSearchParams(location.search).get('relay')`
      page(
        pages,
        'example',
        `${code.replace(`'${RELAY}'`, asked)}\nglobalThis.example = { swarm, x, y }\n`,
      )
      await build({
        ...quiet,
        configFile: false,
        root: pages,
        base: './',
        resolve: { alias: { swarmharness: join(library, 'sdk.js') } },
        build: {
          outDir: out,
          target: 'es2024',
          rolldownOptions: { input: join(pages, 'example.html') },
        },
      })
      page(library, 'index', "import * as sdk from './sdk.js'\nglobalThis.sdk = sdk\n")
      const server = createServer((request, response) => {
        const path = new URL(request.url ?? '/', 'http://site').pathname.slice(1)
        const name = path === '' ? 'index.html' : path.includes('.') ? path : `${path}.html`
        const file = [library, out].map((from) => join(from, name)).find(existsSync)
        const type = TYPES[name.split('.').at(-1)!] ?? 'application/octet-stream'
        response.writeHead(file === undefined ? 404 : 200, { 'content-type': type })
        response.end(file === undefined ? '' : readFileSync(file))
      })
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      await use(server)
      server.close()
      rmSync(folder, { recursive: true, force: true })
    },
    { scope: 'worker' },
  ],
  open: async ({ rig, site }, use) => {
    const { port } = site.address() as AddressInfo
    await use(async (page, path = '/') => {
      await page.goto(`http://127.0.0.1:${port}${path}?relay=${encodeURIComponent(rig.relay.url)}`)
      return page
    })
  },
})
