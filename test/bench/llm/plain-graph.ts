/**
 * The same model in operators that ONNX Runtime's GPU kernels have, as models are exported for it: what was said
 * before comes in, and goes out with the new line joined on. Weights are inside.
 */
import { GraphWriter } from '../../../src/models/graph-writer.ts'
import { ropeTables } from '../../../src/models/llama/rope.ts'
import { turned } from '../turned.ts'
import { CONFIG, type BenchModel, type Numbers } from './model.ts'
import type { Graph, ValueId } from '../../../kernels/tensor/graph.ts'
import type { Tensor, TensorType } from '../../../kernels/tensor/tensor.ts'

/** The newest that ONNX Runtime 1.30 has kernels for throughout. */
const OPSET = 21

export type PlainGraph = {
  readonly graph: Graph
  readonly types: ReadonlyMap<ValueId, TensorType>
  /** Of keys and values by layer, in turn. */
  readonly before: readonly ValueId[]
  readonly after: readonly ValueId[]
  readonly tokens: ValueId
  readonly logits: ValueId
}

const { heads, keyHeads, headSize, width, epsilon } = CONFIG
const group = heads / keyHeads

/** `fresh` tokens behind `past` others. */
export const plainGraph = (
  { weights }: BenchModel,
  { fresh, past }: { readonly fresh: number; readonly past: number },
): PlainGraph => {
  const write = new GraphWriter()
  const types = new Map<ValueId, TensorType>()
  const input = (name: string, element: TensorType['element'], shape: number[]): ValueId => {
    const id = write.input(name)
    types.set(id, { element, shape })
    return id
  }
  const plain = new Plain(write, weights, { fresh, past })
  const tokens = input('tokens', 'i64', [fresh])
  let x = write.node('Gather', [plain.weight('model.embed_tokens'), tokens])
  const [before, after]: [ValueId[], ValueId[]] = [[], []]
  for (let layer = 0; layer < CONFIG.layers; layer++) {
    const shape = [1, keyHeads, past, headSize]
    const tables = (['keys', 'values'] as const).map((name) =>
      past === 0 ? null : input(`${name} ${layer}`, 'f32', shape),
    ) as [ValueId | null, ValueId | null]
    const made = plain.layer(x, layer, tables)
    x = made.x
    before.push(...tables.filter((id) => id !== null))
    after.push(...made.tables)
  }
  const last = write.node('Gather', [x, write.whole('last', [fresh - 1])])
  const logits = plain.product(plain.norm(last, 'model.norm'), 'lm_head')
  const made = write.graph([logits, ...after])
  types.set(logits, { element: 'f32', shape: [1, CONFIG.vocabulary] })
  for (const id of after)
    types.set(id, { element: 'f32', shape: [1, keyHeads, past + fresh, headSize] })
  // ONNX Runtime wants each node to have a name of its own.
  const nodes = made.nodes.map((node, i) => ({ ...node, name: `${node.op} ${i}` }))
  return { graph: { ...made, nodes, opset: OPSET }, types, before, after, tokens, logits }
}

type Size = { readonly fresh: number; readonly past: number }
type Tables = readonly [ValueId | null, ValueId | null]

class Plain {
  readonly #write: GraphWriter
  readonly #weights: BenchModel['weights']
  readonly #size: Size
  readonly #cos: ValueId
  readonly #sin: ValueId

  constructor(write: GraphWriter, weights: BenchModel['weights'], size: Size) {
    this.#write = write
    this.#weights = weights
    this.#size = size
    const { fresh, past } = size
    const { cos, sin } = ropeTables(CONFIG.rope, past + fresh)
    const rows = ({ data, shape }: Tensor, name: string): ValueId =>
      write.constant(name, {
        element: 'f32',
        shape: [1, 1, fresh, shape[1]!],
        data: data.slice(past * shape[1]!) as Float32Array,
      })
    this.#cos = rows(cos, 'cos')
    this.#sin = rows(sin, 'sin')
  }

  weight(name: string): ValueId {
    const { shape, data } = this.#weights.get(`${name}.weight`)!
    return this.#write.constant(name, { element: 'f32', shape, data })
  }

  product(x: ValueId, name: string): ValueId {
    const { shape, data } = this.#weights.get(`${name}.weight`) as Numbers
    const across = turned(shape, data, [1, 0])
    const weight = this.#write.constant(name, { element: 'f32', ...across })
    return this.#write.node('MatMul', [x, weight])
  }

