/**
 * Headless browser nodes: real tabs of the real app, started by an operator whose command is the
 * consent. Each has a context of its own, so that each is its own account.
 */
import { chromium, type Browser, type Page } from 'playwright'
import { err, ok, type Result } from '../src/base/result.ts'
import type { PortError } from '../src/ports.ts'
import { chromiumFlags, findChromium } from './find-chromium.mjs'
import { loopbackMode, loopbackOnly, loopbackPage } from './loopback.ts'

export type HeadlessNodes = {
  readonly count: number
  /** Resolves when all of them lend their device. @error node-failed */
  readonly ready: Promise<Result<null, PortError>>
  /** What each node's own status line says. */
  lines(): Promise<string[]>
  close(): Promise<void>
}

/** A tab that has not measured its device by then will not. */
const READY_MS = 90_000

export const startHeadless = async (url: string, count: number, log: (text: string) => void): Promise<Result<HeadlessNodes, PortError>> => {
  const executablePath = await findChromium()
  if (executablePath === null) {
    return err({ code: 'no-browser', detail: 'no Chromium was found; install one or set SWARM_CHROMIUM to its path' })
  }
  const setup = loopbackPage(loopbackMode())
  const closed = loopbackOnly()
  let browser: Browser
  try {
    browser = await chromium.launch({
      executablePath,
      args: [...chromiumFlags, ...(closed ? setup.args : [])],
    })
  } catch (cause) {
    return err({ code: 'browser-failed', detail: String(cause).split('\n')[0]! })
  }
  const pages: Page[] = []
  const open = async (index: number): Promise<void> => {
    const context = await browser.newContext(closed ? { permissions: [...setup.permissions] } : {})
    if (closed && setup.initScript) await context.addInitScript({ path: setup.initScript })
    const page = await context.newPage()
    pages.push(page)
    page.on('pageerror', (error) => log(`node ${index + 1}: ${error.message}`))
    await page.goto(new URL('/?share=100', url).href, { waitUntil: 'load' })
    await page.getByRole('button', { name: 'Start', exact: true }).click({ timeout: READY_MS })
    await page.locator('[data-donate="ready"], [data-donate="working"]').first().waitFor({ timeout: READY_MS })
  }
  const ready = (async (): Promise<Result<null, PortError>> => {
    try {
      await Promise.all(Array.from({ length: count }, (_, index) => open(index)))
      return ok(null)
    } catch (cause) {
      return err({ code: 'node-failed', detail: String(cause).split('\n')[0]! })
    }
  })()
  const lines = (): Promise<string[]> =>
    Promise.all(pages.map(async (page) => (await page.locator('[data-donate]').innerText()).replace(/\s+/g, ' ')))
  return ok({ count, ready, lines, close: () => browser.close() })
}
