/** A Chromium of ours: asks nobody anything, and keeps to this machine where it has to. */
import { chromium, type Browser, type Page } from 'playwright'
import { err, ok, type Result } from '../src/base/result.ts'
import type { PortError } from '../src/ports.ts'
import { chromiumFlags, findChromium } from './find-chromium.mjs'
import { loopbackMode, loopbackOnly, loopbackPage } from './loopback.ts'

export type OwnBrowser = {
  /** A page in a context of its own: its own key, its own account. */
  newPage(): Promise<Page>
  /** Resolves when the browser has ended, by whatever cause. */
  readonly lost: Promise<void>
  close(): Promise<void>
}

/** @error no-browser, browser-failed */
export const openBrowser = async (): Promise<Result<OwnBrowser, PortError>> => {
  const executablePath = await findChromium()
  if (executablePath === null) {
    return err({
      code: 'no-browser',
      detail: 'no Chromium was found; install one or set SWARM_CHROMIUM to its path',
    })
  }
  // Where a namespace could be made but was not entered, only rewriting keeps to this machine.
  const setup = loopbackPage(loopbackMode() === 'inside' ? 'inside' : 'rewriting')
  const closed = loopbackOnly()
  let browser: Browser
  try {
    browser = await chromium.launch({
      executablePath,
      args: [...chromiumFlags, ...(closed ? setup.args : [])],
      // Signals are ours: the library would end this process before relay and books are closed.
      handleSIGINT: false,
      handleSIGTERM: false,
      handleSIGHUP: false,
    })
  } catch (cause) {
    return err({ code: 'browser-failed', detail: String(cause).split('\n')[0]! })
  }
  const newPage = async (): Promise<Page> => {
    const context = await browser.newContext(closed ? { permissions: [...setup.permissions] } : {})
    if (closed && setup.initScript) await context.addInitScript({ path: setup.initScript })
    return context.newPage()
  }
  const lost = new Promise<void>((resolve) => browser.once('disconnected', () => resolve()))
  return ok({ newPage, lost, close: () => browser.close() })
}
