/**
 * jax-js: the model in its own operations, one `jit` for a prompt and one for a token. Tables of keys and values
 * are arrays on the device, of as many places as are there after the token, so nothing has to be masked.
 * Arrays are consumed by what they are given to, hence `ref`.
 */
import { ropeTables } from '../../../src/models/llama/rope.ts'
import { PEERS } from '../contender.ts'
import { turned } from '../turned.ts'
import { CACHED, CONFIG, type BenchModel } from './model.ts'
import type { LlmContender } from './contender.ts'
import type { Jax, JaxArray } from './jax-package.ts'

type Layer = Readonly<Record<'norm' | 'qkv' | 'o' | 'innerNorm' | 'gate' | 'up' | 'down', JaxArray>>
type Weights = {
  readonly embedding: JaxArray
  readonly norm: JaxArray
  readonly output: JaxArray
  readonly cos: JaxArray
  readonly sin: JaxArray
  readonly layers: readonly Layer[]
}
type Table = { readonly keys: JaxArray; readonly values: JaxArray }
type Said = { readonly logits: JaxArray; readonly tables: readonly Table[] }

const { heads, keyHeads, headSize, epsilon, width } = CONFIG
const PLACES = CACHED + 1

export const openJax = async (made: BenchModel): Promise<LlmContender> => {
  const url = `${PEERS}/@jax-js/jax/dist/index.js`
  const jax = (await import(/* @vite-ignore */ url)) as Jax
  await jax.init('webgpu')
  jax.defaultDevice('webgpu')
  const weights = upload(jax, made)
  const prefill = jax.jit((all: Weights, tokens: JaxArray, places: JaxArray): Said => {
    return forward(jax, all, { tokens, places, tables: null })
  })
  const decode = jax.jit(
    (all: Weights, tokens: JaxArray, places: JaxArray, tables: readonly Table[]): Said =>
      forward(jax, all, { tokens, places, tables }),
  )
  const whole = (numbers: readonly number[]): JaxArray =>
    jax.numpy.array(Int32Array.from(numbers), { dtype: jax.numpy.int32 })
  const places = (from: number, count: number): JaxArray =>
    whole(Array.from({ length: count }, (_, i) => from + i))
  const logitsOf = async ({ logits, tables }: Said): Promise<Float32Array> => {
    const data = await logits.data()
    jax.tree.dispose(tables)
    return data
  }
  let tables: readonly Table[] | null = null
  return {
    name: 'jax-js',
    gpu: true,
    prefill: (tokens) =>
      logitsOf(prefill(jax.tree.ref(weights), whole(tokens), places(0, tokens.length))),
    async say(tokens) {
      const said = prefill(jax.tree.ref(weights), whole(tokens), places(0, tokens.length))
      said.logits.dispose()
      // One more place, for the token that comes.
      const empty = (): JaxArray =>
        jax.numpy.array(new Float32Array(keyHeads * headSize), { shape: [1, keyHeads, headSize] })
      const wider = (table: JaxArray): JaxArray => jax.numpy.concatenate([table, empty()], 0)
      tables = said.tables.map(({ keys, values }) => {
        return { keys: wider(keys), values: wider(values) }
      })
      await jax.blockUntilReady(jax.tree.ref(tables))
    },
    decode: (token) =>
      logitsOf(
        decode(jax.tree.ref(weights), whole([token]), places(CACHED, 1), jax.tree.ref(tables!)),
      ),
  }
}

/** Weights turned, as `x @ w` wants them. */
const upload = (jax: Jax, { weights }: BenchModel): Weights => {
  const plain = (name: string): JaxArray => {
    const { shape, data } = weights.get(name)!
    return jax.numpy.array(data, { shape })
  }
  const across = (...names: string[]): JaxArray => {
    const each = names.map((name) => weights.get(name)!)
    const rows = each.reduce((sum, { shape }) => sum + shape[0]!, 0)
    const all = new Float32Array(each.reduce((sum, { data }) => sum + data.length, 0))
    let at = 0
    for (const { data } of each) {
      all.set(data, at)
      at += data.length
    }
    const { shape, data } = turned([rows, each[0]!.shape[1]!], all, [1, 0])
    return jax.numpy.array(data, { shape })
  }
  const { cos, sin } = ropeTables(CONFIG.rope, PLACES)
  const table = ({ data, shape }: typeof cos): JaxArray =>
    jax.numpy.array(data as Float32Array, { shape })
  return {
    embedding: plain('model.embed_tokens.weight'),
    norm: plain('model.norm.weight'),
    output: across('lm_head.weight'),
    cos: table(cos),
    sin: table(sin),
    layers: Array.from({ length: CONFIG.layers }, (_, i): Layer => {
      const name = (part: string): string => `model.layers.${i}.${part}.weight`
      return {
        norm: plain(name('input_layernorm')),
        qkv: across(name('self_attn.q_proj'), name('self_attn.k_proj'), name('self_attn.v_proj')),
        o: across(name('self_attn.o_proj')),
        innerNorm: plain(name('post_attention_layernorm')),
        gate: across(name('mlp.gate_proj')),
        up: across(name('mlp.up_proj')),
        down: across(name('mlp.down_proj')),
      }
    }),
  }
}

