/** The page of states, served for one worker of a file of tests, and opened in one of them. */
import { test, type Locator, type Page } from '@playwright/test'
import { chromiumFlags, findChromium } from '../../relay/find-chromium.mjs'
import { serveStates } from './serve.ts'

const executablePath = (await findChromium()) ?? undefined

/** @param name of the file; gives how a state is opened */
export const hands = (name: string): ((page: Page, state: string) => Promise<void>) => {
  test.use({
    launchOptions: { ...(executablePath ? { executablePath } : {}), args: chromiumFlags },
    viewport: { width: 1280, height: 800 },
  })
  let served: Awaited<ReturnType<typeof serveStates>>
  // oxlint-disable-next-line no-empty-pattern -- Playwright reads what a fixture needs from here
  test.beforeAll(async ({}, { workerIndex }) => {
    served = await serveStates(`${name}-${workerIndex}`)
  })
  test.afterAll(() => served?.close())
  return async (page, state) => {
    await page.goto(`${served.origin}?state=${state}`)
    await page.locator('main h1').first().waitFor({ state: 'attached' })
  }
}

export const said = (page: Page): Locator => page.locator('[aria-live]').last()
