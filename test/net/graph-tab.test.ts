/** A tab without WebGPU computes graphs with WebAssembly, from the relay alone and under its content policy. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium, type Browser, type Page } from 'playwright'
import { build } from 'vite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { chromiumFlags, findChromium } from '../../relay/find-chromium.mjs'
import type { RunningRelay } from '../../relay/relay.ts'
import { relayFor } from './rig.ts'
import type { GraphTab } from './graph-tab.ts'

declare const graphs: GraphTab

describe('a tab without WebGPU', () => {
  let root: string
  let relay: RunningRelay
  let browser: Browser
  let page: Page
  const asked: string[] = []
  const complaints: string[] = []

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'swarm-graph-tab-'))
    const here = fileURLToPath(new URL('.', import.meta.url))
    await build({
      configFile: false,
      logLevel: 'error',
      root: here,
      base: './',
      publicDir: false,
      worker: { format: 'es' },
      build: {
        outDir: root,
        emptyOutDir: true,
        target: 'es2024',
        assetsInlineLimit: 0,
        rolldownOptions: { input: join(here, 'graph-tab.html') },
      },
    })
    relay = await relayFor({ appDir: root })
    const executablePath = await findChromium()
    expect(executablePath, 'a Chromium is needed').not.toBeNull()
    const args = chromiumFlags.filter((flag) => flag !== '--enable-unsafe-webgpu')
    browser = await chromium.launch({ executablePath: executablePath!, args })
    page = await browser.newPage()
    page.on('request', (request) => asked.push(request.url()))
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
    page.on('pageerror', (error) => complaints.push(String(error)))
    await page.goto(`${relay.url}/graph-tab.html`)
    await page.waitForFunction(() => 'graphs' in globalThis)
  })
  afterAll(async () => {
    await browser?.close()
    await relay?.close()
    await rm(root, { recursive: true, force: true })
  })

  it('says that it would use WebAssembly, and does not load it for that', async () => {
    const { adapter, graphs: found } = await page.evaluate(() => graphs.capability())
    expect(adapter).toBe('cpu')
    expect(found).toEqual({ engine: 'wasm', measured: {} })
    expect(asked.filter((url) => url.endsWith('.wasm'))).toEqual([])
  })

  it.each([1, 2])('runs a graph on %i threads, from its own origin', async (threads) => {
    expect(await page.evaluate(() => graphs.isolated())).toBe(true)
    const answer = await page.evaluate((count) => graphs.run(count), threads)
    // The root of 512 times 2 times 8, 512 by 512 times.
    expect(answer.kind).toBe('wasm')
    expect(answer.sum / (512 * 512)).toBeCloseTo(Math.sqrt(512 * 16), 3)
    expect(asked.some((url) => /ort-wasm.*\.wasm$/.test(url))).toBe(true)
    expect(asked.filter((url) => !url.startsWith(relay.url) && !url.startsWith('data:'))).toEqual(
      [],
    )
    expect(complaints).toEqual([])
  })
})
