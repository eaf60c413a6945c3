/**
 * The library as somebody else's page uses it, on its own origin: imported by its address as it was built, and
 * bundled by that page's own tools.
 */
import type { Page } from '@playwright/test'
import { map } from '../../kernels/map.ts'
import type * as Sdk from '../../src/sdk.ts'
import { expect, type Rig } from './rig.ts'
import { code, test } from './site.ts'
import { MADE, madeModel } from '../models/made-model.ts'
import { runSnippet } from './snippet.ts'
import { lend, loaded } from './steps.ts'

declare const sdk: typeof Sdk
declare const swarm: Sdk.Swarm
declare const example: { swarm: Sdk.Swarm; x: Float32Array; y: Float32Array }

const page = async (rig: Rig): Promise<Page> => (await rig.person()).newPage()

/** Joins, and leaves the swarm where the next step finds it. */
const joined = (at: Page, rig: Rig, options: Partial<Sdk.JoinOptions> = {}): Promise<string> =>
  at.evaluate(
    async (given) => {
      const made = await sdk.join(given)
      Object.assign(globalThis, { swarm: made })
      return made.account
    },
    { relay: rig.relay.url, ...options },
  )

test('the ten lines of the README give verified numbers and a receipt', async ({ rig, open }) => {
  expect(code, 'the README has an example').toContain("from 'swarmharness'")
  const alice = await rig.tab(await rig.person())
  await lend(alice)
  const bob = await page(rig)
  const said: string[] = []
  bob.on('console', (message) => said.push(message.text()))
  await open(bob, '/example')
  await bob.waitForFunction(() => 'example' in globalThis, null, { timeout: 60_000 })
  const expression = /swarm\.map\('([^']+)'/.exec(code)?.[1] ?? ''
  const { x, y } = await bob.evaluate(() => ({ x: [...example.x], y: [...example.y] }))
  const parsed = map.parse({ length: x.length, program: expression })
  if (!parsed.ok) throw new Error(`the example asks for ${expression}`)
  const truth = new Float32Array(x.length)
  map.reference(parsed.value, [Float32Array.from(x)], 0, x.length, truth)
  const worst = y.reduce((most, found, i) => Math.max(most, Math.abs(found - truth[i]!)), 0)
  expect(Math.max(...truth) - Math.min(...truth), 'the example is no constant').toBeGreaterThan(0.1)
  expect(y).toHaveLength(100_000)
  expect(worst).toBeLessThan(1e-5)
  const total = Number(/of (\d+) tasks/.exec(said[0] ?? '')?.[1])
  expect(said).toContain(`${total} of ${total} tasks verified`)
  expect(said.at(-1)).toContain(`sampled ${await loaded(alice)}`)
})

test('a page lends after its own call only, and another page gets numbers, matrices and pictures from it', async ({
  rig,
  open,
}) => {
  const [alice, bob] = [await open(await page(rig)), await open(await page(rig))]
  const worker = await joined(alice, rig)
  const asker = await joined(bob, rig, { storage: 'memory' })
  expect(worker).not.toBe(asker)
  expect(await alice.evaluate(() => swarm.view().donate.state)).toBe('idle')
  await alice.evaluate(() => swarm.lend({ share: 1 }))
  expect(await alice.evaluate(() => swarm.view().donate.state)).toMatch(/ready|working/)

  const found = await bob.evaluate(async () => {
    const sum = await swarm.sum(Float32Array.from({ length: 1000 }, (_, i) => i))
    const c = await swarm.matmul(
      { data: Int8Array.of(1, 2, 3, 4, 5, 6), shape: [2, 3] },
      { data: Int8Array.of(1, 0, 0, 1, 1, 1), shape: [3, 2] },
    )
    const spec =
      '---\nswarm: 1\nname: dots\nrun: mandelbrot\nparams: { width: 64, height: 48, iterations: 50 }\n---\n'
    const done = await swarm.run(spec, {}, { set: { iterations: 60 } })
    const bytes = new Uint8Array(await done.image!().arrayBuffer())
    const { image } = done.outputs
    return {
      sum,
      c: { ...c, data: [...c.data] },
      image: {
        dtype: image!.dtype,
        shape: image!.shape,
        most: Math.max(...image!.data),
        png: [...bytes.slice(1, 4)],
      },
      checks: done.tasks.map(({ check }) => check),
      workers: [...new Set(done.receipts.map(({ signed }) => signed.body.worker))],
      kept: swarm.view().jobs.length,
    }
  })
  expect(found).toMatchObject({
    sum: 499_500,
    c: { dtype: 'i32', shape: [2, 2], data: [4, 5, 10, 11] },
    image: { dtype: 'u32', shape: [48, 64], most: 60, png: [...Buffer.from('PNG')] },
    workers: [worker],
    kept: 0,
  })
  expect(new Set(found.checks)).toEqual(new Set(['bit-equality']))

  await alice.evaluate(() => swarm.stop())
  expect(await alice.evaluate(() => swarm.view().donate.state)).toBe('idle')
  await Promise.all([alice, bob].map((each) => each.evaluate(() => swarm.close())))
})

