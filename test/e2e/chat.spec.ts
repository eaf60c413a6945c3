/** A language model in the app: brought as a file, spread over two other tabs, and read as it comes. */
import { openGraphEngine } from '../../relay/tensor-engines.ts'
import { generate } from '../../src/models/generate.ts'
import { openModel } from '../../src/models/open-model.ts'
import { openStage } from '../../src/models/stage.ts'
import { MADE, madeModel } from '../models/made-model.ts'
import { expect, test } from './rig.ts'
import { choose, go, lend, loaded } from './steps.ts'

const PROMPT = 'Once upon'
const TOKENS = 12
const CONFIG = { ...MADE, num_hidden_layers: 4, max_position_embeddings: 128 }
const { files } = madeModel(CONFIG, { layout: 'gguf', types: ['F32'], seed: 7 })

/** What one machine says on its own. */
const alone = async (): Promise<string> => {
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
  const asked = { ...model.value, stages, prompt: PROMPT, tokens: TOKENS }
  for await (const piece of generate(asked)) if (piece.ok) text += piece.value.text
  stage.value.close()
  engine.value.close()
  return text
}

test('a person brings a model, and a text goes on over two other tabs', async ({ rig }) => {
  test.setTimeout(180_000)
  const expected = await alone()
  for (let i = 0; i < 2; i++) await lend(await rig.tab(await rig.person()))
  const bob = await rig.tab(await rig.person())
  await loaded(bob)
  await go(bob, 'chat')
  const read = await files[0]!.read(0, files[0]!.size)
  await choose(bob, 'Choose a GGUF file', {
    name: 'made.gguf',
    mimeType: 'application/octet-stream',
    buffer: Buffer.from(read.ok ? read.value : []),
  })
  await bob.getByRole('textbox', { name: 'What the text begins with' }).fill(PROMPT)
  await bob.getByRole('spinbutton', { name: 'New tokens, at most' }).fill(String(TOKENS))
  await bob.getByRole('combobox', { name: 'Nodes, at most' }).selectOption('2')
  await bob.getByRole('button', { name: 'Go on with the text' }).click()
  await expect(bob.getByText(`${TOKENS} of ${TOKENS}`)).toBeVisible({ timeout: 120_000 })
  expect(await bob.locator('[data-answer]').textContent()).toBe(expected)
  await expect(bob.getByRole('button', { name: 'Begin from here' })).toBeVisible({
    timeout: 30_000,
  })
  await expect(
    bob.getByRole('img', { name: /^layers 1–2: .*ready; layers 3–4: .*ready$/ }),
  ).toBeVisible()
})
