/**
 * Attention in one kernel: an invocation walks the keys for one query, and keeps the largest score so far,
 * the sum of exp(score - largest), and the values added up by those weights, scaling both down whenever a
 * larger score is found. The scores are never in memory. On a GPU the queries of a workgroup read keys and
 * values from workgroup memory, where they are put a few at a time.
 *
 * A key that may not be looked at is passed over, so that nothing in it can be seen; a query without keys
 * answers zeros.
 */
import { sizeOf } from '../tensor.ts'
import { Shader } from '../shader.ts'
import { realised, scoreText, spanText } from './attention-keys.ts'
import type { Build } from '../build.ts'
import type { Shape } from '../tensor.ts'
import type { Deferred, Finish } from '../value.ts'
import type { Lanes } from '../wgsl-function.ts'
import type { View } from '../view.ts'
import type { Attention, Ready, SpanText } from './attention-keys.ts'

/** Queries of a workgroup. */
const WORKGROUP = { software: 4, gpu: 64 } as const
/** Keys in a workgroup's memory at once, at most; and how many numbers: every adapter has 16 KiB. */
const TILE = 16
const TILE_NUMBERS = 4096
export const attentionRows = (build: Build, asked: Attention): Deferred => {
  const ready = realised(build, asked)
  const { q, v } = ready
  const shape = [...q.shape.slice(0, 4), v.shape[3]!]
  const inputs = Object.values(ready).filter((view) => view !== null)
  return build.deferred('f32', shape, inputs, (finish, out) => {
    const size = q.shape[4]!
    const lanes: Lanes = size % 4 === 0 && shape[4]! % 4 === 0 ? 4 : 1
    const shader = new Shader(lanes)
    const job: Job = { shader, asked, ready, shape, width: lanes, family: build.target.family }
    write(job, finish, out)
    const workgroup = WORKGROUP[build.target.family]
    build.emit({
      template: 'attention',
      shader,
      workgroup: [workgroup, 1, 1],
      grid: [Math.ceil(shape[3]! / workgroup), sizeOf({ shape: shape.slice(0, 3) }), 1],
      flop: 2 * sizeOf({ shape: shape.slice(0, 4) }) * v.shape[2]! * (size + shape[4]!),
    })
  })
}

type Job = {
  readonly shader: Shader
  readonly asked: Attention
  readonly ready: Ready
  readonly shape: Shape
  /** Numbers in what F stands for. */
  readonly width: Lanes
  readonly family: 'software' | 'gpu'
}

const write = (job: Job, finish: Finish, out: View): void => {
  const { shader, asked, ready, shape, width, family } = job
  const [queries, keys] = [shape[3]!, ready.k.shape[2]!]
  const shared = family === 'gpu'
  shader.line(`let query = group.x * ${WORKGROUP[family]} + local.x;`)
  if (!shared) shader.line(`if (query >= ${queries}) { return; }`)
  const heads = shader.coordinates('group.y', shape.slice(0, 3)) as [string, string, string]
  // Those beyond the last query do as it does, so that all reach the barriers, and store nothing.
  const i = shared ? shader.let(`min(query, ${queries - 1})`) : 'query'
  const row = [...heads, i]
  const q = chunks(ready.q.shape[4]!, width).map((c) =>
    shader.let(shader.read(ready.q, [...row, c])),
  )
  const sums = chunks(shape[4]!, width).map(() => shader.var('F(0.0)'))
  const largest = shader.var('-3.4028234663852886e38')
  const total = shader.var('0.0')
  const spanOf = (at: string): SpanText =>
    spanText(shader, asked, ready, { batch: heads[0], query: at })
  const span = spanOf(i)
  const step = (read: Read, j: string): void => {
    const score = scoreOf(job, { row, q, j, key: (c) => read('k', c) })
    const next = shader.let(`max(${largest}, ${score})`)
    const down = shader.let(`exp(${largest} - ${next})`)
    const weight = shader.let(`exp(${score} - ${next})`)
    shader.line(`${largest} = ${next};`)
    shader.line(`${total} = ${total} * ${down} + ${weight};`)
    for (const [c, sum] of sums.entries())
      shader.line(`${sum} = ${sum} * ${down} + ${weight} * ${read('v', c)};`)
  }
  if (shared) {
    const [begin, end] = [0, WORKGROUP.gpu - 1].map((n) =>
      spanOf(shader.let(`min(group.x * ${WORKGROUP.gpu} + ${n}, ${queries - 1})`)),
    )
    tiles(job, { heads, span, least: begin!.first, most: end!.limit, keys }, step)
  } else {
    shader.line(`for (var j = ${span.first}; j < ${span.limit}; j++) {`)
    step((from, c) => shader.read(ready[from], [heads[0], heads[1], 'j', String(c * width)]), 'j')
    shader.line('}')
  }
  const part = shader.let(`select(1.0 / ${total}, 0.0, ${total} == 0.0)`)
  if (shared) shader.line(`if (query < ${queries}) {`)
  for (const [c, sum] of sums.entries()) {
    const at = [...row, String(c * width)]
    shader.store(out, at, finish(shader, at, shader.let(`${sum} * ${part}`)))
  }
  if (shared) shader.line('}')
}

