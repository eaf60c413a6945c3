/** Everything that matters without a mouse: start, ask for a job, look into a receipt, stop. */
import type { Locator, Page } from '@playwright/test'
import { expect, test } from './rig.ts'
import { becomeFounder, jobState, lend, loaded, waitForState } from './steps.ts'

/** More stops than any screen has. */
const STOPS_MAX = 80

/** Walks on with Tab until the focus is where it is wanted. */
const tabTo = async (page: Page, target: Locator): Promise<void> => {
  await expect(target).toBeVisible()
  for (let stop = 0; stop < STOPS_MAX; stop++) {
    await page.keyboard.press('Tab')
    if (await target.evaluate((element) => element === document.activeElement)) return
  }
  throw new Error(`Tab does not lead to ${String(target)}`)
}

test('bob uses nothing but the keyboard', async ({ rig }) => {
  const [alice, bob] = [await rig.tab(await rig.person()), await rig.tab(await rig.person())]
  await Promise.all([lend(alice), becomeFounder(bob, rig.relay.keyFile)])
  const { keyboard } = bob
  const press = async (keys: string): Promise<void> => {
    for (const key of keys.split(' ')) await keyboard.press(key)
  }

  await press('g d')
  await expect(bob.getByRole('button', { name: 'Start', exact: true })).toBeEnabled()
  await press('Space')
  await expect(bob.getByRole('button', { name: 'Start', exact: true })).toBeFocused()
  await press('Enter')
  await waitForState(bob, /^ready$/)

  await press('g p')
  for (const [label, value] of [
    ['Width', '128'],
    ['Height', '128'],
    ['Iterations', '60'],
  ] as const) {
    await tabTo(bob, bob.getByLabel(label, { exact: true }))
    await press('Control+a')
    await keyboard.type(value)
  }
  const go = bob.getByRole('button', { name: 'Run on the swarm' })
  await expect(bob.getByRole('region', { name: 'Estimate' })).toContainText(/Units\s*4/)
  await expect(go).toBeEnabled()
  await tabTo(bob, go)
  await press('Enter')
  await jobState(bob, 'done')

  await press('g w')
  await tabTo(bob, bob.getByRole('region', { name: 'Receipts' }).locator('li a').first())
  await press('Enter')
  const dialog = bob.getByRole('dialog', { name: 'Receipt' })
  await tabTo(bob, dialog.getByRole('button', { name: 'Re-verify' }))
  await press('Enter')
  await expect(dialog.getByText('All of it holds')).toBeVisible()
  await press('Escape')
  await expect(dialog).toBeHidden()
  await waitForState(bob, /^ready$/)

  await press('l')
  await expect(bob.getByRole('dialog', { name: 'Log' })).toContainText('credits paid')
  await press('Escape')
  await press('?')
  await expect(bob.getByRole('dialog', { name: 'Keys' })).toBeVisible()
  await press('Escape')
  await press('g ,')
  const battery = bob.getByRole('checkbox', { name: 'On battery' })
  await tabTo(bob, battery)
  await press('Space')
  await expect(battery).not.toBeChecked()
  await waitForState(bob, /^ready$/)
  await press('g d')
  await press('.')
  await waitForState(bob, /^idle$/)
  await loaded(bob)
})
