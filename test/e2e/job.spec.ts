/** The whole way of a job through two real tabs: consent, join, compute, check, receipt, credit. */
import { readFile, writeFile } from 'node:fs/promises'
import type { Page } from '@playwright/test'
import { decode } from 'fast-png'
import { encodePng } from '../../src/spec/png.ts'
import { reference } from './reference.ts'
import { expect, SUPPLY, test } from './rig.ts'
import {
  aliceAndBob,
  choose,
  fill,
  go,
  jobState,
  loaded,
  purse,
  reverify,
  run,
  strip,
} from './steps.ts'

const download = async (page: Page): Promise<Buffer> => {
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Download PNG' }).click(),
  ])
  return readFile(await file.path())
}

/** Remembers every sentence under which the picture has stood, however short a time it did. */
const watchPieces = (page: Page): Promise<void> =>
  page.evaluate(() => {
    const seen: string[] = []
    const look = (): void => {
      const label = document.querySelector('figure [role=img]')?.getAttribute('aria-label')
      if (label && label !== seen.at(-1)) seen.push(label)
    }
    const all = {
      subtree: true,
      childList: true,
      attributes: true,
      attributeFilter: ['aria-label'],
    }
    new MutationObserver(look).observe(document.body, all)
    Object.assign(globalThis, { pieces: seen })
  })
const piecesSeen = async (page: Page): Promise<number[]> => {
  const seen = await page.evaluate(() => (globalThis as unknown as { pieces: string[] }).pieces)
  return seen.map((label) => Number(/(\d+) of \d+ pieces/.exec(label)?.[1]))
}

test('alice lends her tab; bob asks for a picture, gets it, and both can prove what was paid', async ({
  rig,
}) => {
  const truth = await reference('mandelbrot', {
    width: '256',
    height: '256',
    zoom: '1',
    iterations: '60',
  })
  const { alice, bob } = await aliceAndBob(rig)
  await go(bob, 'new')
  await fill(bob, { Width: '256', Height: '256', Zoom: '1', Iterations: '60' })
  await watchPieces(bob)
  const job = await run(bob, truth.tasks)
  expect(job, 'the job has the name it has on the command line').toBe(truth.id)
  await jobState(bob, 'done')
  await expect(strip(bob)).toContainText('1 peer (1 direct, 0 relayed)'.replace('1 p', '1\u00a0p'))

  const pieces = await piecesSeen(bob)
  const partly = pieces.filter((n) => n > 0 && n < truth.tasks)
  expect(partly.length, `pieces appear one after another: ${pieces.join(' ')}`).toBeGreaterThan(0)
  expect(Buffer.compare(await download(bob), truth.png), 'the reference, byte by byte').toBe(0)

  await reverify(bob)
  await reverify(alice)
  const [hers, his] = [await purse(alice), await purse(bob)]
  const { microCredits } = truth.prepared.plan.totals
  expect(hers).toEqual({ balance: microCredits, inFlight: 0, receipts: truth.tasks })
  expect(his).toEqual({ balance: SUPPLY - microCredits, inFlight: 0, receipts: truth.tasks })

  for (const [page, before] of [
    [alice, hers],
    [bob, his],
  ] as const) {
    await page.reload()
    await loaded(page)
    expect(await purse(page), 'the same after a reload').toEqual(before)
  }
})

test('bob has a picture sharpened, and no seam shows where the pieces meet', async ({
  rig,
}, info) => {
  // A gradient, hard edges across every tile, and noise: what a wrong halo would show in.
  const [width, height] = [150, 110]
  const rgba = Uint8Array.from({ length: width * height * 4 }, (_, i) => {
    const [x, y, channel] = [(i >> 2) % width, Math.floor((i >> 2) / width), i & 3]
    if (channel === 3) return 255
    const edge = (x + y) % 23 < 9 ? 90 : 0
    return (x * (channel + 1) + y * 2 + edge + ((x * 7919 + y * 104_729) % 31)) % 256
  })
  const file = info.outputPath('small.png')
  await writeFile(file, encodePng(rgba, width, height))
  const sets = { filter: 'unsharp', radius: '4', sigma: '1.5', amount: '0.8' }
  const truth = await reference('image', sets, { image: file })
  expect(truth.tasks, 'there are seams to look at').toBeGreaterThan(3)

  const { bob } = await aliceAndBob(rig)
  await go(bob, 'new')
  await bob.getByRole('button', { name: /^A filter over a picture/ }).click()
  await choose(bob, 'Choose a picture', file)
  await fill(bob, { Filter: 'unsharp', Radius: '4', Sigma: '1.5', Amount: '0.8' })
  await run(bob, truth.tasks)
  await jobState(bob, 'done')

  const [got, want] = [decode(await download(bob)), decode(truth.png)]
  expect([got.width, got.height]).toEqual([width, height])
  const far = [...got.data].reduce(
    (most, value, i) => Math.max(most, Math.abs(value - want.data[i]!)),
    0,
  )
  // Rounding to 8 bits may fall either way; a seam would be tens of steps.
  expect(far, 'steps of 255 between any pixel and its reference').toBeLessThanOrEqual(1)
})