type Given = {
  readonly tokens: JaxArray
  readonly places: JaxArray
  /** null for a prompt, of which nothing was said before. */
  readonly tables: readonly Table[] | null
}

const forward = (jax: Jax, weights: Weights, { tokens, places, tables }: Given): Said => {
  const np = jax.numpy
  const norm = (x: JaxArray, scale: JaxArray): JaxArray => {
    const square = np.mean(x.ref.mul(x.ref), -1, { keepdims: true })
    return x.div(np.sqrt(square.add(epsilon))).mul(scale)
  }
  const half = headSize / 2
  const angles = (table: JaxArray): JaxArray => np.take(table, places.ref, 0).reshape([-1, 1, half])
  const [cos, sin] = [angles(weights.cos), angles(weights.sin)]
  const turn = (x: JaxArray): JaxArray => {
    const [a, b] = np.split(x, 2, -1) as [JaxArray, JaxArray]
    const first = a.ref.mul(cos.ref).sub(b.ref.mul(sin.ref))
    return np.concatenate([first, b.mul(cos.ref).add(a.mul(sin.ref))], -1)
  }
  let x = np.take(weights.embedding, tokens, 0)
  const made: Table[] = []
  for (const [i, layer] of weights.layers.entries()) {
    const all = np.matmul(norm(x.ref, layer.norm), layer.qkv)
    const cuts = [heads * headSize, (heads + keyHeads) * headSize]
    const [q, k, v] = np.split(all, cuts, -1) as [JaxArray, JaxArray, JaxArray]
    const query = turn(q.reshape([-1, heads, headSize]))
    const fresh = {
      keys: turn(k.reshape([-1, keyHeads, headSize])),
      values: v.reshape([-1, keyHeads, headSize]),
    }
    const table = tables === null ? fresh : append(jax, tables[i]!, fresh, places)
    made.push(table)
    const seen = jax.nn.dotProductAttention(query, table.keys.ref, table.values.ref, {
      isCausal: tables === null,
    })
    x = x.add(np.matmul(seen.reshape([-1, heads * headSize]), layer.o))
    const input = norm(x.ref, layer.innerNorm)
    const gate = jax.nn.silu(np.matmul(input.ref, layer.gate))
    x = x.add(np.matmul(gate.mul(np.matmul(input, layer.up)), layer.down))
  }
  cos.dispose()
  sin.dispose()
  const last = tables === null ? lastRow(jax, x, places) : x
  if (tables !== null) places.dispose()
  return { logits: np.matmul(norm(last, weights.norm), weights.output), tables: made }
}

/** The row of the last place: the others have no logits. */
const lastRow = (jax: Jax, x: JaxArray, places: JaxArray): JaxArray => {
  const count = (places as unknown as { readonly shape: readonly number[] }).shape[0]!
  places.dispose()
  const at = jax.numpy.array(Int32Array.of(count - 1), { dtype: jax.numpy.int32 })
  return jax.numpy.take(x, at, 0).reshape([1, width])
}

/** A table with the new line in its place. */
const append = (jax: Jax, table: Table, fresh: Table, places: JaxArray): Table => {
  const np = jax.numpy
  const order = np
    .array(
      Int32Array.from({ length: PLACES }, (_, i) => i),
      {
        dtype: np.int32,
      },
    )
    .reshape([PLACES, 1, 1])
  const isNew = np.equal(order, places.ref.reshape([1, 1, 1]))
  return {
    keys: np.where(isNew.ref, fresh.keys, table.keys),
    values: np.where(isNew, fresh.values, table.values),
  }
}
