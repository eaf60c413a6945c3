/**
 * What every end-to-end test stands on: a relay in a process of its own with a founder's key beside it,
 * and tabs of the built app in real browsers. Whatever a page complains of, and whatever it asks of
 * another machine, fails the test that opened it.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  chromium,
  expect,
  test as base,
  type Browser,
  type BrowserContext,
  type LaunchOptions,
  type Page,
} from '@playwright/test'
import { chromiumFlags, findChromium } from '../../relay/find-chromium.mjs'
import { root } from '../../relay/local-node.mjs'
import { loopbackMode, loopbackPage } from '../../relay/loopback.ts'
import { watchFaults } from './faults.ts'

export { expect }

export type RelayProcess = {
  readonly url: string
  /** The founder's key, as a person keeps it: a file. */
  readonly keyFile: string
  readonly port: number
  /** Ends the process as nothing polite does, and waits until it is gone. */
  kill(): Promise<void>
  /** The same relay again: same data, same port. */
  restart(): Promise<void>
}

export type Rig = {
  readonly relay: RelayProcess
  /** What the relay serves: a copy, so that a test may put a newer build there. */
  readonly appDir: string
  /** A browser profile of somebody's own, in the browser that all share. */
  person(size?: Size): Promise<BrowserContext>
  /** A tab with the app open. */
  tab(context: BrowserContext, path?: string): Promise<Page>
  /** A browser with a profile on disk, to be killed and started again. */
  device(name: string): Promise<Device>
  /** Faults that belong to the test, such as refused connections where the relay was killed. */
  tolerate(fault: RegExp): void
}

export type Device = {
  readonly context: BrowserContext
  /** SIGKILL to the browser process; waits until it is gone. */
  kill(): Promise<void>
}

/** A million credits, in micro-credits: all there ever is in the swarm of a test. */
export const SUPPLY = 1e12

export type Size = 'desk' | 'hand'
export const SIZES = {
  desk: { width: 1280, height: 800 },
  hand: { width: 390, height: 844 },
} as const

/** Where a namespace was not entered, only rewriting keeps to this machine. */
const setup = loopbackPage(loopbackMode() === 'inside' ? 'inside' : 'rewriting')
/** A Node process on a busy machine. */
const START_MS = 20_000

const launchOptions = async (): Promise<LaunchOptions> => {
  const executablePath = await findChromium()
  return { ...(executablePath ? { executablePath } : {}), args: [...chromiumFlags, ...setup.args] }
}

const scratch = (name: string): string => mkdtempSync(join(tmpdir(), `swarm-e2e-${name}-`))

export const test = base.extend<{ rig: Rig }, { shared: Browser; app: string }>({
  // A build that ends while the tests run must not change the app under them.
  app: [
    // oxlint-disable-next-line no-empty-pattern -- Playwright reads what a fixture needs from here
    async ({}, use) => {
      const copy = scratch('app')
      cpSync(process.env['SWARM_E2E_APP'] ?? join(root, 'dist/app'), copy, { recursive: true })
      await use(copy)
      rmSync(copy, { recursive: true, force: true })
    },
    { scope: 'worker' },
  ],
  shared: [
    // oxlint-disable-next-line no-empty-pattern -- Playwright reads what a fixture needs from here
    async ({}, use) => {
      const browser = await chromium.launch(await launchOptions())
      await use(browser)
      await browser.close()
    },
    { scope: 'worker' },
  ],
  rig: async ({ app, shared }, use, info) => {
    const appDir = scratch('own-app')
    cpSync(app, appDir, { recursive: true })
    const faults: string[] = []
    const tolerated: RegExp[] = []
    const closing: (() => Promise<unknown>)[] = []
    const pages: Page[] = []
    const data = scratch('data')
    const relay = await startRelay(data, appDir)
    const open = async (context: BrowserContext): Promise<BrowserContext> => {
      if (setup.initScript) await context.addInitScript({ path: setup.initScript })
      watchFaults(context, (text) => faults.push(text))
      context.on('page', (page) => pages.push(page))
      return context
    }
    const rig: Rig = {
      relay,
      appDir,
      async person(size = 'desk') {
        const hand = size === 'hand' && { isMobile: true, hasTouch: true, deviceScaleFactor: 2 }
        const context = await shared.newContext({
          viewport: SIZES[size],
          permissions: [...setup.permissions],
          acceptDownloads: true,
          ...hand,
        })
        closing.unshift(() => context.close())
        return open(context)
      },
      async tab(context, path = '/?share=100') {
        const page = await context.newPage()
        await page.goto(new URL(path, relay.url).href)
        return page
      },
      async device(name) {
        const profile = join(data, name)
        const context = await chromium.launchPersistentContext(profile, {
          ...(await launchOptions()),
          viewport: SIZES.desk,
          permissions: [...setup.permissions],
        })
        closing.unshift(() => context.close().catch(() => undefined))
        return { context: await open(context), kill: () => killBrowser(context) }
      },
      tolerate: (fault) => void tolerated.push(fault),
    }
    await use(rig)
    if (info.status !== info.expectedStatus) await describe(pages, faults)
    for (const close of closing) await close()
    await relay.kill()
    for (const folder of [data, appDir]) rmSync(folder, { recursive: true, force: true })
    const left = faults.filter((fault) => !tolerated.some((known) => known.test(fault)))
    expect(left, 'what the pages complained of').toEqual([])
  },
})

