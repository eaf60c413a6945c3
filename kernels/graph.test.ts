import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GRAPH, graphKernel, SEGMENT_TEXT_MAX } from './graph.ts'
import { kernelById, kernelIds } from './index.ts'
import { noise } from './noise.ts'
import type { Params } from './kernel.ts'

const lines = (...text: string[]): string => text.join('\n')

const small = lines(
  'opset 21',
  'input x f32[2,3] r0@0',
  'input w f32[3,4] r1@6',
  'const axes i64[1] -1',
  'h = MatMul(x, w) # first',
  'g = Gelu(h) approximate="tanh"',
  's = ReduceSum(g, axes) keepdims=0',
  'b = ArgMax(h) axis=1',
  'output s b',
)
const task: Params = { graph: small, reads: 'f32 u32', lengths: [6, 18] }

const refusal = (params: Params): string => {
  const parsed = graphKernel.parse(params)
  return parsed.ok ? '' : `${parsed.error.param}: ${parsed.error.expected}, ${parsed.error.found}`
}
const changed = (...text: string[]): Params => ({ ...task, graph: lines(...text) })

describe('a part of a model as a task', () => {
  it('is a kernel as others are, and is called so in adverts', () => {
    expect(kernelById(GRAPH)).toBe(graphKernel)
    expect(kernelIds()).toContain(GRAPH)
  })

  it('says what it reads, what it writes, and what it costs', () => {
    const parsed = graphKernel.parse(task)
    if (!parsed.ok) throw new Error(refusal(task))
    const p = parsed.value
    expect(graphKernel.inputs(p)).toEqual([
      { dtype: 'f32', shape: [6] },
      { dtype: 'u32', shape: [18] },
    ])
    // Two sums and two places; and the product that is shown, which the sums' formula reads; and the formula.
    expect(graphKernel.output(p)).toEqual({ dtype: 'u32', shape: [2 + 2 + 8 + 8] })
    const flop = p.bound.nodes.map(({ op, call }) => op.flop!(call))
    expect(flop[0]).toBe(2 * 2 * 3 * 4)
    expect(graphKernel.costFlop(p)).toBe(flop.reduce((a, b) => a + b))
    expect(graphKernel.costBytes(p)).toBe(4 * (6 + 18 + 8 + 8 + 2 + 2))
  })

  it.each<[string, Params, string]>([
    ['a field nobody knows', { ...task, more: 1 }, 'more: only graph, reads, lengths'],
    [
      'a text that is too long',
      { ...task, graph: `${small}\n${'#'.repeat(SEGMENT_TEXT_MAX)}` },
      'graph: text',
    ],
    ['more reads than lengths', { ...task, lengths: [6] }, 'lengths'],
    ['reads of bytes', { ...task, reads: 'f32 u8' }, 'reads'],
    [
      'an operator that nobody can check',
      changed(
        'input x f32[6] r0@0',
        'const s f32[1] 1',
        'y = QuantizeLinear(x, s) # jumpy',
        'output y',
      ),
      'graph: operators that can be checked, "jumpy QuantizeLinear"',
    ],
    [
      'a value read before it is made',
      changed('a = Relu(b)', 'b = Relu(a)', 'output b'),
      'graph, line 1: the name of a value that was made before',
    ],
    ['a value that makes itself', changed('a = Relu(a)', 'output a'), 'graph, line 1'],
    [
      'one name for two values',
      changed('input x f32[2] r0@0', 'x = Relu(x)', 'output x'),
      'graph, line 2: a new name',
    ],
    [
      'no output',
      changed('input x f32[2] r0@0', 'y = Relu(x)'),
      'graph, line 2: a line such as `output y`',
    ],
    [
      'an output that is an input',
      changed('input x f32[2] r0@0', 'y = Relu(x)', 'output x'),
      'outputs that a node makes',
    ],
    [
      'an output twice',
      changed('input x f32[2] r0@0', 'y = Relu(x)', 'output y y'),
      'graph, line 3',
    ],
    [
      'an operator nobody has',
      changed('input x f32[2] r0@0', 'y = Fly(x) # home', 'output y'),
      'graph, home Fly: a graph that can run (unknown-op)',
    ],
    [
      'an attribute nobody has',
      changed('input x f32[2] r0@0', 'y = Relu(x) speed=9', 'output y'),
      '(unknown-attribute)',
    ],
    [
      'a name from a language',
      changed('input __proto__ f32[2] r0@0', 'output __proto__'),
      'graph, line 1: a name',
    ],
    [
      'a read that is not there',
      changed('input x f32[2] r7@0', 'y = Relu(x)', 'output y'),
      'a place in what is read',
    ],
    [
      'a place behind the end',
      changed('input x f32[2] r0@5', 'y = Relu(x)', 'output y'),
      'a place in what is read',
    ],
    [
      'floats among whole numbers',
      {
        graph: lines('input x f32[2] r0@0', 'y = Relu(x)', 'output y'),
        reads: 'i32',
        lengths: [2],
      },
      'a place in what is read',
    ],
    [
      'an input without a place',
      changed('input x f32', 'y = Relu(x)', 'output y'),
      'a place in what is read',
    ],
    [
      'a shape beyond all numbers',
      changed('input x f32[4294967296,4294967296,4294967296] r0@0', 'y = Relu(x)', 'output y'),
      'a place in what is read',
    ],
    [
      'a constant of more numbers than a person writes',
      changed('const x f32[9999999] 1', 'y = Relu(x)', 'output y'),
      'at most 4096 numbers',
    ],
    [
      'a shape that is not known',
      changed('input x f32[6] r0@0', 'input s i64[2] r1@0', 'y = Reshape(x, s)', 'output y'),
      '(value-needed)',
    ],
    [
      'a result that explodes',
      changed('input x f32[6] r0@0', 'const n i64[1] 16000000', 'y = Tile(x, n)', 'output y'),
      'numbers at once',
    ],
    [
      'results that explode step by step',
      changed(
        'input x f32[6] r0@0',
        'const n i64[1] 900',
        'y = Tile(x, n)',
        'z = Tile(y, n)',
        'u = Tile(z, n)',
        'output u',
      ),
      '(too-large)',
    ],
    [
      'many values that are large together',
      changed(
        'input x f32[6] r0@0',
        'const n i64[1] 4000000',
        ...[1, 2, 3].map((i) => `y${i} = Tile(x, n)`),
        'output y1 y2 y3',
      ),
      'numbers at once',
    ],
    [
      'lists so deep that reading them takes all of a stack',
      changed('input x f32[2] r0@0', `y = Transpose(x) perm=${'['.repeat(20_000)}`, 'output y'),
      'a number',
    ],
    [
      'a shape that is endless, though it holds nothing',
      changed(
        'input x f32[9007199254740991,0] r0@0',
        'input z f32[2] r0@0',
        'const axis i64[] 1',
        'a = CumSum(x, axis)',
        'y = Relu(z)',
        'output y a',
      ),
      '[9007199254740991, 0]',
    ],
    [
      'a constant that is endless, though it holds nothing',
      changed(
        'const x f32[9007199254740991,0]',
        'input z f32[2] r0@0',
        'y = Relu(z)',
        'a = Relu(x)',
        'output y a',
      ),
      '[9007199254740991, 0]',
    ],
    [
      'an operator that keeps a worker for longer than anybody waits',
      {
        graph: lines('input x f32[1,65536] r0@0', 'y = LRN(x) size=65536 # deep', 'output y'),
        reads: 'f32',
        lengths: [65_536],
      },
      'graph, deep LRN: at most 1073741824 operations in one operator that is no product',
    ],
    [
      'a product that does',
      {
        graph: lines('input x f32[2049,2049] r0@0', 'y = MatMul(x, x)', 'output y'),
        reads: 'f32',
        lengths: [2049 ** 2],
      },
      'graph, MatMul: at most 8589934592 operations in one product',
    ],
    [
      'a list that never ends',
      changed('input x f32[2] r0@0', `y = Transpose(x) perm=[${'0,'.repeat(5000)}0]`, 'output y'),
      'at most 4096 in a list',
    ],
  ])('is refused with %s', (_, params, said) => {
    expect(refusal(params)).toContain(said)
  })

  it('is paid for every place that shrinking a picture reads', () => {
    const shrink = (more: string): number => {
      const parsed = graphKernel.parse({
        graph: lines(
          'input x f32[1,1,256,256] r0@0',
          'const s f32[4] 1 1 0.125 0.125',
          `y = Resize(x, , s) mode="cubic"${more}`,
          'output y',
        ),
        reads: 'f32',
        lengths: [2 ** 16],
      })
      return parsed.ok ? graphKernel.costFlop(parsed.value) : 0
    }
    expect(shrink('')).toBe(32 * 32 * 4 * 4)
    expect(shrink(' antialias=1')).toBe(32 * 32 * 32 * 32)
  })

  it('costs nobody who reads it more than a moment, however mallory has changed it', () => {
    const words = [
      '99999999',
      '-1',
      '0',
      'nan',
      '[',
      ']',
      '@',
      'r0',
      'x',
      '_',
      'f32',
      'i64',
      '"',
      ',',
      '#',
      '\n',
    ]
    const random = noise(5)
    let slowest = 0
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(), fc.nat(8), fc.constantFrom(...words)), {
          minLength: 1,
          maxLength: 5,
        }),
        (edits) => {
          let graph = small
          for (const [at, gone, word] of edits) {
            const from = at % graph.length
            graph = graph.slice(0, from) + word + graph.slice(from + gone)
          }
          const lengths = random() < 0.5 ? [6, 18] : [1 + Math.floor(random() * 2 ** 24), 18]
          const began = performance.now()
          const parsed = graphKernel.parse({ ...task, graph, lengths })
          if (parsed.ok) {
            expect(graphKernel.output(parsed.value).shape[0]).toBeGreaterThan(0)
            expect(Number.isSafeInteger(graphKernel.costFlop(parsed.value))).toBe(true)
          }
          slowest = Math.max(slowest, performance.now() - began)
        },
      ),
      { numRuns: 3000 },
    )
    expect(slowest).toBeLessThan(2000)
  })
})
