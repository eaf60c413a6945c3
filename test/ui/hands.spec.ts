/** What a person does with keys, a file, or nothing at all, on the page of states. */
import { expect, test } from '@playwright/test'
import { hands, said } from './hands.ts'

const open = hands('hands')

test('two keys lead to every place, and the focus goes along', async ({ page }) => {
  await open(page, 'donate-working')
  for (const [key, place] of [
    ['j', 'Jobs'],
    ['p', 'Playground'],
    ['c', 'Chat'],
    ['s', 'Swarm'],
    ['w', 'Wallet'],
    ['d', 'Donate'],
  ] as const) {
    await page.keyboard.press('g')
    await page.keyboard.press(key)
    await expect(page.getByRole('main', { name: place })).toBeFocused()
  }
})

test('Space leads to Start and only a second press gives consent', async ({ page }) => {
  await open(page, 'donate-contract')
  await page.keyboard.press('Space')
  await expect(page.getByRole('button', { name: 'Start', exact: true })).toBeFocused()
  await expect(page.locator('[data-donate]')).toHaveAttribute('data-donate', 'idle')
  await page.keyboard.press('Space')
  await expect(page.locator('[data-donate]')).toHaveAttribute('data-donate', 'measuring')
})

test('Start and Not now weigh the same', async ({ page }) => {
  await open(page, 'donate-contract')
  const [yes, no] = await Promise.all(
    ['Start', 'Not now'].map((name) =>
      page.getByRole('button', { name, exact: true }).evaluate((button) => {
        const { width, height } = button.getBoundingClientRect()
        const { color, backgroundColor, borderColor, borderWidth, fontSize, fontWeight } =
          getComputedStyle(button)
        return {
          width: Math.round(width),
          height,
          color,
          backgroundColor,
          borderColor,
          borderWidth,
          fontSize,
          fontWeight,
        }
      }),
    ),
  )
  expect(yes).toEqual(no)
})

test('a full stop stops from anywhere, and it is said', async ({ page }) => {
  await open(page, 'donate-working')
  await page.keyboard.press('g')
  await page.keyboard.press('s')
  await expect(page.getByRole('main', { name: 'Swarm' })).toBeFocused()
  await page.keyboard.press('.')
  await expect(page.locator('[data-donate]')).toHaveAttribute('data-donate', 'idle')
  await expect(said(page)).toHaveText('Stopped. Nothing runs.')
})

test('Escape closes the dialog first, and stops only after that', async ({ page }) => {
  await open(page, 'donate-working')
  await page.keyboard.press('?')
  await expect(page.getByRole('dialog')).toBeVisible()
  await page.keyboard.press('Escape')
  await expect(page.getByRole('dialog')).toBeHidden()
  await expect(page.locator('[data-donate]')).toHaveAttribute('data-donate', 'working')
  await page.keyboard.press('Escape')
  await expect(page.locator('[data-donate]')).toHaveAttribute('data-donate', 'idle')
})

test('a key pressed while a dialog is still closing opens the next one', async ({ page }) => {
  await open(page, 'donate-working')
  await page.keyboard.press('l')
  await expect(page.getByRole('dialog', { name: 'Log' })).toBeVisible()
  // What a browser does at Escape; that the dialog was closed is told in a task of its own, afterwards.
  const closeAndPress = (key: string): Promise<unknown> =>
    page.evaluate((key) => {
      document.querySelector('dialog')!.close()
      return dispatchEvent(new KeyboardEvent('keydown', { key }))
    }, key)
  await closeAndPress('?')
  await expect(page.getByRole('dialog', { name: 'Keys' })).toBeVisible()
  await closeAndPress('?')
  await expect(page.getByRole('dialog', { name: 'Keys' })).toBeVisible()
  await page.keyboard.press('Escape')
  await expect(page.getByRole('dialog')).toBeHidden()
})