/** What a failed test leaves behind: what every page said when it failed, and how it looked. */
const describe = async (pages: readonly Page[], faults: readonly string[]): Promise<void> => {
  const info = base.info()
  for (const [i, page] of pages.entries()) {
    if (page.isClosed()) continue
    const text = await page.innerText('body', { timeout: 2_000 }).catch(String)
    await info.attach(`page ${i}: ${page.url()}`, { body: text, contentType: 'text/plain' })
    const body = await page.screenshot({ timeout: 5_000 }).catch(() => null)
    if (body) await info.attach(`page ${i}`, { body, contentType: 'image/png' })
  }
  if (faults.length > 0)
    await info.attach('faults', { body: faults.join('\n'), contentType: 'text/plain' })
}

const spawnRelay = async (
  words: readonly string[],
): Promise<{ child: ChildProcess; url: string; keyFile: string }> => {
  const program = fileURLToPath(new URL('relay-child.ts', import.meta.url))
  const child = spawn(process.execPath, [program, ...words], { stdio: ['pipe', 'pipe', 'inherit'] })
  const line = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the relay does not start')), START_MS)
    child.stdout.once('data', (bytes: Buffer) => resolve(bytes.toString()))
    child.once('exit', (code) => reject(new Error(`the relay ended with ${code}`)))
    child.once('exit', () => clearTimeout(timer))
    child.stdout.once('data', () => clearTimeout(timer))
  })
  return { child, ...(JSON.parse(line) as { url: string; keyFile: string }) }
}

const startRelay = async (data: string, app: string): Promise<RelayProcess> => {
  const folders = [app, join(root, 'public/jobs')]
  let running = await spawnRelay([data, '0', ...folders])
  const { url, keyFile } = running
  const port = Number(new URL(url).port)
  return {
    url,
    keyFile,
    port,
    async kill() {
      if (running.child.exitCode !== null || running.child.signalCode !== null) return
      const gone = new Promise((resolve) => running.child.once('exit', resolve))
      running.child.kill('SIGKILL')
      await gone
    },
    async restart() {
      running = await spawnRelay([data, String(port), ...folders])
    },
  }
}

/** The browser's own word for which process it is, so that no other is hit. */
const killBrowser = async (context: BrowserContext): Promise<void> => {
  const browser = context.browser()
  if (!browser) throw new Error('this browser cannot be asked for its process')
  const session = await browser.newBrowserCDPSession()
  const { processInfo } = await session.send('SystemInfo.getProcessInfo')
  const main = processInfo.find(({ type }) => type === 'browser')
  const gone = new Promise<void>((resolve) => context.once('close', () => resolve()))
  process.kill(main!.id, 'SIGKILL')
  await gone
}