test('what goes wrong is thrown with a code', async ({ rig, open }) => {
  const context = await rig.person()
  const [first, second] = [await open(await context.newPage()), await open(await context.newPage())]
  const codeOf = (at: Page, work: () => Promise<unknown>): Promise<string> =>
    at.evaluate(
      `(${String(work)})().then(() => 'nothing', (cause) => cause instanceof sdk.SwarmError ? cause.code + ' | ' + cause.message : String(cause))`,
    )
  await joined(first, rig)
  expect(await codeOf(first, () => swarm.run('no spec'))).toContain('no-front-matter | spec:1:')
  expect(await codeOf(first, () => swarm.map('x +', new Float32Array(4)))).toMatch(
    /^bad-program \| spec:5: program, line 1 column 4/,
  )
  expect(
    await codeOf(first, () =>
      swarm.matmul(
        { data: new Float32Array(6), shape: [2, 3] },
        { data: new Float32Array(6), shape: [2, 3] },
      ),
    ),
  ).toContain('bad-input')
  for (const [work, code] of [
    [() => swarm.map('x', [1, 2] as never), 'bad-input | inputs.x'],
    [() => swarm.map('x', 'no' as never), 'bad-input | inputs.x'],
    [() => swarm.map('x', null as never), 'bad-input | inputs.x'],
    [() => swarm.map(undefined as never, new Float32Array(4)), 'bad-program'],
    [() => swarm.matmul(undefined as never, undefined as never), 'bad-input | inputs.a'],
    [() => swarm.run(7 as never), 'bad-spec'],
  ] as const)
    expect(await codeOf(first, work)).toContain(code)
  expect(
    await codeOf(first, () => swarm.sum(new Float32Array(4), { signal: AbortSignal.abort() })),
  ).toContain('cancelled')
  expect(
    await codeOf(first, () =>
      swarm.sum(new Float32Array(9), { signal: AbortSignal.timeout(1_000) }),
    ),
  ).toContain('cancelled')
  expect(
    await codeOf(first, () => swarm.sum(new Float32Array(5), { set: { deadline: '1s' } })),
  ).toContain('nobody-came')
  expect(await codeOf(first, () => swarm.lend({ share: 2 }))).toContain('bad-share')
  expect(await codeOf(second, () => sdk.join({ relay: 'nowhere' }))).toContain('bad-relay')

  const failure = (): Promise<string> => joined(second, rig).then(() => 'joined', String)
  expect(await failure()).toContain('Another page of this origin')
  await first.evaluate(() => swarm.close())
  expect(await codeOf(first, () => swarm.sum(new Float32Array(4)))).toContain('closed |')
  expect(await codeOf(first, () => swarm.lend())).toContain('closed |')
  expect(await joined(second, rig), 'the same account, once the first page has left').toMatch(
    /^did:key:/,
  )

  await second.evaluate(() => swarm.close())
  rig.tolerate(/ERR_UNSAFE_PORT/)
  expect(
    await codeOf(second, () => sdk.join({ relay: 'http://127.0.0.1:9', storage: 'memory' })),
  ).toContain('no-relay')
  await second.evaluate(() => Object.defineProperty(globalThis, 'indexedDB', { value: undefined }))
  expect(await codeOf(second, () => sdk.join({ relay: 'http://127.0.0.1:9' }))).toContain(
    'no-storage',
  )
  await second.evaluate(() => Object.defineProperty(crypto, 'subtle', { value: undefined }))
  expect(await codeOf(second, () => sdk.join({ relay: 'http://127.0.0.1:9' }))).toContain(
    'no-webcrypto',
  )
})

/** Two numbers per item out of integers alone: every adapter makes the same bits. */
const OWN_SHADER = (body: string): string => `---
swarm: 1
name: own-shader
run: wgsl
params: { items: 3000, itemLength: 2, iterations: 40, output: u32, constants: ["seed: u32 = 7"] }
tile: 1000
deadline: 90s
---

\`\`\`wgsl #main
struct Params { offset: u32, items: u32, first: u32, seed: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> result: array<u32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>) {
  let item = params.offset + gid.x;
  ${body}
}
\`\`\`
`
const HASHES = `var state = params.first + item + params.seed;
  for (var i = 0u; i < 30u; i = i + 1u) { state = state * 1664525u + 1013904223u; }
  result[item * 2u] = params.first + item;
  result[item * 2u + 1u] = state;`