type Read = (from: 'k' | 'v', chunk: number) => string

const chunks = (size: number, width: number): readonly string[] =>
  Array.from({ length: size / width }, (_, c) => String(c * width))

type Pair = {
  readonly row: readonly string[]
  readonly q: readonly string[]
  readonly j: string
  key(chunk: number): string
}

/** Names the score of a key; passes over one that is masked: this must be inside of a loop. */
const scoreOf = ({ shader, asked, ready, width }: Job, { row, q, j, key }: Pair): string => {
  const { mask } = ready
  const bias = mask === null ? null : maskText(shader, mask, [...row, j])
  const product = shader.var(`${q[0]} * ${key(0)}`)
  for (const [c, part] of q.entries())
    if (c > 0) shader.line(`${product} = ${product} + ${part} * ${key(c)};`)
  const p = product
  const sum = width === 1 ? p : `((${p}[0] + ${p}[1]) + (${p}[2] + ${p}[3]))`
  const score = scoreText(shader, asked, sum)
  return shader.let(bias === null ? score : `${score} + ${bias}`)
}

/** What is added to a score; a key that is masked, or that the mask does not reach, is passed over. */
const maskText = (shader: Shader, mask: View, at: readonly string[]): string | null => {
  const [j, length] = [at.at(-1)!, mask.shape.at(-1)!]
  shader.line(`if (${j} >= ${length}) { continue; }`)
  const found = shader.let(shader.scalar(mask, at))
  const none = mask.element === 'i32' ? `${found} == 0` : `bitcast<u32>(${found}) == 0xff800000u`
  shader.line(`if (${none}) { continue; }`)
  return mask.element === 'i32' ? null : found
}

type Tiles = {
  readonly heads: readonly [string, string, string]
  /** Of this invocation's query, and of the workgroup's first and last. */
  readonly span: SpanText
  readonly least: string
  readonly most: string
  readonly keys: number
}

/** Puts keys and values into workgroup memory, some at a time, and walks them there. */
const tiles = (
  { shader, ready, shape, width }: Job,
  { heads, span, least, most, keys }: Tiles,
  step: (read: Read, j: string) => void,
): void => {
  const parts = { k: ready.k.shape[3]! / width, v: shape[4]! / width }
  const rows = Math.min(TILE, Math.floor(TILE_NUMBERS / (width * (parts.k + parts.v))))
  const type = width === 4 ? 'vec4<f32>' : 'f32'
  for (const from of ['k', 'v'] as const) {
    shader.global(`var<workgroup> tile_${from}: array<${type}, ${rows * parts[from]}>;`)
  }
  shader.line(`for (var begin = ${least}; begin < ${most}; begin += ${rows}) {`)
  shader.line('workgroupBarrier();')
  for (const from of ['k', 'v'] as const) {
    const count = rows * parts[from]
    shader.line(`for (var e = local.x; e < ${count}; e += ${WORKGROUP.gpu}) {`)
    const [line, chunk] = shader.coordinates('e', [rows, parts[from]]) as [string, string]
    const at = [heads[0], heads[1], `min(begin + ${line}, ${keys - 1})`, `${chunk} * ${width}`]
    shader.line(
      `tile_${from}[e] = ${shader.read(
        ready[from],
        at.map((one) => shader.let(one)),
      )};`,
    )
    shader.line('}')
  }
  shader.line('workgroupBarrier();')
  shader.line(`for (var n = 0; n < ${rows}; n++) {`)
  const j = shader.let('begin + n')
  shader.line(`if (${j} >= ${span.limit}) { break; }`)
  if (span.first !== '0') shader.line(`if (${j} < ${span.first}) { continue; }`)
  step((from, c) => `tile_${from}[n * ${parts[from]} + ${c}]`, j)
  shader.line('}')
  shader.line('}')
}
