/** A language model in the app: brought as a file, spread over two other tabs, and read as it comes. */
import { openGraphEngine } from '../../relay/tensor-engines.ts'
import { generate } from '../../src/models/generate.ts'
import { openModel } from '../../src/models/open-model.ts'
import { openStage } from '../../src/models/stage.ts'
import type { ModelFile } from '../../src/models/model-file.ts'
import { MADE, madeModel } from '../models/made-model.ts'
import type { Page } from '@playwright/test'
import { expect, test } from './rig.ts'
import { choose, go, lend, loaded } from './steps.ts'

const PROMPT = 'Once upon'
const TOKENS = 12
const CONFIG = { ...MADE, num_hidden_layers: 4, max_position_embeddings: 512 }
const made = (seed: number) => madeModel(CONFIG, { layout: 'gguf', types: ['F32'], seed }).files
const files = made(7)

/** What one machine says on its own. */
const alone = async (tokens: number): Promise<string> => {
  const [model, engine] = [await openModel(files), await openGraphEngine('cpu')]
  if (!model.ok || !engine.ok) throw new Error('the model cannot be opened here')
  const stage = await openStage(
    model.value,
    { from: 0, to: CONFIG.num_hidden_layers },
    engine.value,
  )
  if (!stage.ok) throw new Error(stage.error.detail)
  let text = ''
  const stages = [stage.value.session()]
  const asked = { ...model.value, stages, prompt: PROMPT, tokens }
  for await (const piece of generate(asked)) if (piece.ok) text += piece.value.text
  stage.value.close()
  engine.value.close()
  return text
}

const bring = async (page: Page, model: readonly ModelFile[]): Promise<void> => {
  const read = await model[0]!.read(0, model[0]!.size)
  await choose(page, 'Choose a GGUF file', {
    name: 'made.gguf',
    mimeType: 'application/octet-stream',
    buffer: Buffer.from(read.ok ? read.value : []),
  })
}

const ask = async (page: Page, tokens: number): Promise<void> => {
  await page.getByRole('textbox', { name: 'What the text begins with' }).fill(PROMPT)
  await page.getByRole('spinbutton', { name: 'New tokens, at most' }).fill(String(tokens))
  await page.getByRole('combobox', { name: 'Nodes, at most' }).selectOption('2')
  await page.getByRole('button', { name: 'Go on with the text' }).click()
}

test('a person brings a model, and a text goes on over two other tabs', async ({ rig }) => {
  test.setTimeout(180_000)
  const expected = await alone(TOKENS)
  for (let i = 0; i < 2; i++) await lend(await rig.tab(await rig.person()))
  const bob = await rig.tab(await rig.person())
  await loaded(bob)
  await go(bob, 'chat')
  await bring(bob, files)
  await ask(bob, TOKENS)
  await expect(bob.getByText(`${TOKENS} of ${TOKENS}`)).toBeVisible({ timeout: 120_000 })
  expect(await bob.locator('[data-answer]').textContent()).toBe(expected)
  await expect(bob.getByRole('button', { name: 'Begin from here' })).toBeVisible({
    timeout: 30_000,
  })
  await expect(
    bob.getByRole('img', { name: /^layers 1–2: .*ready; layers 3–4: .*ready$/ }),
  ).toBeVisible()
})

test('a browser is killed in the middle of a text; it is there again, and goes on as it would have', async ({
  rig,
}) => {
  test.setTimeout(300_000)
  const tokens = 300
  const expected = await alone(tokens)
  for (let i = 0; i < 2; i++) await lend(await rig.tab(await rig.person()))
  const first = await rig.device('bob')
  const bob = await rig.tab(first.context)
  await loaded(bob)
  await go(bob, 'chat')
  await bring(bob, files)
  await ask(bob, tokens)
  const answer = bob.locator('[data-answer]')
  await expect(answer).toHaveText(/.{12}/s, { timeout: 120_000 })
  const seen = (await answer.textContent()) ?? ''
  // What came in the last second may be lost.
  await bob.waitForTimeout(1_000)
  await first.kill()

  const { context } = await rig.device('bob')
  const again = await rig.tab(context)
  await loaded(again)
  await go(again, 'chat')
  await again.getByRole('button', { name: `Open: ${PROMPT}` }).click()
  const kept = (await again.locator('[data-answer]').textContent()) ?? ''
  expect(kept.startsWith(seen)).toBe(true)
  expect(kept.length).toBeLessThan(expected.length)
  await bring(again, made(8))
  await again.getByRole('button', { name: 'Go on', exact: true }).click()
  await expect(again.getByRole('main').getByText(/was begun with other weights/)).toBeVisible()
  await again.getByRole('button', { name: 'Another model' }).click()
  await again.getByRole('button', { name: `Open: ${PROMPT}` }).click()
  await bring(again, files)
  await again.getByRole('button', { name: 'Go on', exact: true }).click()
  await expect(again.getByText(`${tokens} of ${tokens}`)).toBeVisible({ timeout: 120_000 })
  expect(await again.locator('[data-answer]').textContent()).toBe(expected)

  await again.getByRole('button', { name: 'Another model' }).click()
  await again.getByRole('button', { name: 'Delete all texts' }).click()
  await again.getByRole('button', { name: 'Yes, delete all texts' }).click()
  await expect(again.getByText('Your last texts')).toHaveCount(0)
  await again.reload()
  await loaded(again)
  await expect(again.getByText('Drop a model here')).toBeVisible()
  await expect(again.getByText('Your last texts')).toHaveCount(0)
})