test('a shader of its own runs on two nodes that allow it, agrees to the bit, and is kept from the one that does not', async ({
  rig,
  open,
}) => {
  const pages = await Promise.all(Array.from({ length: 4 }, async () => open(await page(rig))))
  const [alice, carol, dave, bob] = pages as [Page, Page, Page, Page]
  const accounts = await Promise.all(pages.map((each) => joined(each, rig)))
  await Promise.all([
    alice.evaluate(() => swarm.lend({ share: 1, allowWgsl: true })),
    carol.evaluate(() => swarm.lend({ share: 1, allowWgsl: true })),
    dave.evaluate(() => swarm.lend({ share: 1 })),
  ])
  const ask = (at: Page, spec: string) =>
    at.evaluate(async (text) => {
      try {
        const { outputs, receipts, tasks } = await swarm.run(text)
        return {
          result: [...outputs['result']!.data],
          checks: [
            ...new Set(
              [...tasks, ...receipts.map(({ signed }) => signed.body)].map(({ check }) => check),
            ),
          ],
          workers: receipts.map(({ signed }) => signed.body.worker),
          code: '',
          message: '',
        }
      } catch (cause) {
        const { code, message } = cause as Sdk.SwarmError
        return { result: [], checks: [], workers: [], code, message }
      }
    }, spec)

  const done = await ask(bob, OWN_SHADER(HASHES))
  expect(done.message).toBe('')
  const lcg = (item: number): number => {
    let state = item + 7
    for (let i = 0; i < 30; i++) state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state
  }
  expect(done.result).toEqual(Array.from({ length: 3000 }, (_, item) => [item, lcg(item)]).flat())
  expect(done.checks).toEqual(['replicas'])
  const times = (account: string): number =>
    done.workers.filter((worker) => worker === account).length
  expect([times(accounts[0]!), times(accounts[1]!), times(accounts[2]!)]).toEqual([3, 3, 0])
  expect(await dave.evaluate(() => swarm.view().donate.doneTasks)).toBe(0)

  const endless = await ask(bob, OWN_SHADER('loop { result[item] = params.seed; }'))
  expect(endless, 'a loop without an end runs out of fuel').toMatchObject({
    message: '',
    checks: ['replicas'],
  })
  const blind = await ask(bob, OWN_SHADER('let other = result[item];'))
  expect(blind).toMatchObject({ result: [], code: 'bad-program' })
  expect(blind.message).toMatch(/^spec:17: source, line 7 column 15: expected .*, found result/)
  const alone = await ask(bob, OWN_SHADER(HASHES).replace('deadline', 'redundancy: 1\ndeadline'))
  expect(alone.message).toMatch(/redundancy: expected .* from 2/)
  await alice.evaluate(() => swarm.stop())
  const lonely = await ask(bob, OWN_SHADER(HASHES).replace('90s', '8s').replace('= 7', '= 8'))
  expect(lonely.code, 'one node alone is no witness').toBe('deadline')
})

test('a page lets a language model of its own go on with a text over two others', async ({
  rig,
  open,
}) => {
  test.setTimeout(180_000)
  const config = { ...MADE, num_hidden_layers: 4, max_position_embeddings: 64 }
  const { files } = madeModel(config, { layout: 'gguf', types: ['F32'], seed: 3 })
  const read = await files[0]!.read(0, files[0]!.size)
  const model = Buffer.from(read.ok ? read.value : []).toString('base64')
  const [bob, ...lenders] = await Promise.all([0, 1, 2].map(async () => open(await page(rig))))
  for (const lender of lenders) {
    await joined(lender, rig, { storage: 'memory' })
    await lender.evaluate(() => swarm.lend({ share: 1 }))
  }
  await joined(bob!, rig, { storage: 'memory' })
  expect(await runSnippet(bob!, model)).not.toBe('')
  const told = await bob!.evaluate(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))
    const file = new File([bytes], 'made.gguf')
    const tokens: Sdk.Token[] = []
    const asked = { model: file, prompt: 'Once', tokens: 8, stages: 2 } as const
    for await (const token of swarm.generate(asked)) tokens.push(token)
    const twice = []
    for await (const { id } of swarm.generate(asked)) twice.push(id)
    const wrong = async (more: object): Promise<unknown> => {
      try {
        for await (const _ of swarm.generate({ ...asked, ...more })) return 'a token'
      } catch (cause) {
        return (cause as { code?: string }).code
      }
      return 'nothing'
    }
    const codes = [
      await wrong({ prompt: 'x'.repeat(99) }),
      await wrong({ prompt: '' }),
      await wrong({ tokens: 0 }),
      await wrong({ model: new File([], 'a.gguf') }),
      await wrong({ sampling: { topP: 2 } }),
      await wrong({ signal: AbortSignal.abort() }),
    ]
    return { tokens, twice, codes, stages: swarm.view().sessions[0]!.stages.length }
  }, model)
  expect(told.tokens.map(({ at }) => at)).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  expect(told.tokens.map(({ id }) => id)).toEqual(told.twice)
  expect(told.stages).toBe(2)
  expect(told.codes.slice(0, 3)).toEqual(['prompt-too-long', 'empty-prompt', 'bad-input'])
  expect(told.codes.slice(3)).toEqual(['truncated', 'bad-sampling', 'cancelled'])
})
