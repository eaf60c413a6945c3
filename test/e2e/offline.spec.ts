/** The program is kept on the device: it opens without its relay, and is replaced only when nothing computes. */
import { appendFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { expect, test } from './rig.ts'
import { becomeFounder, go, lend, loaded, openSpec, run, verified, waitForState } from './steps.ts'

/** The worker has the whole program and answers for this page. */
const kept = (page: Page): Promise<void> =>
  page.evaluate(async () => {
    await navigator.serviceWorker.ready
    if (navigator.serviceWorker.controller) return
    await new Promise((then) =>
      navigator.serviceWorker.addEventListener('controllerchange', then, { once: true }),
    )
  })

const refused = /ERR_CONNECTION_REFUSED|ERR_FAILED|WebSocket connection to .* failed/

test('the relay is gone; alice opens the page all the same and is told what still works', async ({
  rig,
}) => {
  const alice = await rig.tab(await rig.person())
  const account = await loaded(alice)
  await kept(alice)
  rig.tolerate(refused)
  await rig.relay.kill()
  await alice.reload()
  expect(await loaded(alice), 'her key and her books are here').toBe(account)
  await expect(
    alice.getByText(
      'The relay cannot be reached and no node is linked. It is tried again by itself. Your jobs, results and receipts can still be read and saved.',
    ),
  ).toBeVisible()
  await go(alice, 'new')
  await expect(alice.getByRole('button', { name: /Mandelbrot set/ })).toBeVisible()
  await go(alice, 'wallet')
  await expect(alice.getByText(/^exactly 0\.000000/)).toBeVisible()

  await rig.relay.restart()
  await expect(alice.getByText('The relay cannot be reached')).toBeHidden({ timeout: 45_000 })
})

/** Another build: another page, named by another digest in the worker that keeps it. */
const publish = async (appDir: string): Promise<void> => {
  const worker = join(appDir, 'offline.sw.js')
  const text = await readFile(worker, 'utf8')
  const changed = text.replace(/(["'`])([0-9a-f]{16})\1/, '$1fedcba9876543210$1')
  expect(changed, 'the digest of the build is in the worker').not.toBe(text)
  await writeFile(worker, changed)
  await appendFile(join(appDir, 'index.html'), '<!-- the next build -->\n')
}

const LONG = `---
swarm: 1
name: long
title: Long tiles
run: mandelbrot
params: { width: 128, height: 128, centerX: 0, centerY: 0, zoom: 4, iterations: 65535 }
outputs:
  image: { format: png }
tile: 64
deadline: 10m
budget: 5 credits
---

# Long tiles

Every pixel lies inside the set.
`

test('a new version comes while alice works for bob: her task is finished first', async ({
  rig,
}) => {
  const [alice, bob] = [await rig.tab(await rig.person()), await rig.tab(await rig.person())]
  await Promise.all([lend(alice), becomeFounder(bob, rig.relay.keyFile), kept(alice)])
  await publish(rig.appDir)
  await go(alice, 'settings')
  await alice.getByRole('button', { name: 'Look for an update' }).click()
  await expect(alice.getByText('A new version is ready.').first()).toBeVisible()

  await openSpec(bob, 'long.swarm.md', LONG)
  await run(bob, 4)
  await waitForState(alice, /^working$/)
  const build = (): Promise<boolean> =>
    alice.evaluate(async () =>
      (await (await fetch('./index.html')).text()).includes('the next build'),
    )
  expect(await build(), 'not yet').toBe(false)
  await alice.getByRole('button', { name: 'Finish unit, then update' }).first().click()
  await waitForState(alice, /^finishing$/)
  await expect(alice.getByText('The update is put in as soon as this task is done.')).toBeVisible()
  // The answer comes from whichever worker is in charge; while it changes, the page is loaded anew.
  await expect.poll(() => build().catch(() => false), { timeout: 45_000 }).toBe(true)
  await loaded(alice)
  await expect.poll(() => verified(bob), 'her unit was done and counts').toBeGreaterThanOrEqual(1)
})
