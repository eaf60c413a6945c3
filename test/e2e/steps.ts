/** What people do in these tests, in their own words: by role and label, as a person finds things. */
import { expect, type Page } from '@playwright/test'

/** Loading, three seconds of measuring, and two slow cores that others use too. */
const READY_MS = 45_000

const PLACES = { donate: 'Donate', jobs: 'Jobs', new: 'Playground', swarm: 'Swarm', wallet: 'Wallet', settings: 'Settings' } as const
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

/** Settings, bring a key back: the page loads again as the founder. */
export const becomeFounder = async (page: Page, keyFile: string): Promise<string> => {
  const before = await loaded(page)
  await go(page, 'settings')
  await page.getByRole('button', { name: 'Bring a key back' }).click()
  await page.getByLabel('Key file').setInputFiles(keyFile)
  const passphrase = page.getByLabel(/^Passphrase/)
  if (await passphrase.isVisible()) await passphrase.fill('none')
  await page.getByRole('button', { name: 'Replace the key' }).click()
  await expect(strip(page)).toHaveAttribute('data-account', /^did:key:/, { timeout: READY_MS })
  await expect(strip(page)).not.toHaveAttribute('data-account', before, { timeout: READY_MS })
  return loaded(page)
}

/** Fills the form of a template; the estimate follows by itself. */
export const fill = async (page: Page, fields: Readonly<Record<string, string>>): Promise<void> => {
  for (const [label, value] of Object.entries(fields)) {
    const field = page.getByLabel(label, { exact: true })
    if ((await field.evaluate((element) => element.tagName)) === 'SELECT') await field.selectOption(value)
    else await field.fill(value)
  }
}

/** Hands the job over; the page goes to it. */
export const run = async (page: Page, units: number): Promise<string> => {
  const estimate = page.getByRole('region', { name: 'Estimate' })
  await expect(estimate.locator('div', { hasText: /^Units/ }).locator('dd').first()).toHaveText(String(units))
  await page.getByRole('button', { name: 'Run on the swarm' }).click()
  await expect(page).toHaveURL(/#\/jobs\/\w+/)
  return new URL(page.url()).hash.split('/')[2] ?? ''
}

/** Opens a spec of one's own from a file. */
export const openSpec = async (page: Page, name: string, text: string): Promise<void> => {
  await go(page, 'new')
  const file = { name, mimeType: 'text/markdown', buffer: Buffer.from(text) }
  await page.getByLabel('A spec or a picture').setInputFiles(file)
  await expect(page.getByText(name, { exact: true })).toBeVisible()
}

export const jobState = (page: Page, state: string | RegExp, timeout = 60_000): Promise<void> =>
  expect(page.locator('dl.facts div', { hasText: /^State/ }).locator('dd').first()).toHaveText(state, { timeout })

/** How many units are verified, as the page says. */
export const verified = async (page: Page): Promise<number> => {
  const text = await page.locator('dl.facts div', { hasText: /^Verified/ }).locator('dd').first().innerText()
  return Number(text.replace(/ of .*/s, '').replace(/\D/g, ''))
}

const micro = (text: string): number => Math.round(Number(text.replace(/[^\d.]/g, '')) * 1e6)

export type Purse = { readonly balance: number; readonly inFlight: number; readonly receipts: number }

/** What the wallet says, to the micro-credit. */
export const purse = async (page: Page): Promise<Purse> => {
  if (!page.url().includes('#/wallet')) await go(page, 'wallet')
  const exact = await page.getByText(/^exactly/).innerText()
  const [balance = '', inFlight = '0'] = exact.split(';')
  const rows = await page.getByRole('region', { name: 'Receipts' }).locator('li').count()
  return { balance: micro(balance), inFlight: micro(inFlight), receipts: rows }
}
