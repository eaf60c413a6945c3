/**
 * `map@1`: the same program for every element of one or two f32 arrays.
 *
 * out[e] = program(x[e], y[e], offset + e); the language is in map-program.ts
 *
 * @shape x [length], y [length] if the program mentions it -> out [length]; length to 2^25.
 *   Where it mentions i, offset + length is at most 2^24, so that every index is exact in f32.
 * @unit operations per element as weighed in map-operations.ts, times length
 * @error every element within the range that interval.ts derives for it from the accuracies WGSL asks
 *   for. Arbitrary programs can amplify rounding without limit, so no one tolerance would be honest.
 *   Outside a function's domain (1 / 0, sqrt(-1), log(0)) and past an overflow any answer is accepted.
 * @source WGSL §15.7.4; R. Moore, Interval Analysis, 1966.
 */
import { lineOfGroups, uniformWords } from './layout.ts'
import { MAX_PROGRAM_LENGTH, parseMapProgram } from './map-program.ts'
import { floats } from './noise.ts'
import { integer, readParams, refuse, text } from './params.ts'
import type { ShaderKernel, KernelCase, Params, Tensor, TensorType } from './kernel.ts'
import type { MapProgram } from './map-program.ts'

export type MapParams = {
  readonly length: number
  readonly offset: number
  readonly program: MapProgram
}

const LANES = 64
const QUAD = 4
/** Up to here every whole number is an f32. */
const EXACT_INDEX = 2 ** 24

const vector = (length: number): TensorType => ({ dtype: 'f32', shape: [length] })

const sample = (name: string, program: string, length: number, more: Params = {}): KernelCase => ({
  name,
  params: { length, program, ...more },
  inputs: (): Tensor[] => {
    const x = { ...vector(length), data: floats(length, length + 1, 4) }
    const y = { ...vector(length), data: floats(length, length + 2, 4) }
    const parsed = parseMapProgram(program)
    return parsed.ok && parsed.value.inputs === 2 ? [x, y] : [x]
  },
})

const STAND_IN = /\/\/ begin program\n[\s\S]*?\/\/ end program\n/

export const map: ShaderKernel<MapParams> = {
  id: 'map@1',
  title: 'A program for every element',
  parse(params) {
    const read = readParams(params, {
      length: integer(1, 2 ** 25),
      offset: integer(0, 2 ** 40, 0),
      program: text(MAX_PROGRAM_LENGTH),
    })
    if (!read.ok) return read
    const { length, offset } = read.value
    const program = parseMapProgram(read.value.program)
    if (!program.ok) {
      const { line, column, expected, found } = program.error
      return refuse('program', `${expected} (line ${line}, column ${column})`, found)
    }
    if (program.value.usesIndex && offset + length > EXACT_INDEX) {
      return refuse('length', `offset + length of at most ${EXACT_INDEX} with i`, offset + length)
    }
    return { ok: true, value: { length, offset, program: program.value } }
  },
  inputs: ({ length, program }) =>
    program.inputs === 2 ? [vector(length), vector(length)] : [vector(length)],
  output: ({ length }) => vector(length),
  costFlop: ({ length, program }) => length * program.operations,
  costBytes: ({ length, program }) => 4 * length * (program.inputs + 1),
  items: ({ length }) => length,
  itemLength: () => 1,
  reference({ offset, program }, [x, y], from, to, out) {
    for (let e = from; e < to; e++) {
      out[e - from] = program.value(x![e]!, y?.[e] ?? 0, offset + e)
    }
  },
  range: ({ offset, program }, [x, y], e) => program.range(x![e]!, y?.[e] ?? 0, offset + e),
  check: 'sampled',
  tolerance: { abs: 1e-6, rel: 1e-5, scale: 'tensor' },
  shader: 'map',
  padding: 16,
  entry: ({ program }) => (program.inputs === 2 ? 'both' : 'main'),
  grain: () => QUAD,
  specialise: (source, { program }) => source.replace(STAND_IN, () => `${program.wgsl}\n`),
  dispatch: ({ offset, program }, from, to) => ({
    grid: lineOfGroups(Math.ceil((to - from) / (QUAD * LANES))),
    uniforms: uniformWords([from, to, program.usesIndex ? offset : 0]),
  }),
  workgroup: [LANES, 1, 1],
  cases: [
    sample('a line', 'x * 2.5 + 1', 1000),
    sample('two inputs', 'let d = x - y;\nreturn sqrt(d * d + 0.25);', 4099),
    sample('the index, from the middle of an array', 'x + i / 8', 37, { offset: 100_000 }),
    sample('exponentials', 'exp(x) + exp2(-y) + log(abs(x) + 0.5) + log2(abs(y) + 1)', 2050),
    sample('powers', 'pow(abs(x), 1.37) + inverseSqrt(abs(y) + 0.01)', 2050),
    sample('gelu', '0.5 * x * (1 + tanh(0.7978846 * (x + 0.044715 * x * x * x)))', 2050),
    sample('tanh far out', 'tanh(x * 100)', 515),
    sample('pieces', 'select(-x, x % 3, x > 0) + step(0.5, y) + clamp(x, -1, 1) * sign(y)', 2050),
    sample('rounding', 'floor(x) + 10 * ceil(x) + 100 * round(x * 2) + trunc(y) + fract(y)', 2050),
    sample('logic', 'select(0, 1, x < y && !(x * x + y * y > 9))', 2050),
    sample('mixing', 'mix(x, y, 0.25) + fma(x, y, 1) + min(x, y) - max(x, y)', 2050),
    sample('outside the domain', 'sqrt(x) + 1 / floor(y / 4)', 515),
  ],
}
