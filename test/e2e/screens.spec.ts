/**
 * Every screen with what a real job left on it: no violation that axe finds, in both themes, on a desk
 * and on a phone. With SWARM_SCREENSHOTS=1 the pictures of the README are taken on the way.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import AxeBuilder from '@axe-core/playwright'
import type { Page } from '@playwright/test'
import { root } from '../../relay/local-node.mjs'
import { expect, SIZES, test, type Size } from './rig.ts'
import { oracle } from '../models/oracle.ts'
import { becomeFounder, choose, fill, go, jobState, lend, loaded, run } from './steps.ts'

const folder = process.env['SWARM_SCREENSHOTS'] === '1' ? join(root, 'docs/screenshots') : null
const THEMES = ['light', 'dark'] as const
/** The smallest phone and a large screen: nothing may be wider than they are. */
const EDGES = [
  { width: 360, height: 640 },
  { width: 1440, height: 900 },
] as const

const settled = (page: Page): Promise<unknown> =>
  page.evaluate(() =>
    Promise.all([
      document.fonts.ready,
      ...document.getAnimations().map((animation) => animation.finished.catch(() => null)),
    ]),
  )

const tooWide = (page: Page): Promise<number> =>
  page.evaluate(() => document.documentElement.scrollWidth - innerWidth)

/** Looks at what is on the screen now, in both themes. */
const look = async (page: Page, size: Size, name: string): Promise<void> => {
  await page.setViewportSize(SIZES[size])
  await page.evaluate(() => scrollTo({ top: 0, behavior: 'instant' }))
  for (const theme of THEMES) {
    await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' })
    await settled(page)
    const axe = new AxeBuilder({ page })
    // The themes differ in their colours alone.
    if (theme === 'dark') axe.withRules(['color-contrast', 'link-in-text-block'])
    const { violations } = await axe.analyze()
    const found = violations.map(
      ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`,
    )
    expect.soft(found, `${name}, ${size}, ${theme}`).toEqual([])
    expect
      .soft(await tooWide(page), `${name}, ${size}: wider than the screen`)
      .toBeLessThanOrEqual(0)
    if (folder) await page.screenshot({ path: join(folder, `${name}-${size}-${theme}.png`) })
  }
  for (const edge of EDGES) {
    await page.setViewportSize(edge)
    const wide = await tooWide(page)
    expect.soft(wide, `${name}: wider than ${edge.width}`).toBeLessThanOrEqual(0)
  }
}

test('every screen can be read by everybody, in both themes, on a desk and on a phone', async ({
  rig,
}) => {
  test.setTimeout(300_000)
  if (folder) mkdirSync(folder, { recursive: true })
  const desk = await rig.tab(await rig.person('desk'))
  const hand = await rig.tab(await rig.person('hand'))
  await Promise.all([loaded(desk), loaded(hand)])
  for (const [page, size] of [
    [desk, 'desk'],
    [hand, 'hand'],
  ] as const)
    await look(page, size, 'contract')

  // The phone lends itself; the desk asks.
  await Promise.all([lend(hand), becomeFounder(desk, rig.relay.keyFile)])
  await look(hand, 'hand', 'ready')
  await go(desk, 'new')
  await fill(desk, { Width: '512', Height: '384', Zoom: '1', Iterations: '200' })
  await expect(desk.getByRole('button', { name: 'Run on the swarm' })).toBeEnabled()
  for (const size of ['hand', 'desk'] as const) await look(desk, size, 'playground')
  await run(desk, 48)
  await jobState(desk, 'done')
  for (const size of ['hand', 'desk'] as const) await look(desk, size, 'job')
  for (const place of ['jobs', 'swarm', 'wallet', 'settings'] as const) {
    await go(desk, place)
    for (const size of ['hand', 'desk'] as const) await look(desk, size, place)
  }
  await go(desk, 'wallet')
  await desk.getByRole('region', { name: 'Receipts' }).locator('li a').first().click()
  await desk.getByRole('button', { name: 'Re-verify' }).click()
  await expect(desk.getByText('All of it holds')).toBeVisible()
  for (const size of ['hand', 'desk'] as const) await look(desk, size, 'receipt')
  await desk.keyboard.press('Escape')
  await desk.keyboard.press('l')
  await expect(desk.getByRole('dialog', { name: 'Log' })).toContainText('credits paid')
  for (const size of ['hand', 'desk'] as const) await look(desk, size, 'log')

  // A phone that nobody touches goes dark while it works; a touch wakes it.
  const dark = hand.getByText('Touch to see')
  await expect(dark).toBeVisible()
  await look(hand, 'hand', 'dark')
  await dark.tap()
  await expect(dark).toBeHidden()
  await go(hand, 'donate')
  await look(hand, 'hand', 'worked')
  for (const place of ['wallet', 'swarm'] as const) {
    await go(hand, place)
    await look(hand, 'hand', `${place}-of-a-worker`)
  }
})

test('a text that goes on can be read by everybody while it comes and afterwards', async ({
  rig,
}) => {
  test.skip(oracle === null, 'there is no model here that says something')
  test.setTimeout(300_000)
  for (let i = 0; i < 2; i++) await lend(await rig.tab(await rig.person()))
  const desk = await rig.tab(await rig.person('desk'))
  await becomeFounder(desk, rig.relay.keyFile)
  await go(desk, 'chat')
  await choose(desk, 'Choose a GGUF file', join(oracle!.folder, 'stories260K.Q8_0.gguf'))
  await desk.getByRole('spinbutton', { name: 'New tokens, at most' }).fill('120')
  await desk.getByRole('checkbox', { name: /Free tier/ }).uncheck()
  await desk.getByRole('combobox', { name: 'Nodes, at most' }).selectOption('2')
  await desk.getByRole('button', { name: 'Go on with the text' }).click()
  await expect(desk.getByRole('button', { name: 'Begin from here' })).toBeVisible({
    timeout: 200_000,
  })
  for (const size of ['hand', 'desk'] as const) await look(desk, size, 'chat')
})