test('arrow keys walk over the sheet, each square is named, and the address follows', async ({
  page,
}) => {
  await open(page, 'job-running')
  const sheet = page.getByRole('listbox')
  await sheet.focus()
  const details = page.getByText('Choose a square to see')
  await expect(details).toBeVisible()
  await page.keyboard.press('Enter')
  await expect(details).toBeHidden()
  await page.keyboard.press('Home')
  await expect(sheet.getByRole('option')).toHaveText(/^unit 1, verified/)
  await page.keyboard.press('ArrowDown')
  await expect(sheet.getByRole('option')).toHaveText(/^unit 9, verified/)
  await page.keyboard.press('End')
  await expect(sheet.getByRole('option')).toHaveText('unit 48, queued')
  await expect(page).toHaveURL(/\/47$/)
  await expect(sheet).toBeFocused()
})

test('a slash goes to the filter, which finds', async ({ page }) => {
  await open(page, 'jobs')
  await page.keyboard.press('/')
  await page.keyboard.type('damped')
  await expect(page.getByRole('main').getByRole('listitem')).toHaveCount(1)
})

test('a picture dropped anywhere lands in the template that takes one', async ({ page }) => {
  await open(page, 'jobs')
  const data = await page.evaluateHandle(() => {
    const transfer = new DataTransfer()
    transfer.items.add(new File([new Uint8Array(8)], 'lantern.png', { type: 'image/png' }))
    return transfer
  })
  await page.dispatchEvent('body', 'drop', { dataTransfer: data })
  await expect(page.getByText('lantern.png, 96 × 64')).toBeVisible()
})

test('a phone that works goes dark after a while, and a touch wakes it without pressing anything', async ({
  page,
}) => {
  await page.clock.install()
  await open(page, 'donate-phone')
  await page.clock.runFor(25_000)
  const veil = page.getByText('Touch to see')
  await expect(veil).toBeVisible()
  await page.mouse.click(200, 200)
  await expect(veil).toBeHidden()
  await expect(page.locator('[data-donate]')).toHaveAttribute('data-donate', 'working')
})

test('sorting the nodes says which way, with you always first', async ({ page }) => {
  await open(page, 'swarm')
  const head = page.getByRole('columnheader', { name: 'Trust' })
  await head.getByRole('button').click()
  await expect(head).toHaveAttribute('aria-sort', 'descending')
  await expect(page.getByRole('row').nth(1)).toContainText('(you)')
})

test('a spec that cannot be read is shown with what is wrong and where, to be mended', async ({
  page,
}) => {
  await open(page, 'new')
  const text = '---\nswarm: 1\nname: mine\n---\n'
  await page.evaluate((pasted) => {
    const clipboardData = new DataTransfer()
    clipboardData.setData('text/plain', pasted)
    document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true }))
  }, text)
  await expect(page.getByRole('alert')).toContainText('line 4')
  await expect(page.getByRole('textbox')).toHaveValue(text)
})

test('the log says what happened, latest first, and its filter finds', async ({ page }) => {
  await open(page, 'donate-working')
  await page.getByRole('button', { name: 'Pause' }).click()
  await page.getByRole('button', { name: 'Resume' }).click()
  await page.keyboard.press('l')
  const log = page.getByRole('dialog', { name: 'Log' })
  await expect(log.getByRole('listitem')).toHaveText([/Running again\./, /Paused by you\./])
  await log.getByLabel('Filter the log').fill('paused')
  await expect(log.getByRole('listitem')).toHaveCount(1)
  await page.keyboard.press('Escape')
  await expect(page.locator('[data-donate]')).toHaveAttribute('data-donate', 'ready')
})

test('what would lose data is asked about once more, and can be left', async ({ page }) => {
  await open(page, 'storage-corrupt')
  await page.getByRole('button', { name: 'Delete the data, keep the key' }).click()
  await expect(page.getByRole('alert')).toContainText('The key stays.')
  await page.getByRole('button', { name: 'Leave it' }).click()
  await expect(page.getByRole('alert')).toBeHidden()
  await expect(page.getByRole('button', { name: 'Export what can be read' })).toBeVisible()
})

test('a long list is shown a piece at a time, and any receipt of it can be opened', async ({
  page,
}) => {
  await open(page, 'wallet-many')
  const rows = page.getByRole('region', { name: 'Receipts' }).getByRole('listitem')
  await expect(rows).toHaveCount(100)
  await page.getByRole('button', { name: 'Show 100 more' }).click()
  await expect(rows).toHaveCount(200)
  await rows.last().getByRole('link').click()
  await expect(page.getByRole('dialog', { name: 'Receipt' })).toBeVisible()
})

