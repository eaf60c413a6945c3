/** What a person does with a language model, on the page of states. */
import { expect, test } from '@playwright/test'
import { hands, said } from './hands.ts'

const open = hands('chat')

test('a model is asked with keys alone, and its text is told apart from what was given', async ({
  page,
}) => {
  await open(page, 'chat-typed')
  const prompt = page.getByRole('textbox', { name: 'What the text begins with' })
  await prompt.fill('It was')
  await prompt.press('Control+Enter')
  await expect(page.locator('[data-text]')).toHaveText('It was, there was a little girl')
  await expect(page.locator('[data-answer]')).toHaveText(', there was a little girl')
  await expect(said(page)).toHaveText('The nodes are asked.')
  await page.getByRole('main').getByRole('button', { name: 'Stop', exact: true }).press('Enter')
  await expect(said(page)).toHaveText('Stopped.')
  await page.getByRole('button', { name: 'Begin from here' }).press('Enter')
  await expect(prompt).toHaveValue('It was, there was a little girl')
  await expect(prompt).toBeFocused()
})

test('why a text failed is said where it would have come, also on a phone', async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 })
  await open(page, 'chat-no-room')
  await page.getByRole('button', { name: 'Go on with the text' }).click()
  await expect(page.getByRole('main').getByText(/^The model needs .* of memory/)).toBeInViewport()
})

test('a text goes on while one looks at something else', async ({ page }) => {
  await open(page, 'chat-typed')
  await page.getByRole('button', { name: 'Go on with the text' }).click()
  await page.keyboard.press('g')
  await page.keyboard.press('s')
  await expect(page.getByRole('main', { name: 'Swarm' })).toBeFocused()
  await page.keyboard.press('g')
  await page.keyboard.press('c')
  await expect(page.locator('[data-answer]')).toHaveText(', there was a little girl')
  await expect(page.getByRole('img', { name: 'layers 1–2: solid-stone-17, ready' })).toBeVisible()
})

test('a model is given to nobody before its license or a person allows it', async ({ page }) => {
  await open(page, 'chat-doubt')
  const go = page.getByRole('button', { name: 'Go on with the text' })
  await go.click()
  const dialog = page.getByRole('dialog', { name: 'May this model be given to others?' })
  await dialog.getByRole('button', { name: 'Not now' }).click()
  await expect(page.locator('[data-text]')).toHaveCount(0)
  await go.click()
  await dialog.getByRole('button', { name: 'I may share it' }).click()
  await expect(page.locator('[data-answer]')).toHaveText(', there was a little girl')
})

test('a text of an earlier visit is opened, and goes on, with keys alone', async ({ page }) => {
  await open(page, 'chat-kept')
  await page.getByRole('button', { name: 'Open: Once upon a time' }).press('Enter')
  await expect(page.locator('[data-text]')).toHaveText(/^Once upon a time, there was/)
  // Whoever pressed a button that is gone is at the text.
  await expect(page.locator('[data-text]')).toBeFocused()
  await expect(page.getByText('23 of 64 tokens')).toBeVisible()
  await expect(page.getByText(/^To go on, bring Tiny stories again/)).toBeVisible()
  await page.getByRole('button', { name: 'Close the text' }).press('Enter')
  await page.getByRole('button', { name: 'Delete: Once upon a time' }).press('Enter')
  await expect(said(page)).toHaveText('Deleted.')
  await expect(page.getByRole('button', { name: 'Delete: Once upon a time' })).toHaveCount(0)
  await expect(page.getByRole('heading', { name: 'Your last texts' })).toBeFocused()
})

test('receipts of a text are titled by what it began with, also after a reload', async ({
  page,
}) => {
  await open(page, 'wallet-text')
  const receipts = page.getByRole('region', { name: 'Receipts' })
  await expect(receipts.getByText('Once upon a time')).toBeVisible()
})

test('a text that failed goes on from where it was', async ({ page }) => {
  await open(page, 'chat-spent')
  await page.getByRole('button', { name: 'Go on with the text' }).press('Enter')
  await expect(page.getByText(/Lend this device to earn credits/)).toBeVisible()
  await expect(page.getByText('41 tokens are still to come')).toBeVisible()
  await expect(page.getByRole('button', { name: 'Begin anew' })).toBeVisible()
  await page.getByRole('button', { name: 'Go on', exact: true }).press('Enter')
  await expect(page.locator('[data-answer]')).toHaveText(/red, there was a little girl/)
})

test('a prompt too long for the model is told beside it; nobody is asked', async ({ page }) => {
  await open(page, 'chat-typed')
  await page.getByRole('textbox', { name: 'What the text begins with' }).fill('word '.repeat(99))
  await expect(page.getByText('The text is too long: the prompt has 612 tokens')).toBeVisible()
  await expect(page.getByRole('button', { name: 'Go on with the text' })).toBeDisabled()
})

test('a spec that asks a model opens in Chat, with all that it says in the form', async ({
  page,
}) => {
  await open(page, 'new')
  const [chooser] = await Promise.all([
    page.waitForEvent('filechooser'),
    page.getByRole('button', { name: 'Open a file' }).click(),
  ])
  const text = '---\nswarm: 1\nname: night\nrun: generate\n---\n'
  await chooser.setFiles({
    name: 'a.swarm.md',
    mimeType: 'text/markdown',
    buffer: Buffer.from(text),
  })
  await expect(page.getByRole('main', { name: 'Chat' })).toBeFocused()
  const [model] = await Promise.all([
    page.waitForEvent('filechooser'),
    page.getByRole('button', { name: 'Choose a GGUF file' }).click(),
  ])
  await model.setFiles({
    name: 'a.gguf',
    mimeType: 'application/octet-stream',
    buffer: Buffer.of(1),
  })
  const valueOf = (name: string) => page.getByLabel(name)
  await expect(valueOf('What the text begins with')).toHaveValue('It was a dark night')
  await expect(valueOf('New tokens, at most')).toHaveValue('7')
  await expect(valueOf('Temperature')).toHaveValue('0.8')
  await expect(valueOf('Budget, credits')).toHaveValue('2.5')
  await valueOf('New tokens, at most').fill('')
  await valueOf('What the text begins with').press('Control+Enter')
  await expect(page.locator('[data-text]')).toHaveCount(0)
  await expect(valueOf('New tokens, at most')).toBeFocused()
})
