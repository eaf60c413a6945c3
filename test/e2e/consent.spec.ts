/** Nothing computes before the click; and one browser is one node, however many tabs are open. */
import type { Page } from '@playwright/test'
import { expect, test } from './rig.ts'
import {
  aliceAndBob,
  becomeFounder,
  fill,
  go,
  jobState,
  lend,
  loaded,
  openSpec,
  run,
  strip,
  verified,
  waitForState,
} from './steps.ts'

/** Counts what a page asks of the graphics driver; workers are seen from outside. */
const countDevices = (): void => {
  const counts = { devices: 0 }
  Object.assign(globalThis, { counts })
  const adapter = (globalThis as { GPUAdapter?: { prototype: { requestDevice: () => unknown } } })
    .GPUAdapter
  if (!adapter) return
  const ask = adapter.prototype.requestDevice
  adapter.prototype.requestDevice = function (...args) {
    counts.devices += 1
    return Reflect.apply(ask, this, args)
  }
}

const computing = async (page: Page): Promise<{ devices: number; workers: string[] }> => ({
  devices: await page.evaluate(
    () => (globalThis as unknown as { counts: { devices: number } }).counts.devices,
  ),
  workers: page
    .workers()
    .map((worker) => worker.url())
    .filter((url) => url.includes('compute')),
})

/** What makes one button look weightier than another. */
const weight = (page: Page, name: string) =>
  page.getByRole('button', { name, exact: true }).evaluate((button) => {
    const { width, height } = button.getBoundingClientRect()
    const style = getComputedStyle(button)
    const { color, backgroundColor, borderColor, fontSize, fontWeight, opacity } = style
    return {
      width: Math.round(width),
      height,
      color,
      backgroundColor,
      borderColor,
      fontSize,
      fontWeight,
      opacity,
    }
  })

test('alice opens the page: it says what would run, and nothing does until she says so', async ({
  rig,
}) => {
  const context = await rig.person()
  await context.addInitScript(countDevices)
  const alice = await rig.tab(context, '/')
  await loaded(alice)
  await expect(alice.getByRole('heading', { level: 1 })).toHaveText(
    'Lend this device’s GPU for a while.',
  )
  const contract = alice.getByRole('region', { name: 'What you agree to' })
  for (const words of [
    'Pieces of other people’s jobs: matrix products, picture filters, parts of models, layers of language models, fractals, formulas and sums',
    'At most 50\u00a0% of the GPU’s time',
    'or when you press Pause',
    'When you press Stop or close the tab',
    'IP address',
    'Credits for checked work',
  ]) {
    await expect(contract).toContainText(words)
  }
  // Heat is told by the processor's load, which on a software adapter is the work itself.
  await expect(contract).not.toContainText('too warm')
  await alice.getByRole('slider').fill('20')
  await expect(contract).toContainText('At most 20\u00a0% of the GPU’s time')
  await expect(alice.getByRole('button', { name: 'Start', exact: true })).toBeEnabled()
  expect(await weight(alice, 'Start')).toEqual(await weight(alice, 'Not now'))

  await alice.getByRole('button', { name: 'Not now' }).click()
  await expect(alice.getByRole('heading', { name: 'Not now. Nothing runs.' })).toBeVisible()
  for (const place of ['jobs', 'swarm', 'wallet', 'donate'] as const) await go(alice, place)
  await expect(alice.getByRole('heading', { name: 'Not now. Nothing runs.' })).toBeVisible()
  await waitForState(alice, /^idle$/)
  expect(await computing(alice), 'before the click').toEqual({ devices: 0, workers: [] })

  await alice.getByRole('button', { name: 'Show what would run' }).click()
  await alice.getByRole('button', { name: 'Start', exact: true }).click()
  await waitForState(alice, /^measuring$/)
  await waitForState(alice, /^ready$/)
  expect((await computing(alice)).workers, 'after it').toHaveLength(1)
  await expect(alice.getByRole('region', { name: 'This device' })).toContainText(
    'Counted as software adapter',
  )
  await strip(alice).getByRole('button', { name: 'Stop' }).click()
  await waitForState(alice, /^idle$/)
})

