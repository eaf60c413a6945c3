/**
 * Headless browser nodes: real tabs of the real app, started by an operator whose command is the
 * consent. Each has a context of its own, so that each is its own account.
 */
import type { Page } from 'playwright'
import { err, ok, type Result } from '../src/base/result.ts'
import type { Limits } from '../src/peer/view.ts'
import type { PortError } from '../src/ports.ts'
import { openBrowser } from './browser.ts'

export type HeadlessNodes = {
  readonly count: number
  /** Resolves when all of them lend their device. @error node-failed */
  readonly ready: Promise<Result<null, PortError>>
  /** What each node's own status line says. */
  lines(): Promise<string[]>
  /** Which account each of them is. */
  accounts(): Promise<string[]>
  /** Bytes that each tab takes, with its workers, as its browser says. */
  memory(): Promise<number[]>
  /** Takes the consent back: the nodes hand back what they have and tell the swarm that they pause. */
  stop(): Promise<void>
  /** Resolves when the browser has ended, by whatever cause. */
  readonly lost: Promise<void>
  close(): Promise<void>
}

/** A tab that has not measured its device by then will not. */
const READY_MS = 90_000
const STOP_MS = 1_000

/** What pages have that are isolated, as ours are. */
type Measuring = { measureUserAgentSpecificMemory(): Promise<{ readonly bytes: number }> }

/** What an operator lends; the rest is as for anybody. */
export type Lent = Partial<Pick<Limits, 'allowWgsl' | 'givesAll' | 'refuses' | 'memoryBytes'>>

export const startHeadless = async (
  url: string,
  count: number,
  lent: Lent,
  log: (text: string) => void,
): Promise<Result<HeadlessNodes, PortError>> => {
  const opened = await openBrowser()
  if (!opened.ok) return opened
  const browser = opened.value
  const pages: Page[] = []
  const open = async (index: number): Promise<void> => {
    const page = await browser.newPage()
    pages.push(page)
    await page.addInitScript((limits) => Object.assign(globalThis, { swarmOperator: limits }), {
      share: 1,
      ...lent,
    })
    page.on('pageerror', (error) => log(`node ${index + 1}: ${error.message}`))
    const answer = await page.goto(new URL('/', url).href, { waitUntil: 'load' })
    if (answer?.ok() !== true) throw new Error(`${url} serves no app (${answer?.status()})`)
    await page.getByRole('button', { name: 'Start', exact: true }).click({ timeout: READY_MS })
    await page
      .locator('[data-donate="ready"], [data-donate="working"]')
      .first()
      .waitFor({ timeout: READY_MS })
  }
  const lines = (): Promise<string[]> =>
    Promise.all(
      pages.map(async (page) => (await page.locator('footer').innerText()).replace(/\s+/g, ' ')),
    )
  const ready = (async (): Promise<Result<null, PortError>> => {
    try {
      await Promise.all(Array.from({ length: count }, (_, index) => open(index)))
      return ok(null)
    } catch (cause) {
      const said = await lines().catch(() => [])
      return err({
        code: 'node-failed',
        detail: `${String(cause).split('\n')[0]}; the nodes say: ${said.join(' | ')}`,
      })
    }
  })()
  const accounts = (): Promise<string[]> =>
    Promise.all(
      pages.map(
        async (page) => (await page.locator('[data-donate]').getAttribute('data-account')) ?? '',
      ),
    )
  const memory = (): Promise<number[]> =>
    Promise.all(
      pages.map((page) =>
        page.evaluate(async () => {
          const { performance: own } = globalThis as unknown as { performance: Measuring }
          return (await own.measureUserAgentSpecificMemory()).bytes
        }),
      ),
    )
  const stop = async (): Promise<void> => {
    const buttons = pages.map((page) =>
      page.locator('footer').getByRole('button', { name: 'Stop' }),
    )
    // A node that is gone already need not be stopped.
    await Promise.all(
      buttons.map((button) => button.click({ timeout: STOP_MS }).catch(() => undefined)),
    )
  }
  return ok({
    count,
    ready,
    lines,
    accounts,
    memory,
    stop,
    lost: browser.lost,
    close: () => browser.close(),
  })
}
