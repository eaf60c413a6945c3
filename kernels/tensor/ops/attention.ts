/** Attention: queries look at keys and take up values. One kernel, unless somebody asks for the scores too. */
import { sizeOf } from '../tensor.ts'
import { refuse } from '../outcome.ts'
import { attention as fused, MAX_SIZE } from '../templates/attention.ts'
import { attentionOne } from '../templates/attention-one.ts'
import { sliceView, transposeView } from '../view.ts'
import { readAttention } from './attention-call.ts'
import { attentionNumbers } from './attention-reference.ts'
import { withScores } from './attention-scores.ts'
import { ATTENTION_CASES } from './attention-cases.ts'
import type { AttentionCall } from './attention-call.ts'
import type { Attention } from '../templates/attention-keys.ts'
import type { Build } from '../build.ts'
import type { Call, Op } from '../op.ts'
import type { Value } from '../value.ts'

/** Of a call that has been inferred. */
const read = (call: Call): AttentionCall => readAttention(call) as AttentionCall

/** [batch, heads, length, size], from wherever the heads are. */
const apart = (build: Build, x: Value, heads: number): Value => {
  if (x.shape.length === 4) return x
  const [batch, length, width] = x.shape as [number, number, number]
  const split = build.reshape(x, [batch, length, heads, width / heads])
  return build.move(split, (view) => transposeView(view, [0, 2, 1, 3]))
}

/** Keys, or values, with those from before in front of them. */
const joined = (build: Build, x: Value, before: Value | null | undefined): Value => {
  if (before === null || before === undefined) return build.realise(x)
  const [past, fresh] = [before.shape[2]!, x.shape[2]!]
  const out = build.fresh('f32', x.shape.with(2, past + fresh))
  build.write(before, sliceView(out, 2, { start: 0, size: past, step: 1 }))
  build.write(x, sliceView(out, 2, { start: past, size: fresh, step: 1 }))
  return out
}

/** A query that sees no keys answers zeros. */
const unseen = (call: Call, keys: Value, values: Value, build: Build): readonly Value[] => [
  build.literal('f32', call.outputs[0]!.shape, 0),
  keys,
  values,
  build.literal('f32', call.outputs[3]!.shape, 0),
]

const lower: Op['lower'] = (call, [q, k, v, mask, pastKey, pastValue, lengths], build) => {
  const asked = read(call)
  const { batch, heads, group, queries, past, flat } = asked
  const keys = joined(build, apart(build, k!, heads), pastKey)
  const values = joined(build, apart(build, v!, heads), pastValue)
  if (asked.keys === 0) return unseen(call, keys, values, build)
  const offset = lengths !== null && lengths !== undefined && past === 0 ? null : past
  const { left, right } = asked
  const grouped = [batch, heads, group, queries, asked.size]
  const query = apart(build, q!, heads * group)
  const about: Omit<Attention, 'q'> = {
    k: keys,
    v: values,
    mask: mask === null || mask === undefined ? null : maskOf(build, mask, asked),
    lengths: lengths ?? null,
    scale: asked.scale,
    softcap: asked.softcap,
    span: left === null && right === null ? null : { offset, left, right },
  }
  const whole = call.outputCount > 3 || Math.max(asked.size, asked.valueSize) > MAX_SIZE
  const job = (): Attention => ({ ...about, q: build.reshape(query, grouped) })
  const found = whole
    ? withScores(build, job(), asked.mode)
    : {
        output: isOne(asked) ? attentionOne(build, about, { query, grouped }) : fused(build, job()),
        scores: null,
      }
  const each = build.reshape(found.output, [batch, heads * group, queries, asked.valueSize])
  const output = flat
    ? build.reshape(
        build.move(each, (view) => transposeView(view, [0, 2, 1, 3])),
        call.outputs[0]!.shape,
      )
    : each
  const scores = found.scores === null ? [] : [build.reshape(found.scores, call.outputs[3]!.shape)]
  return [output, keys, values, ...scores]
}

/** Whether it is one query that may look back as far as it likes. */
const isOne = ({ queries, size, valueSize, mask, left }: AttentionCall): boolean =>
  queries === 1 && size % 4 === 0 && valueSize % 4 === 0 && mask === null && left === null

/** In five dimensions, as the queries are. */
const maskOf = (build: Build, mask: Value, { mask: shape, ...asked }: AttentionCall): Value => {
  const [batch, heads, queries, reached] = shape as [number, number, number, number]
  const split = heads === 1 ? [1, 1] : [asked.heads, asked.group]
  const sizes = [asked.batch, asked.heads, asked.group, asked.queries, reached]
  return build.expand(build.reshape(mask, [batch, ...split, queries, reached]), sizes)
}

export const attention: Op = {
  name: 'Attention',
  inputs: [3, 7],
  attributes: {
    is_causal: 'int',
    kv_num_heads: 'int',
    left_window_size: 'int',
    q_num_heads: 'int',
    qk_matmul_output_mode: 'int',
    right_window_size: 'int',
    scale: 'float',
    softcap: 'float',
    softmax_precision: 'int',
  },
  infer(call) {
    const asked = readAttention(call)
    if ('code' in asked) return asked
    const { batch, heads, group, queries, keys, size, valueSize, flat, mode } = asked
    if (![0, 1, 2, 3].includes(mode) || asked.softcap < 0)
      return refuse('unsupported', 'such a mode or cap')
    const all = heads * group
    const { element } = call.inputs[0]!
    return [
      flat ? [batch, queries, all * valueSize] : [batch, all, queries, valueSize],
      [batch, heads, keys, size],
      [batch, heads, keys, valueSize],
      [batch, all, queries, keys],
    ].map((shape) => ({ element, shape }))
  },
  flop(call) {
    const { keys, size, valueSize } = read(call)
    return 2 * (sizeOf(call.outputs[0]!) / valueSize) * keys * (size + valueSize)
  },
  reference: (call, inputs) => attentionNumbers(read(call), inputs),
  lower,
  cases: ATTENTION_CASES,
}
