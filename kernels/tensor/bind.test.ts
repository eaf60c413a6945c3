import { describe, expect, it } from 'vitest'
import { bind, shapeInputsOf } from './bind.ts'
import { list } from './draw.ts'
import { lower } from './lower.ts'
import { place } from './liveness.ts'
import { tensor } from './tensor.ts'
import type { Attribute, Graph, Node } from './graph.ts'
import type { TensorType } from './tensor.ts'

const node = (
  op: string,
  inputs: readonly (number | null)[],
  output: number,
  attributes: Record<string, Attribute> = {},
): Node => ({
  op,
  domain: '',
  name: `the ${op}`,
  inputs,
  outputs: [output],
  attributes: new Map(Object.entries(attributes)),
})

const graphOf = (
  nodes: readonly Node[],
  { inputs = [0], outputs = [9], ...rest }: Partial<Graph> = {},
): Graph => ({
  opset: 21,
  values: Array.from({ length: 10 }, (_, i) => `v${i}`),
  nodes,
  inputs,
  outputs,
  constants: new Map(),
  ...rest,
})

const f32 = (...shape: number[]): TensorType => ({ element: 'f32', shape })
const SOFTWARE = { family: 'software', subgroup: null } as const

describe('binding a graph', () => {
  it('folds what follows from shapes, and keeps only what has to run', () => {
    const constants = new Map([[5, list(-1)]])
    const graph = graphOf(
      [
        node('Shape', [0], 1),
        node('Gather', [1, 4], 2),
        node('Unsqueeze', [2, 6], 3),
        node('Concat', [3, 5], 7, { axis: 0 }),
        node('Reshape', [0, 7], 9),
      ],
      { constants: new Map([...constants, [4, tensor('i64', [], [1])], [6, list(0)]]) },
    )
    const bound = bind(graph, [f32(2, 3, 4)])
    expect(bound.ok && bound.value.types.get(9)).toEqual(f32(3, 8))
    expect(bound.ok && bound.value.nodes.map(({ op }) => op.name)).toEqual(['Reshape'])
  })

  it('drops what nobody asks for', () => {
    const graph = graphOf([node('Exp', [0], 1), node('Neg', [0], 9)])
    const bound = bind(graph, [f32(4)])
    expect(bound.ok && bound.value.nodes.map(({ op }) => op.name)).toEqual(['Neg'])
  })

  it('names the operator that it does not know, and its node', () => {
    const bound = bind(graphOf([node('Fly', [0], 9)]), [f32(4)])
    expect(bound).toMatchObject({ ok: false, error: { code: 'unknown-op', node: 'the Fly Fly' } })
  })

  it('refuses an attribute that could change the meaning', () => {
    const bound = bind(graphOf([node('Neg', [0], 9, { mallory: 1 })]), [f32(4)])
    expect(bound).toMatchObject({ ok: false, error: { code: 'unknown-attribute' } })
  })

  it('says which values have to be known before the run', () => {
    const graph = graphOf([node('Cast', [1], 2, { to: 7 }), node('Reshape', [0, 2], 9)], {
      inputs: [0, 1],
    })
    expect([...shapeInputsOf(graph)]).toEqual([1])
    const types: TensorType[] = [f32(4), { element: 'i32', shape: [2] }]
    expect(bind(graph, types)).toMatchObject({ ok: false, error: { code: 'value-needed' } })
    const known = new Map([[1, tensor('i32', [2], [2, 2])]])
    expect(bind(graph, types, known).ok).toBe(true)
  })

  it.each([
    ['an input from nowhere', [node('Neg', [7], 9)]],
    ['an output that nobody makes', [node('Neg', [0], 8)]],
    ['too few inputs', [node('Add', [0], 9)]],
    ['shapes that do not fit', [node('MatMul', [0, 0], 9)]],
    ['a tensor of 10^18 elements', [node('ConstantOfShape', [5], 9)]],
    ['an attribute of another kind', [node('Softmax', [0], 9, { axis: 'x' })]],
    ['a node that reads what it makes', [node('Neg', [9], 9)]],
  ])('refuses %s', (_, nodes) => {
    const constants = new Map([[5, list(10 ** 9, 10 ** 9)]])
    expect(bind(graphOf(nodes, { constants }), [f32(2, 3)]).ok).toBe(false)
  })

  it.each([
    ['CumSum', [tensor('f32', [2 ** 16], new Float32Array(2 ** 16)), list(0)], {}],
    ['TopK', [tensor('f32', [2 ** 16], new Float32Array(2 ** 16)), list(2 ** 12)], {}],
    [
      'Einsum',
      Array.from({ length: 4 }, () => tensor('f32', [2 ** 12], new Float32Array(2 ** 12))),
      { equation: 'a,b,c,d->' },
    ],
  ])('does not work for hours on constants of mallory: %s', (op, given, attributes) => {
    const ids = given.map((_, i) => i)
    const constants = new Map(given.map((each, i) => [i, each]))
    const began = performance.now()
    const bound = bind(graphOf([node(op, ids, 9, attributes)], { inputs: [], constants }), [])
    expect(bound.ok).toBe(true)
    expect(performance.now() - began).toBeLessThan(2_000)
  })

  it('never sends a tensor without elements to a kernel', () => {
    const bound = bind(graphOf([node('Neg', [0], 1), node('Exp', [1], 9)]), [f32(0, 3)])
    expect(bound.ok && lower(bound.value, SOFTWARE).steps).toEqual([])
  })
})

describe('lowering a graph', () => {
  const stepsOf = (nodes: readonly Node[], ...types: TensorType[]): readonly string[] => {
    const inputs = types.map((_, i) => i)
    const bound = bind(graphOf(nodes, { inputs }), types)
    if (!bound.ok) throw new Error(bound.error.detail)
    return lower(bound.value, SOFTWARE).steps.map(({ template }) => template)
  }

  it('computes formulas with one reader together, and movement not at all', () => {
    const nodes = [
      node('Transpose', [0], 2, { perm: [1, 0] }),
      node('Exp', [2], 3),
      node('Mul', [3, 1], 4),
      node('Relu', [4], 9),
    ]
    expect(stepsOf(nodes, f32(3, 5), f32(5, 3))).toEqual(['pointwise'])
  })

  it('stores a product only after the formulas behind it', () => {
    const nodes = [node('Gemm', [0, 1, 2], 3), node('Gelu', [3], 9)]
    expect(stepsOf(nodes, f32(4, 8), f32(8, 16), f32(16))).toEqual(['matmul'])
  })

  it('computes a value with two readers once', () => {
    const nodes = [node('Exp', [0], 1), node('Neg', [1], 2), node('Mul', [1, 2], 9)]
    expect(stepsOf(nodes, f32(4))).toEqual(['pointwise', 'pointwise'])
  })

  it('lets temporaries share memory when they are not needed together', () => {
    const chain = Array.from({ length: 7 }, (_, i) => node('Softmax', [i], i + 1))
    const bound = bind(graphOf([...chain, node('Softmax', [7], 9)]), [f32(64, 64)])
    if (!bound.ok) throw new Error(bound.error.detail)
    const program = lower(bound.value, SOFTWARE)
    const temporaries = program.buffers.filter(({ role }) => role === 'temporary')
    expect(temporaries).toHaveLength(7)
    // Input, output, and two that take turns.
    expect(place(program).slots).toHaveLength(4)
  })
})
