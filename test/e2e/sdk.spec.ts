/** The library as somebody else's page uses it: built, bundled by that page's own tools, on its own origin. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { build } from 'vite'
import { root } from '../../relay/local-node.mjs'
import type * as Sdk from '../../src/sdk.ts'
import { expect, test as base, type Rig } from './rig.ts'
import { lend, loaded } from './steps.ts'

declare const sdk: typeof Sdk
declare const swarm: Sdk.Swarm
declare const example: { swarm: Sdk.Swarm; x: Float32Array; y: Float32Array }

/** The relay's address as it stands in the example. */
const RELAY = 'http://127.0.0.1:4100'
const [, readme = ''] = readFileSync(join(root, 'README.md'), 'utf8').split('<!-- sdk-example -->')
const code = readme.trim().replace(/^```js\n|\n```$/g, '')

const TYPES: Record<string, string> = { html: 'text/html', js: 'text/javascript' }

/** A page of somebody else: `/` has the library at hand, `/example` runs what the README says. */
const test = base.extend<{ open(page: Page, path?: string): Promise<Page> }, { site: Server }>({
  site: [
    async ({}, use) => {
      const cache = join(root, 'node_modules/.cache')
      mkdirSync(cache, { recursive: true })
      // Beside the packages it imports, as an installed package is.
      const folder = mkdtempSync(join(cache, 'sdk-'))
      const [library, pages, out] = ['library', 'pages', 'out'].map((name) => join(folder, name)) as [string, string, string]
      const quiet = { logLevel: 'error', build: { emptyOutDir: true } } as const
      await build({ ...quiet, configFile: join(root, 'vite.sdk.config.ts'), build: { outDir: library } })
      mkdirSync(pages)
      const page = (name: string, script: string): void => {
        writeFileSync(join(pages, `${name}.js`), script)
        writeFileSync(
          join(pages, `${name}.html`),
          `<!doctype html><title>${name}</title><link rel="icon" href="data:,"><script type="module" src="./${name}.js"></script>`,
        )
      }
      page('index', "import * as sdk from 'swarmharness'\nglobalThis.sdk = sdk\n")
      const asked = `new URLSearchParams(location.search).get('relay')`
      page('example', `${code.replace(`'${RELAY}'`, asked)}\nglobalThis.example = { swarm, x, y }\n`)
      await build({
        ...quiet,
        configFile: false,
        root: pages,
        base: './',
        resolve: { alias: { swarmharness: join(library, 'sdk.js') } },
        build: {
          outDir: out,
          target: 'es2024',
          rolldownOptions: { input: ['index', 'example'].map((name) => join(pages, `${name}.html`)) },
        },
      })
      const server = createServer((request, response) => {
        const path = new URL(request.url ?? '/', 'http://site').pathname
        const name = path === '/' ? 'index.html' : path.includes('.') ? path.slice(1) : `${path.slice(1)}.html`
        response.setHeader('content-type', TYPES[name.split('.').at(-1)!] ?? 'application/octet-stream')
        response.end(readFileSync(join(out, name)))
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

const page = async (rig: Rig): Promise<Page> => (await rig.person()).newPage()

/** Joins, and leaves the swarm where the next step finds it. */
const joined = (at: Page, rig: Rig, options: Partial<Sdk.JoinOptions> = {}): Promise<string> =>
  at.evaluate(async (given) => {
    const made = await sdk.join(given)
    Object.assign(globalThis, { swarm: made })
    return made.account
  }, { relay: rig.relay.url, ...options })

test('the ten lines of the README give verified numbers and a receipt', async ({ rig, open }) => {
  expect(code, 'the README has an example').toContain("from 'swarmharness'")
  const alice = await rig.tab(await rig.person())
  await lend(alice)
  const bob = await page(rig)
  const said: string[] = []
  bob.on('console', (message) => said.push(message.text()))
  await open(bob, '/example')
  await bob.waitForFunction(() => 'example' in globalThis, null, { timeout: 60_000 })
  const worst = await bob.evaluate(() => {
    const { x, y } = example
    return y.reduce((most, found, i) => Math.max(most, Math.abs(found - Math.sin(x[i]!) * Math.exp(-x[i]! / 50))), 0)
  })
  expect(worst).toBeLessThan(1e-5)
  const total = Number(/of (\d+) tasks/.exec(said[0] ?? '')?.[1])
  expect(said).toContain(`${total} of ${total} tasks verified`)
  expect(said.at(-1)).toContain(`sampled ${await loaded(alice)}`)
})

test('a page lends after its own call only, and another page gets numbers, matrices and pictures from it', async ({ rig, open }) => {
  const [alice, bob] = [await open(await page(rig)), await open(await page(rig))]
  const worker = await joined(alice, rig)
  const asker = await joined(bob, rig, { storage: 'memory' })
  expect(worker).not.toBe(asker)
  expect(await alice.evaluate(() => swarm.view().donate.state)).toBe('idle')
  await alice.evaluate(() => swarm.lend({ share: 1 }))
  expect(await alice.evaluate(() => swarm.view().donate.state)).toMatch(/ready|working/)

  const found = await bob.evaluate(async () => {
    const sum = await swarm.sum(Float32Array.from({ length: 1000 }, (_, i) => i))
    const c = await swarm.matmul(
      { data: Int8Array.of(1, 2, 3, 4, 5, 6), shape: [2, 3] },
      { data: Int8Array.of(1, 0, 0, 1, 1, 1), shape: [3, 2] },
    )
    const spec = '---\nswarm: 1\nname: dots\nrun: mandelbrot\nparams: { width: 64, height: 48, iterations: 50 }\n---\n'
    const done = await swarm.run(spec, {}, { set: { iterations: 60 } })
    const bytes = new Uint8Array(await done.image!().arrayBuffer())
    const { image } = done.outputs
    return {
      sum,
      c: { ...c, data: [...c.data] },
      image: { dtype: image!.dtype, shape: image!.shape, most: Math.max(...image!.data), png: [...bytes.slice(1, 4)] },
      checks: done.tasks.map(({ check }) => check),
      workers: [...new Set(done.receipts.map(({ signed }) => signed.body.worker))],
      kept: swarm.view().jobs.length,
    }
  })
  expect(found).toMatchObject({
    sum: 499_500,
    c: { dtype: 'i32', shape: [2, 2], data: [4, 5, 10, 11] },
    image: { dtype: 'u32', shape: [48, 64], most: 60, png: [...Buffer.from('PNG')] },
    workers: [worker],
    kept: 0,
  })
  expect(new Set(found.checks)).toEqual(new Set(['bit-equality']))

  await alice.evaluate(() => swarm.stop())
  expect(await alice.evaluate(() => swarm.view().donate.state)).toBe('idle')
  await Promise.all([alice, bob].map((each) => each.evaluate(() => swarm.close())))
})

test('what goes wrong is thrown with a code', async ({ rig, open }) => {
  const context = await rig.person()
  const [first, second] = [await open(await context.newPage()), await open(await context.newPage())]
  const codeOf = (at: Page, work: () => Promise<unknown>): Promise<string> =>
    at.evaluate(`(${String(work)})().then(() => 'nothing', (cause) => cause instanceof sdk.SwarmError ? cause.code + ' | ' + cause.message : String(cause))`)
  await joined(first, rig)
  expect(await codeOf(first, () => swarm.run('no spec'))).toContain('no-front-matter | spec:1:')
  expect(await codeOf(first, () => swarm.map('x +', new Float32Array(4)))).toMatch(/^[a-z-]+ \| spec:\d+: params\.program/)
  expect(await codeOf(first, () => swarm.run('---\nswarm: 1\nname: a\nrun: sum\n---\n', { z: new Float32Array(1) }))).toContain('bad-input')
  expect(await codeOf(first, () => swarm.sum(new Float32Array(4), { signal: AbortSignal.abort() }))).toContain('cancelled')
  expect(await codeOf(first, () => swarm.sum(new Float32Array(9), { signal: AbortSignal.timeout(1_000) }))).toContain('cancelled')
  expect(await codeOf(first, () => swarm.sum(new Float32Array(5), { set: { deadline: '1s' } }))).toContain('nobody-came')
  expect(await codeOf(first, () => swarm.lend({ share: 2 }))).toContain('bad-share')
  expect(await codeOf(second, () => sdk.join({ relay: 'nowhere' }))).toContain('bad-relay')

  const failure = (): Promise<string> => joined(second, rig).then(() => 'joined', String)
  expect(await failure()).toContain('Another page of this origin')
  await first.evaluate(() => swarm.close())
  expect(await joined(second, rig), 'the same account, once the first page has left').toMatch(/^did:key:/)

  await second.evaluate(() => swarm.close())
  rig.tolerate(/ERR_CONNECTION_REFUSED/)
  expect(await codeOf(second, () => sdk.join({ relay: 'http://127.0.0.1:9', storage: 'memory' }))).toContain('no-relay')
  await second.evaluate(() => Object.defineProperty(globalThis, 'indexedDB', { value: undefined }))
  expect(await codeOf(second, () => sdk.join({ relay: 'http://127.0.0.1:9' }))).toContain('no-storage')
  await second.evaluate(() => Object.defineProperty(crypto, 'subtle', { value: undefined }))
  expect(await codeOf(second, () => sdk.join({ relay: 'http://127.0.0.1:9' }))).toContain('no-webcrypto')
})

