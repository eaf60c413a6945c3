/** What people do in these tests, in their own words: by role and label, as a person finds things. */
import { expect, type FileChooser, type Page } from '@playwright/test'
import type { Rig } from './rig.ts'

/** Loading, three seconds of measuring, and two slow cores that others use too. */
const READY_MS = 45_000

const PLACES = {
  donate: 'Donate',
  jobs: 'Jobs',
  new: 'Playground',
  chat: 'Chat',
  swarm: 'Swarm',
  wallet: 'Wallet',
  settings: 'Settings',
} as const
type Place = keyof typeof PLACES

export const strip = (page: Page) => page.locator('[data-donate]')

export const waitForState = (page: Page, states: RegExp, timeout = READY_MS): Promise<void> =>
  expect(strip(page)).toHaveAttribute('data-donate', states, { timeout })

/** The program is there and has opened its key and its books. */
export const loaded = async (page: Page): Promise<string> => {
  await expect(strip(page)).toHaveAttribute('data-account', /^did:key:/, { timeout: READY_MS })
  return (await strip(page).getAttribute('data-account')) ?? ''
}

/** Reads the contract, agrees, and waits until the device has been measured. */
export const lend = async (page: Page): Promise<void> => {
  await page.getByRole('button', { name: 'Start', exact: true }).click({ timeout: READY_MS })
  await waitForState(page, /^(ready|working)$/)
}

export const go = async (page: Page, place: Place): Promise<void> => {
  await page.goto(`${page.url().replace(/#.*$/, '')}#/${place}`)
  await expect(page.locator('main h1').first()).toBeAttached()
}

/** Presses a button that asks for a file, and gives it one. */
export const choose = async (
  page: Page,
  button: string | RegExp,
  file: Parameters<FileChooser['setFiles']>[0],
): Promise<void> => {
  const [chooser] = await Promise.all([
    page.waitForEvent('filechooser'),
    page.getByRole('button', { name: button }).click(),
  ])
  await chooser.setFiles(file)
}

/** Settings, bring a key back: the page loads again as the founder. */
export const becomeFounder = async (page: Page, keyFile: string): Promise<string> => {
  const before = await loaded(page)
  await go(page, 'settings')
  await page.getByRole('button', { name: 'Bring a key back' }).click()
  await choose(page, 'Choose the key file', keyFile)
  await expect(strip(page)).toHaveAttribute('data-account', /^did:key:/, { timeout: READY_MS })
  await expect(strip(page)).not.toHaveAttribute('data-account', before, { timeout: READY_MS })
  return loaded(page)
}

/** Two people with a tab each: alice has agreed to lend hers, bob has the founder's credits. */
export const aliceAndBob = async (rig: Rig): Promise<{ alice: Page; bob: Page }> => {
  const [alice, bob] = [await rig.tab(await rig.person()), await rig.tab(await rig.person())]
  await Promise.all([lend(alice), becomeFounder(bob, rig.relay.keyFile)])
  return { alice, bob }
}

/** Fills the form of a template; the estimate follows by itself. */
export const fill = async (page: Page, fields: Readonly<Record<string, string>>): Promise<void> => {
  for (const [label, value] of Object.entries(fields)) {
    const field = page.getByLabel(label, { exact: true })
    if ((await field.evaluate((element) => element.tagName)) === 'SELECT')
      await field.selectOption(value)
    else await field.fill(value)
  }
}

/** Hands the job over; the page goes to it. */
export const run = async (page: Page, units: number): Promise<string> => {
  const estimate = page.getByRole('region', { name: 'Estimate' })
  await expect(
    estimate
      .locator('div', { hasText: /^Units/ })
      .locator('dd')
      .first(),
  ).toHaveText(String(units))
  await page.getByRole('button', { name: 'Run on the swarm' }).click()
  await expect(page).toHaveURL(/#\/jobs\/\w+/)
  return new URL(page.url()).hash.split('/')[2] ?? ''
}

/** Opens a spec of one's own from a file. */
export const openSpec = async (page: Page, name: string, text: string): Promise<void> => {
  await go(page, 'new')
  const file = { name, mimeType: 'text/markdown', buffer: Buffer.from(text) }
  await choose(page, /^Open a file/, file)
  await expect(page.getByText(name, { exact: true })).toBeVisible()
}

export const jobState = (page: Page, state: string | RegExp, timeout = 60_000): Promise<void> =>
  expect(
    page
      .locator('dl.facts div', { hasText: /^State/ })
      .locator('dd')
      .first(),
  ).toHaveText(state, { timeout })

/** How many units are verified, as the page says. */
export const verified = async (page: Page): Promise<number> => {
  const text = await page
    .locator('dl.facts div', { hasText: /^Verified/ })
    .locator('dd')
    .first()
    .innerText()
  return Number(text.replace(/ of .*/s, '').replace(/\D/g, ''))
}

const micro = (text: string): number => Math.round(Number(text.replace(/[^\d.]/g, '')) * 1e6)

export type Purse = {
  readonly balance: number
  readonly inFlight: number
  readonly receipts: number
}

/** What the wallet says, to the micro-credit. */
export const purse = async (page: Page): Promise<Purse> => {
  if (!page.url().includes('#/wallet')) await go(page, 'wallet')
  const exact = await page.getByText(/^exactly/).innerText()
  const [balance = '', inFlight = '0'] = exact.split(';')
  const rows = await page.getByRole('region', { name: 'Receipts' }).locator('li').count()
  return { balance: micro(balance), inFlight: micro(inFlight), receipts: rows }
}

/** Opens the latest receipt and has this tab work everything in it out again. */
export const reverify = async (page: Page): Promise<void> => {
  await go(page, 'wallet')
  await page.getByRole('region', { name: 'Receipts' }).locator('li a').first().click()
  const dialog = page.getByRole('dialog', { name: 'Receipt' })
  await dialog.getByRole('button', { name: 'Re-verify' }).click()
  await expect(dialog.getByText('All of it holds, worked out in this tab.')).toBeVisible()
  await dialog.getByRole('button', { name: 'Close' }).click()
  await expect(dialog).toBeHidden()
}