  norm(x: ValueId, name: string): ValueId {
    const write = this.#write
    const square = write.node('Mul', [x, x])
    const mean = write.node('ReduceMean', [square, write.whole('axes', [-1])], { keepdims: 1 })
    const root = write.node('Sqrt', [write.node('Add', [mean, this.#number(epsilon)])])
    return write.node('Mul', [write.node('Div', [x, root]), this.weight(name)])
  }

  layer(
    before: ValueId,
    layer: number,
    tables: Tables,
  ): { readonly x: ValueId; readonly tables: readonly [ValueId, ValueId] } {
    const write = this.#write
    const at = `model.layers.${layer}`
    const input = this.norm(before, `${at}.input_layernorm`)
    const project = (part: string, count: number): ValueId =>
      this.#apart(this.product(input, `${at}.self_attn.${part}_proj`), count)
    const q = this.#turn(project('q', heads))
    const joined = (table: ValueId | null, next: ValueId): ValueId =>
      table === null ? next : write.node('Concat', [table, next], { axis: 2 })
    const keys = joined(tables[0], this.#turn(project('k', keyHeads)))
    const values = joined(tables[1], project('v', keyHeads))
    const seen = this.#attention(q, keys, values)
    const x = write.node('Add', [before, this.product(seen, `${at}.self_attn.o_proj`)])
    const inner = this.norm(x, `${at}.post_attention_layernorm`)
    const gate = this.product(inner, `${at}.mlp.gate_proj`)
    const silu = write.node('Mul', [gate, write.node('Sigmoid', [gate])])
    const both = write.node('Mul', [silu, this.product(inner, `${at}.mlp.up_proj`)])
    const out = write.node('Add', [x, this.product(both, `${at}.mlp.down_proj`)])
    return { x: out, tables: [keys, values] }
  }

  /** [1, heads, fresh, size]. */
  #apart(x: ValueId, count: number): ValueId {
    const write = this.#write
    const split = write.whole('split', [1, this.#size.fresh, count, headSize])
    return write.node('Transpose', [write.node('Reshape', [x, split])], { perm: [0, 2, 1, 3] })
  }

  #turn(x: ValueId): ValueId {
    const write = this.#write
    const half = headSize / 2
    const part = (from: number, to: number): ValueId =>
      write.node('Slice', [
        x,
        write.whole('from', [from]),
        write.whole('to', [to]),
        write.whole('axes', [3]),
      ])
    const [a, b] = [part(0, half), part(half, headSize)]
    const times = (y: ValueId, table: ValueId): ValueId => write.node('Mul', [y, table])
    const first = write.node('Sub', [times(a, this.#cos), times(b, this.#sin)])
    const second = write.node('Add', [times(b, this.#cos), times(a, this.#sin)])
    return write.node('Concat', [first, second], { axis: 3 })
  }

  /** Heads that share keys in a dimension of their own. */
  #attention(q: ValueId, keys: ValueId, values: ValueId): ValueId {
    const write = this.#write
    const { fresh, past } = this.#size
    const all = past + fresh
    const grouped = write.node('Reshape', [
      q,
      write.whole('grouped', [keyHeads, group * fresh, headSize]),
    ])
    const table = (x: ValueId): ValueId =>
      write.node('Reshape', [x, write.whole('table', [keyHeads, all, headSize])])
    const across = write.node('Transpose', [table(keys)], { perm: [0, 2, 1] })
    const scores = write.node('Mul', [
      write.node('MatMul', [grouped, across]),
      this.#number(1 / Math.sqrt(headSize)),
    ])
    const masked = fresh === 1 ? scores : write.node('Add', [scores, this.#mask()])
    const parts = write.node('Softmax', [masked], { axis: -1 })
    const seen = write.node('Reshape', [
      write.node('MatMul', [parts, table(values)]),
      write.whole('heads', [1, heads, fresh, headSize]),
    ])
    const rows = write.node('Transpose', [seen], { perm: [0, 2, 1, 3] })
    return write.node('Reshape', [rows, write.whole('flat', [fresh, width])])
  }

  /** [1, group * fresh, all]: a token does not look ahead. */
  #mask(): ValueId {
    const { fresh, past } = this.#size
    const all = past + fresh
    const data = Float32Array.from({ length: group * fresh * all }, (_, at) => {
      const row = Math.floor(at / all) % fresh
      return at % all <= past + row ? 0 : -1e9
    })
    return this.#write.constant('mask', { element: 'f32', shape: [1, group * fresh, all], data })
  }

  #number(x: number): ValueId {
    const data = Float32Array.of(x)
    return this.#write.constant('number', { element: 'f32', shape: [1], data })
  }
}
