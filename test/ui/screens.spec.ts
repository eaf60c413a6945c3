/**
 * Every state of the interface, on a desk and in a hand: no axe violation, nothing wider than the screen,
 * nothing too small for a thumb, nothing the content security policy forbids. `STATES=wallet,receipt` or
 * `STATES=all` looks at them in both themes and leaves the pictures in `test-results/ui`, which takes longer.
 */
import { fileURLToPath } from 'node:url'
import AxeBuilder from '@axe-core/playwright'
import { expect, test, type Page } from '@playwright/test'
import { chromiumFlags, findChromium } from '../../relay/find-chromium.mjs'
import { serveStates } from './serve.ts'
import { states } from './states.ts'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const out = here('../../test-results/ui')
const wanted = process.env['STATES']?.split(',')
const all = wanted === undefined || wanted.includes('all')
const names = Object.keys(states).filter((name) => all || wanted.includes(name))
/** These are looked at by axe in all four ways; the others in one, by turns. */
const screens = [
  'donate-contract',
  'donate-working',
  'jobs',
  'job-running',
  'new',
  'swarm',
  'wallet',
  'receipt-verified',
  'settings',
]
const sizes = { desk: { width: 1440, height: 900 }, hand: { width: 360, height: 640 } } as const
const executablePath = (await findChromium()) ?? undefined
test.use({ launchOptions: { ...(executablePath ? { executablePath } : {}), args: chromiumFlags } })

let served: Awaited<ReturnType<typeof serveStates>>
// oxlint-disable-next-line no-empty-pattern -- Playwright reads what a fixture needs from here
test.beforeAll(async ({}, { workerIndex }) => {
  served = await serveStates(`screens-${workerIndex}`)
})
test.afterAll(() => served?.close())

const tooWide = (page: Page): Promise<number> =>
  page.evaluate(() => Math.max(0, document.documentElement.scrollWidth - innerWidth))

/** Things one presses that are smaller than a thumb: less than 44 pixels a side. */
const tooSmall = (page: Page): Promise<string[]> =>
  page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>('a, button, input, select, textarea, summary')]
      .filter(
        (element) =>
          element.checkVisibility({ visibilityProperty: true }) &&
          !element.closest('.unseen, .skip'),
      )
      // A link within a sentence takes the sentence's height.
      .filter((element) => getComputedStyle(element).display !== 'inline')
      .filter((element) => {
        const own = element.matches('[type=checkbox], [type=radio]')
          ? (element.closest('label') ?? element.nextElementSibling ?? element)
          : element
        const { width, height } = own.getBoundingClientRect()
        return height < 43.5 || width < 43.5
      })
      .map(
        (element) =>
          `${element.tagName} ${element.textContent.trim() || element.getAttribute('aria-label')}`,
      ),
  )

for (const [turn, name] of names.entries()) {
  test(name, async ({ page }) => {
    test.setTimeout(120_000)
    const faults: string[] = []
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') faults.push(message.text())
    })
    page.on('pageerror', (error) => faults.push(error.message))
    await page.setViewportSize(sizes.hand)
    await page.emulateMedia({ reducedMotion: 'reduce' })
    await page.goto(`${served.origin}?state=${name}&theme=light`)
    await page.evaluate(() => document.fonts.ready)
    await expect(page.getByText('Opening')).toHaveCount(0)
    await page.locator('main h1, dialog h2').first().waitFor({ state: 'attached' })
    for (const words of states[name]?.press ?? []) {
      if (words.startsWith('key:')) await page.keyboard.press(words.slice(4))
      else await page.locator(`:is(dialog, main) button:has-text("${words}")`).first().click()
    }
    // Results are read from the node at most every 400 ms.
    await page.waitForTimeout(name.startsWith('job') ? 600 : 150)
    for (const [size, viewport] of Object.entries(sizes)) {
      await page.setViewportSize(viewport)
      expect.soft(await tooWide(page), `${size}: wider than the screen`).toBe(0)
      expect.soft(await tooSmall(page), `${size}: too small to touch`).toEqual([])
      for (const theme of ['light', 'dark']) {
        await page.evaluate((to) => (document.documentElement.dataset['theme'] = to), theme)
        if (wanted) {
          const path = `${out}/${name}-${size}-${theme}.png`
          await page.screenshot({ path, fullPage: process.env['FULL'] === '1' })
        }
        const mine = turn % 2 === 0 ? 'hand light' : 'desk dark'
        if (wanted || screens.includes(name) || mine === `${size} ${theme}`) {
          const { violations } = await new AxeBuilder({ page }).analyze()
          const found = violations.map(
            ({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' | ')}`,
          )
          expect.soft(found, `${size}, ${theme}`).toEqual([])
        }
      }
    }
    expect(faults).toEqual([])
  })
}