test('a kind of job that is switched off leaves the contract', async ({ page }) => {
  await open(page, 'settings')
  await page.getByRole('checkbox', { name: 'Fractals' }).uncheck()
  await page.keyboard.press('g')
  await page.keyboard.press('d')
  await expect(page.getByRole('region', { name: 'What you agree to' })).toContainText(
    'matrix products, picture filters, parts of models, layers of language models, formulas and sums',
  )
})

for (const [state, where] of [
  ['new-shader', 'before it is run'],
  ['job-waiting-shader', 'while it waits'],
] as const) {
  test(`a job that no node may take says why, ${where}`, async ({ page }) => {
    await open(page, state)
    await expect(page.getByRole('main')).toContainText(/none runs shaders of others/)
  })
}

test('a phone is to stop by itself unless it is told otherwise', async ({ page }) => {
  await open(page, 'donate-contract-dull')
  const terms = page.getByRole('region', { name: 'What you agree to' })
  await expect(terms).toContainText(/by itself after 2.h\./)
  await terms.getByRole('checkbox', { name: /Stop by itself/ }).uncheck()
  await expect(terms).toContainText('Not by itself.')
  await terms.getByRole('checkbox', { name: /Stop by itself/ }).check()
  await page.getByRole('button', { name: 'Start', exact: true }).click()
  await page.evaluate(() => (location.hash = '#/settings'))
  await expect(page.getByLabel('Stop by itself after')).toHaveValue('120')
})

test('a passphrase that was typed twice says why it is not taken yet', async ({ page }) => {
  await open(page, 'settings')
  await page.getByRole('button', { name: 'Back up key' }).click()
  await page.getByLabel('Passphrase').fill('four or five words')
  await page.getByLabel('The same again').fill('four or six words')
  await expect(page.getByText('The two are not the same yet.')).toBeVisible()
  await expect(page.getByRole('button', { name: 'Save key file' })).toBeDisabled()
  await page.getByLabel('The same again').fill('four or five words')
  await expect(page.getByText('The two are not the same yet.')).toBeHidden()
  await expect(page.getByRole('button', { name: 'Save key file' })).toBeEnabled()
})

test('a key that is brought back comes with a warning about two places', async ({ page }) => {
  await open(page, 'settings')
  await page.getByRole('button', { name: 'Bring a key back' }).click()
  await expect(page.getByRole('main')).toContainText('in two at once it signs two histories')
})

test('a spec that cannot be read has its wrong line selected', async ({ page }) => {
  await open(page, 'new')
  await page.getByRole('button', { name: 'Own spec' }).click()
  const area = page.getByRole('textbox')
  await area.fill('---\nswarm: 1\nname: mine\nwidth: wide\n---\n')
  await page.getByRole('button', { name: 'Open this spec' }).click()
  await expect(area).toBeFocused()
  const selected = await area.evaluate((one: HTMLTextAreaElement) =>
    one.value.slice(one.selectionStart, one.selectionEnd),
  )
  expect(selected).toBe('width: wide')
})

test('that there is no direct path is said once', async ({ page }) => {
  await open(page, 'no-direct-path')
  await expect(page.getByRole('note')).toHaveCount(1)
})

test('a receipt can be saved in the form that swarm verify reads', async ({ page }) => {
  await open(page, 'receipt')
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await expect(said(page)).toHaveText(/^Saved as receipt-[a-z2-7]{8}\.json\.$/)
})

test('a row of numbers is shown whole: where a line ends the next one goes on', async ({
  page,
}) => {
  for (const width of [1280, 360]) {
    await page.setViewportSize({ width, height: 800 })
    await open(page, 'job-line')
    const table = page.getByRole('table')
    const firsts = await table.getByRole('rowheader').allTextContents()
    const columns = (await table.getByRole('columnheader').count()) - 1
    expect(columns).toBeGreaterThan(1)
    expect(firsts.map(Number)).toEqual(firsts.map((_, i) => i * columns))
    const cut = await page
      .getByRole('region', { name: /first numbers/ })
      .evaluate((region) => region.scrollWidth - region.clientWidth)
    expect(cut).toBe(0)
  }
})
