/** What was there before: a result of an earlier visit, a job that was broken off, books that were damaged. */
import { readFile } from 'node:fs/promises'
import type { Page } from '@playwright/test'
import { expect, SUPPLY, test } from './rig.ts'
import { aliceAndBob, fill, go, jobState, loaded, openSpec, purse, run, verified } from './steps.ts'

const UNITS = 16
const SLOW = `---
swarm: 1
name: slow-picture
title: A slow picture
run: mandelbrot
params: { width: 256, height: 256, centerX: -0.75, centerY: 0, zoom: 1, iterations: 4000 }
outputs:
  image: { format: png }
tile: 64
deadline: 10m
budget: 5 credits
---

# A slow picture

Most of it lies inside the set, where every pixel takes all the iterations.
`

/** The colour in the middle of the picture, as it stands on the screen. */
const middle = (page: Page): Promise<number[]> =>
  page.locator('figure canvas').evaluate((element) => {
    const canvas = element as HTMLCanvasElement
    const { width, height } = canvas
    const pixel = canvas.getContext('2d')?.getImageData(width >> 1, height >> 1, 1, 1)
    return [...(pixel?.data ?? [])]
  })

test('bob comes back to a finished job: the picture is there, and can be saved', async ({
  rig,
}) => {
  const { bob } = await aliceAndBob(rig)
  await go(bob, 'new')
  await fill(bob, { Width: '256', Height: '256', Zoom: '1', Iterations: '60' })
  await run(bob, 16)
  await jobState(bob, 'done')
  await expect.poll(() => middle(bob)).not.toEqual([0, 0, 0, 0])
  const before = await middle(bob)
  await bob.reload()
  await loaded(bob)
  await expect.poll(() => middle(bob)).toEqual(before)
  const [download] = await Promise.all([
    bob.waitForEvent('download'),
    bob.getByRole('button', { name: 'Download PNG' }).click(),
  ])
  const png = await readFile(await download.path())
  expect(png.subarray(1, 4).toString()).toBe('PNG')
})

test('bob breaks a job off and tries the rest again: what was verified is not paid twice', async ({
  rig,
}) => {
  const { bob } = await aliceAndBob(rig)
  await openSpec(bob, 'slow.swarm.md', SLOW)
  await run(bob, UNITS)
  await expect.poll(() => verified(bob), { timeout: 45_000 }).toBeGreaterThanOrEqual(2)
  await bob.getByRole('button', { name: 'Cancel job' }).click()
  await jobState(bob, 'cancelled')
  const done = await verified(bob)
  expect(done, 'it was the middle').toBeLessThan(UNITS)
  await bob.getByRole('button', { name: 'Try the rest again' }).click()
  await jobState(bob, 'done')
  expect((await purse(bob)).receipts).toBe(UNITS)
})

/** What a failing disk may do: the first block of the chain is gone. */
const loseFirstBlock = (page: Page): Promise<void> =>
  page.evaluate(async () => {
    const found = await indexedDB.databases()
    for (const { name } of found) {
      if (!name?.startsWith('swarmharness/')) continue
      await new Promise<void>((then) => {
        const opening = indexedDB.open(name)
        opening.onsuccess = (): void => {
          const blocks = opening.result.transaction('blocks', 'readwrite')
          const keys = blocks.objectStore('blocks').getAllKeys()
          keys.onsuccess = (): void => {
            if (keys.result.length > 1) blocks.objectStore('blocks').delete(keys.result[0]!)
          }
          blocks.oncomplete = (): void => {
            opening.result.close()
            then()
          }
        }
      })
    }
  })

test('bob’s books are damaged: he can take along what is left, go on without, or begin from what others know', async ({
  rig,
}) => {
  const { alice, bob } = await aliceAndBob(rig)
  await go(bob, 'new')
  await fill(bob, { Width: '128', Height: '128', Zoom: '1', Iterations: '60' })
  await run(bob, 4)
  await jobState(bob, 'done')
  await expect.poll(() => purse(bob)).toMatchObject({ receipts: 4, inFlight: 0 })
  const account = await loaded(bob)
  await loseFirstBlock(bob)
  await bob.reload()
  const broken = bob.getByRole('heading', { name: 'This cannot run here now.' })
  await expect(broken).toBeVisible({ timeout: 45_000 })
  await expect(bob.getByText('chain-corrupt')).toBeVisible()

  const [download] = await Promise.all([
    bob.waitForEvent('download'),
    bob.getByRole('button', { name: 'Export what can be read' }).click(),
  ])
  const lines = (await readFile(await download.path(), 'utf8')).trimEnd().split('\n')
  const tables = lines.slice(1).map((line) => (JSON.parse(line) as { table: string }).table)
  expect(tables.filter((table) => table === 'receipts')).toHaveLength(4)

  await bob.getByRole('button', { name: 'Go on without storage' }).click()
  await expect(bob.getByText('Your own account is left as it is.')).toBeVisible()
  await bob.getByRole('button', { name: 'Go on without storage' }).click()
  await expect(bob.getByText('This is a new account for this visit.')).toBeVisible({
    timeout: 45_000,
  })
  expect(await loaded(bob), 'another account').not.toBe(account)

  await bob.reload()
  await expect(broken).toBeVisible({ timeout: 45_000 })
  await bob.getByRole('button', { name: 'Delete the data, keep the key' }).click()
  await bob.getByRole('button', { name: 'Delete the data, keep the key' }).click()
  await expect.poll(() => loaded(bob), { timeout: 60_000 }).toBe(account)
  await expect
    .poll(async () => (await purse(bob)).balance + (await purse(alice)).balance, {
      timeout: 45_000,
    })
    .toBe(SUPPLY)
})