test('alice opens a second tab: the first one is the node, until she moves it', async ({ rig }) => {
  const context = await rig.person()
  const first = await rig.tab(context)
  const account = await loaded(first)
  await lend(first)
  const second = await rig.tab(context)
  const elsewhere = { name: 'Another tab is the node.' }
  await expect(second.getByRole('heading', elsewhere)).toBeVisible()
  await second.getByRole('button', { name: 'Show it' }).click()
  await expect(first).toHaveTitle(/This tab is the node/)

  await second.getByRole('button', { name: 'Move here' }).click()
  expect(await loaded(second), 'the same account').toBe(account)
  await expect(first.getByRole('heading', elsewhere)).toBeVisible()
  await waitForState(second, /^idle$/)
  await lend(second)

  await second.close()
  expect(await loaded(first), 'a tab that is left takes the place that is free').toBe(account)
  await waitForState(first, /^idle$/)
})

/** Four small tiles of a fractal. */
const askForFractal = async (bob: Page): Promise<void> => {
  await go(bob, 'new')
  await fill(bob, { Width: '128', Height: '128', Zoom: '1', Iterations: '60' })
  await run(bob, 4)
}

const SUM = `---
swarm: 1
name: small-sum
title: A small sum
run: sum
inputs:
  x: { kind: random, seed: 1 }
params: { length: 1000 }
budget: free
---

# A small sum

Of a thousand numbers.
`

test('alice lends for everything but fractals; bob’s fractal waits until she takes them, too', async ({
  rig,
}) => {
  const { alice, bob } = await aliceAndBob(rig)
  await go(alice, 'settings')
  await alice.getByRole('checkbox', { name: 'Fractals' }).uncheck()
  await askForFractal(bob)
  // What carol asks for later is done: the fractal is not merely slow.
  const carol = await rig.tab(await rig.person())
  await loaded(carol)
  await openSpec(carol, 'sum.swarm.md', SUM)
  await carol.getByRole('button', { name: 'Run on the swarm' }).click()
  await jobState(carol, 'done')
  expect(await verified(bob)).toBe(0)
  await alice.getByRole('checkbox', { name: 'Fractals' }).check()
  await jobState(bob, 'done')

  await alice.getByRole('checkbox', { name: 'Fractals' }).uncheck()
  await strip(alice).getByRole('button', { name: 'Stop' }).click()
  await go(alice, 'donate')
  await expect(alice.getByRole('region', { name: 'What you agree to' })).not.toContainText(
    'fractals',
  )
})

test('alice keeps her address from other nodes: all goes through the relay, and work is done', async ({
  rig,
}) => {
  const alice = await rig.tab(await rig.person())
  await loaded(alice)
  await go(alice, 'settings')
  await alice.getByRole('checkbox', { name: 'Only through the relay' }).check()
  await alice.getByRole('button', { name: 'Load again now' }).click()
  await go(alice, 'donate')
  await loaded(alice)
  await expect(alice.getByRole('region', { name: 'What you agree to' })).toContainText(
    'Only the relay sees your IP address',
  )
  const bob = await rig.tab(await rig.person())
  await Promise.all([lend(alice), becomeFounder(bob, rig.relay.keyFile)])
  await expect(alice.getByText('Only through the relay, as you set it')).toBeVisible()
  await askForFractal(bob)
  await jobState(bob, 'done')
  for (const page of [alice, bob]) await expect(strip(page)).toContainText('0 direct, 1 relayed')
  await expect(bob.getByText('No direct path to any node.')).toBeHidden()
  await go(bob, 'swarm')
  await expect(bob.getByText('No direct path to any node.')).toBeVisible()
})
