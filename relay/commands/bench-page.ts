/** The page that the benchmarks run in, built from the sources of this checkout and served by a relay of its own. */
import { existsSync, mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright'
import { err, ok, type Result } from '../../src/base/result.ts'
import type { Job } from '../../src/core/job.ts'
import type { PortError } from '../../src/ports.ts'
import { openBrowser } from '../browser.ts'
import { quietly, root, script } from '../local-node.mjs'
import { startRelay } from '../relay.ts'
import { VERSION } from '../version.ts'

/** What the page can do; see `test/bench/tab.ts`. */
export type BenchTab = {
  open(relays: readonly string[]): Promise<string>
  ready(): boolean
  connect(peer: string, relay: string): void
  direct(): boolean
  expect(length: number): void
  arrived(): Promise<void>
  sendTensors(peer: string, length: number, count: number): void
  readonly raw: {
    offer(): Promise<string>
    answer(offer: string): Promise<string>
    accept(answer: string): Promise<void>
    open(): boolean
    send(length: number): Promise<void>
    echo(): void
    roundTrips(length: number, count: number): Promise<number[]>
  }
  adapter(): Promise<string>
  task(job: Job, index: number, engine: 'gpu' | 'cpu'): Promise<number>
}

declare const tab: BenchTab

export type BenchPages = {
  readonly multiaddrs: readonly string[]
  newPage(): Promise<Page>
  close(): Promise<void>
}

const BUILD_MS = 120_000
const CONFIG = join(root, 'test/bench/vite.config.ts')

/** Two pages with a data channel between them, and nothing else. */
export const joinRaw = async (alice: Page, bob: Page): Promise<void> => {
  const offer = await alice.evaluate(() => tab.raw.offer())
  const answer = await bob.evaluate((text) => tab.raw.answer(text), offer)
  await alice.evaluate((text) => tab.raw.accept(text), answer)
  for (const page of [alice, bob]) await page.waitForFunction(() => tab.raw.open())
}

/** Builds the pages into a folder. @error no-sources, build-failed */
export const buildPages = async (appDir: string): Promise<Result<null, PortError>> => {
  if (!existsSync(CONFIG))
    return err({ code: 'no-sources', detail: 'this benchmark needs a checkout of the sources' })
  const { ok: built, output } = await quietly(
    process.execPath,
    [script('vite'), 'build', '--logLevel', 'error', '--config', CONFIG, '--outDir', appDir],
    { limitMs: BUILD_MS },
  )
  return built ? ok(null) : err({ code: 'build-failed', detail: output.slice(0, 500) })
}

/** @error no-sources, build-failed, or what relay and browser say */
export const benchPages = async (): Promise<Result<BenchPages, PortError>> => {
  const appDir = mkdtempSync(join(tmpdir(), 'swarm-bench-'))
  const opened: (() => Promise<unknown>)[] = [() => rm(appDir, { recursive: true, force: true })]
  const close = async (): Promise<void> => {
    for (const each of opened.splice(0).toReversed()) await each()
  }
  const built = await buildPages(appDir)
  if (!built.ok) {
    await close()
    return built
  }
  const relay = await startRelay({ dataDir: null, appDir, version: VERSION })
  if (!relay.ok) {
    await close()
    return relay
  }
  opened.push(() => relay.value.close())
  const browser = await openBrowser()
  if (!browser.ok) {
    await close()
    return browser
  }
  opened.push(() => browser.value.close())
  const newPage = async (): Promise<Page> => {
    const page = await browser.value.newPage()
    await page.goto(relay.value.url)
    await page.waitForFunction(() => 'tab' in globalThis)
    return page
  }
  return ok({ multiaddrs: relay.value.multiaddrs, newPage, close })
}
