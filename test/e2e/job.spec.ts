/** The whole way of a job through two real tabs: consent, join, compute, check, receipt, credit. */
import { readFile } from 'node:fs/promises'
import { reference } from './reference.ts'
import { expect, test } from './rig.ts'
import { becomeFounder, fill, go, jobState, lend, loaded, purse, run, strip } from './steps.ts'

/** A million credits, in micro-credits: all there ever is in the swarm of a test. */
const SUPPLY = 1e12

test('alice lends her tab; bob asks for a picture, gets it, and both can prove what was paid', async ({ rig }) => {
  const wanted = { width: '256', height: '256', zoom: '1', iterations: '60' }
  const truth = await reference('mandelbrot', wanted)
  const [alice, bob] = [await rig.tab(await rig.person()), await rig.tab(await rig.person())]
  const account = await loaded(alice)
  await lend(alice)
  await becomeFounder(bob, rig.relay.keyFile)

  await go(bob, 'new')
  await fill(bob, { Width: '256', Height: '256', Zoom: '1', Iterations: '60' })
  const job = await run(bob, truth.tasks)
  expect(job, 'the job has the same name in the page as on the command line').toBe(truth.id)
  await jobState(bob, 'done')

  const [download] = await Promise.all([
    bob.waitForEvent('download'),
    bob.getByRole('button', { name: 'Download PNG' }).click(),
  ])
  const picture = await readFile(await download.path())
  expect(Buffer.compare(picture, truth.png), 'the picture is the reference, byte by byte').toBe(0)

  const [hers, his] = [await purse(alice), await purse(bob)]
  console.log(hers, his, truth.tasks, account, await strip(bob).innerText())
  expect(hers.balance + his.balance).toBe(SUPPLY)
})
