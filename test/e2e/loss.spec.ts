/** Nodes, relays and requesters that vanish in the middle of a job, the way a pulled plug would do it. */
import type { Page } from '@playwright/test'
import { expect, SUPPLY, test } from './rig.ts'
import {
  aliceAndBob,
  becomeFounder,
  go,
  jobState,
  lend,
  loaded,
  openSpec,
  purse,
  run,
  strip,
  verified,
  waitForState,
} from './steps.ts'

/** 64 tiles, each long enough that something can happen while it is computed. */
const UNITS = 64
const SLOW = `---
swarm: 1
name: slow-picture
title: A slow picture
run: mandelbrot
params: { width: 256, height: 256, centerX: -0.75, centerY: 0, zoom: 1, iterations: 8000 }
outputs:
  image: { format: png }
tile: 32
deadline: 10m
budget: 5 credits
---

# A slow picture

Most of it lies inside the set, where every pixel takes all the iterations.
`

const begin = async (bob: Page): Promise<void> => {
  await openSpec(bob, 'slow.swarm.md', SLOW)
  await run(bob, UNITS)
  await jobState(bob, 'running')
}

/** In the middle: some units are verified, most are not. */
const middle = (bob: Page): Promise<void> =>
  expect.poll(() => verified(bob), { timeout: 45_000 }).toBeGreaterThanOrEqual(4)

const bobsReceipts = { receipts: UNITS, inFlight: 0 }

test('carol’s browser is killed in the middle; the job ends, and nobody is paid twice', async ({
  rig,
}) => {
  const carol = await rig.device('carol')
  const hers = await rig.tab(carol.context)
  const [{ alice, bob }] = await Promise.all([aliceAndBob(rig), lend(hers)])
  await begin(bob)
  await waitForState(hers, /^working$/)
  await middle(bob)
  const before = await verified(bob)
  await carol.kill()
  expect(before, 'it was the middle').toBeLessThan(UNITS)
  await jobState(bob, 'done')

  // What carol did and was not told of yet is paid when she comes back, and only once.
  const again = await rig.device('carol')
  const back = await rig.tab(again.context)
  await lend(back)
  await go(bob, 'wallet')
  await expect.poll(() => purse(bob), { timeout: 45_000 }).toMatchObject(bobsReceipts)
  const [a, b, c] = [await purse(alice), await purse(bob), await purse(back)]
  expect(a.balance + b.balance + c.balance).toBe(SUPPLY)
  expect(a.receipts + c.receipts).toBe(UNITS)
})

test('the relay is killed in the middle; direct links carry on, and it is found again afterwards', async ({
  rig,
}) => {
  const { alice, bob } = await aliceAndBob(rig)
  await begin(bob)
  await middle(bob)
  rig.tolerate(/ERR_CONNECTION_REFUSED|WebSocket connection to .* failed/)
  await rig.relay.kill()
  const before = await verified(bob)
  expect(before, 'it was the middle').toBeLessThan(UNITS)
  await expect(
    bob.getByText('The relay cannot be reached. One direct link still works'),
  ).toBeVisible()
  await jobState(bob, 'done')
  expect(await purse(bob)).toMatchObject(bobsReceipts)
  expect((await purse(alice)).balance + (await purse(bob)).balance).toBe(SUPPLY)

  await rig.relay.restart()
  for (const page of [alice, bob]) {
    await go(page, 'swarm')
    await expect(page.locator('dl.facts div', { hasText: /^Relay/ })).toContainText(
      /^Relay\s*reachable$/,
      { timeout: 45_000 },
    )
  }
  await expect(strip(bob)).toContainText('1 direct')
})

test('bob closes his tab in the middle and opens it again; the job goes on and is paid once', async ({
  rig,
}) => {
  const bobs = await rig.person()
  const [alice, first] = [await rig.tab(await rig.person()), await rig.tab(bobs)]
  await Promise.all([lend(alice), becomeFounder(first, rig.relay.keyFile)])
  await begin(first)
  await middle(first)
  expect(await verified(first), 'it was the middle').toBeLessThan(UNITS)
  await first.close()

  const bob = await rig.tab(bobs)
  await loaded(bob)
  await go(bob, 'jobs')
  await bob.getByRole('link', { name: /A slow picture/ }).click()
  await jobState(bob, 'done')
  await expect.poll(() => purse(bob), { timeout: 45_000 }).toMatchObject(bobsReceipts)
  expect((await purse(alice)).balance + (await purse(bob)).balance).toBe(SUPPLY)
  expect((await purse(alice)).receipts).toBe(UNITS)
})
