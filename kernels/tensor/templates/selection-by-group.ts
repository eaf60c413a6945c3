/**
 * The largest few of parts of lines on a GPU, a workgroup for each part: runs as long as what is asked for are
 * sorted in turns up and down, and of two runs the larger half is kept and sorted, until one is left.
 *
 * @source A. Shanbhag, H. Pirk, S. Madden, Efficient Top-K Query Processing on GPUs (2018): bitonic top-k
 */
import { sizeOf } from '../tensor.ts'
import { Shader } from '../shader.ts'
import { candidate, keep, type Kept, type Round } from './selection-round.ts'

const WORKGROUP = 256
/** Runs of a part, and what a part has at least and at most: a key and a place are 8 bytes of the 16 KiB there are. */
const RUNS = 8
const [LEAST, MOST] = [1024, 2048]

export const chunkOfGroup = (count: number, length: number): number => {
  const most = Math.min(MOST, Math.max(LEAST, RUNS * powerOf(count)))
  return Math.max(powerOf(count), Math.min(most, powerOf(length)))
}

const powerOf = (count: number): number => 2 ** Math.ceil(Math.log2(Math.max(1, count)))

/** Steps of sorting that an element goes through, about. */
const STEPS = 32

export const selectByGroup = (round: Round): Kept => {
  const { build, x, outer, count, chunk, chunks } = round
  const kept: Kept = {
    places: build.fresh('i32', [...outer, chunks * count]),
    values: chunks === 1 ? build.fresh(x.element, [...outer, count]) : null,
  }
  const lines = sizeOf({ shape: outer })
  if (lines === 0) return kept
  const walk: Walk = {
    shader: new Shader(1),
    walkers: Math.min(WORKGROUP, Math.max(1, chunk / 2)),
    chunk,
    run: powerOf(count),
  }
  const { shader, walkers } = walk
  const at = shader.coordinates('group.x', [...outer, chunks])
  const [line, part] = [at.slice(0, -1), at.at(-1)!]
  load(walk, round, line, part)
  sortRuns(walk)
  mergeRuns(walk)
  shader.line('workgroupBarrier();')
  shader.line(`for (var i = local.x; i < ${count}; i += ${walkers}) {`)
  keep(round, kept, shader, { line, part, place: shader.let('places[i]') })
  shader.line('}')
  build.emit({
    template: 'selection',
    shader,
    workgroup: [walkers, 1, 1],
    grid: [lines * chunks, 1, 1],
    flop: lines * chunks * chunk * STEPS,
  })
  return kept
}

/** A part in the order of its line; what is behind the last has a place below 0. */
const load = (
  { shader, walkers, chunk }: Walk,
  round: Round,
  line: readonly string[],
  part: string,
): void => {
  shader.global(`var<workgroup> keys: array<u32, ${chunk}>;`)
  shader.global(`var<workgroup> places: array<i32, ${chunk}>;`)
  shader.use([BEFORE, IN_ORDER])
  shader.line(`for (var i = local.x; i < ${chunk}; i += ${walkers}) {`)
  shader.line('keys[i] = 0u;')
  shader.line('places[i] = -1;')
  const j = shader.let(`${part} * ${chunk} + i`)
  shader.line(`if (${j} < ${round.length}) {`)
  const { place, key } = candidate(round, shader, line, j)
  shader.line(`keys[i] = ${key};`)
  shader.line(`places[i] = ${place};`)
  shader.line('}')
  shader.line('}')
}

type Walk = {
  readonly shader: Shader
  readonly walkers: number
  readonly chunk: number
  /** As long as what is kept, in powers of two. */
  readonly run: number
}

/** Every other run begins with its last. */
const sortRuns = ({ shader, walkers, chunk, run }: Walk): void => {
  shader.line(`for (var size = 2; size <= ${run}; size = size * 2) {`)
  shader.line('for (var step = size / 2; step > 0; step = step / 2) {')
  shader.line('workgroupBarrier();')
  shader.line(`for (var p = local.x; p < ${chunk / 2}; p += ${walkers}) {`)
  shader.line('let first = 2 * p - (p & (step - 1));')
  shader.line('put_in_order(first, first + step, (first & size) == 0);')
  shader.line('}')
  shader.line('}')
  shader.line('}')
}

/** Runs stay where the first of both was; there are half as many each time. */
const mergeRuns = ({ shader, walkers, chunk, run }: Walk): void => {
  shader.line(`for (var apart = ${run}; apart < ${chunk}; apart = apart * 2) {`)
  shader.line('workgroupBarrier();')
  shader.line(`let left = ${chunk} / (2 * apart);`)
  shader.line(`for (var p = local.x; p < left * ${run}; p += ${walkers}) {`)
  shader.line(`let first = (p / ${run}) * 2 * apart + p % ${run};`)
  shader.line('put_in_order(first, first + apart, true);')
  shader.line('}')
  if (run > 1) {
    shader.line(`for (var step = ${run / 2}; step > 0; step = step / 2) {`)
    shader.line('workgroupBarrier();')
    shader.line(`for (var p = local.x; p < left * ${run / 2}; p += ${walkers}) {`)
    shader.line(`let number = p / ${run / 2};`)
    shader.line(`let within = p % ${run / 2};`)
    shader.line('let first = number * 2 * apart + 2 * within - (within & (step - 1));')
    shader.line('put_in_order(first, first + step, (number & 1) == 0);')
    shader.line('}')
    shader.line('}')
  }
  shader.line('}')
}

/** What is no place is -1, which is the largest as an unsigned number. */
const BEFORE = {
  name: 'is_before',
  code: `fn is_before(a: i32, b: i32) -> bool {
  return keys[a] > keys[b] || (keys[a] == keys[b] && u32(places[a]) < u32(places[b]));
}`,
}

const IN_ORDER = {
  name: 'put_in_order',
  code: `fn put_in_order(a: i32, b: i32, best_first: bool) {
  if (is_before(b, a) != best_first) { return; }
  let key = keys[a];
  let place = places[a];
  keys[a] = keys[b];
  places[a] = places[b];
  keys[b] = key;
  places[b] = place;
}`,
}
