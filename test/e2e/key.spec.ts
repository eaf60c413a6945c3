/** A key outlives its browser: saved on a later visit, brought back on an empty device, with all it earned. */
import { readFileSync } from 'node:fs'
import { expect, SUPPLY, test } from './rig.ts'
import {
  aliceAndBob,
  choose,
  go,
  jobState,
  lend,
  loaded,
  openSpec,
  purse,
  run,
  strip,
} from './steps.ts'

const PHRASE = 'four words of alice'
const UNITS = 12
const picture = (name: string): string => `---
swarm: 1
name: ${name}
title: A small picture
run: mandelbrot
params: { width: 64, height: 48, centerX: -0.75, centerY: 0, zoom: 1, iterations: 100 }
outputs:
  image: { format: png }
tile: 16
deadline: 10m
budget: 5 credits
---

# A small picture
`

test('alice backs up her key on a later visit, loses the browser, and goes on earning elsewhere', async ({
  rig,
}) => {
  const { alice, bob } = await aliceAndBob(rig)
  const account = await loaded(alice)
  const ask = async (name: string): Promise<void> => {
    await openSpec(bob, `${name}.swarm.md`, picture(name))
    await run(bob, UNITS)
    await jobState(bob, 'done')
  }
  await ask('first')
  await expect.poll(async () => (await purse(alice)).receipts, { timeout: 45_000 }).toBe(UNITS)
  const earned = (await purse(alice)).balance

  await alice.reload()
  await loaded(alice)
  await go(alice, 'settings')
  await alice.getByRole('button', { name: 'Back up key' }).click()
  await alice.getByLabel('Passphrase').fill(PHRASE)
  await alice.getByLabel('The same again').fill(PHRASE)
  const [file] = await Promise.all([
    alice.waitForEvent('download'),
    alice.getByRole('button', { name: 'Save key file' }).click(),
  ])
  const saved = {
    name: file.suggestedFilename(),
    mimeType: 'application/json',
    buffer: readFileSync(await file.path()),
  }
  await expect(alice.getByText(/^Saved\. Whoever has the file and the passphrase/)).toBeVisible()
  await alice.context().close()

  const elsewhere = await rig.tab(await rig.person())
  await loaded(elsewhere)
  await go(elsewhere, 'settings')
  await elsewhere.getByRole('button', { name: 'Bring a key back' }).click()
  await choose(elsewhere, 'Choose the key file', saved)
  await elsewhere.getByLabel('Passphrase').fill('four words of mallory')
  await elsewhere.getByRole('button', { name: 'Open the file' }).click()
  await expect(elsewhere.getByText('This passphrase does not open the key file.')).toBeVisible()
  await elsewhere.getByLabel('Passphrase').fill(PHRASE)
  await elsewhere.getByRole('button', { name: 'Open the file' }).click()
  await expect(strip(elsewhere)).toHaveAttribute('data-account', account, { timeout: 45_000 })

  await go(elsewhere, 'donate')
  await lend(elsewhere)
  await ask('second')
  await expect
    .poll(async () => (await purse(elsewhere)).balance, { timeout: 45_000 })
    .toBe(2 * earned)
  await expect.poll(async () => (await purse(bob)).inFlight, { timeout: 45_000 }).toBe(0)
  expect((await purse(bob)).balance).toBe(SUPPLY - 2 * earned)
})
