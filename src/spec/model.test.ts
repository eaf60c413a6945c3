import { describe, expect, it } from 'vitest'
import { writeModel } from '../models/onnx/write-model.ts'
import { floats } from '../../kernels/noise.ts'
import { readGraphText } from '../../kernels/tensor/read-graph-text.ts'
import { evaluate } from '../core/evaluate.ts'
import { cidOf } from '../wire/codec.ts'
import { compile, planOf, type GivenInput } from './compile.ts'
import { makeInput, wantedInputs } from './inputs.ts'
import { needsModel, withKnownShapes, withModel, type Modelled } from './model.ts'
import { formatSpecErrors } from './spec-error.ts'
import { parseSpec, type Spec } from './spec.ts'
import type { Tensor } from '../../kernels/kernel.ts'
import type { Graph } from '../../kernels/tensor/graph.ts'
import type { Tensor as Value, TensorType } from '../../kernels/tensor/tensor.ts'

const weights = (rows: number, columns: number, seed: number): Value => ({
  element: 'f32',
  shape: [rows, columns],
  data: floats(rows * columns, seed),
})
const node = (op: string, inputs: number[], output: number) => {
  return { op, domain: '', name: `the ${op}`, inputs, outputs: [output], attributes: new Map() }
}
/** v5 = Reshape(Relu(v0 v1) v2, v3); v0 has two rows, and v3 says how the result lies. */
const net: Graph = {
  opset: 21,
  values: ['x', 'w1', 'w2', 'shape', 'h', 'y', 'r', 'z'],
  nodes: [
    node('MatMul', [0, 1], 4),
    node('Relu', [4], 6),
    node('MatMul', [6, 2], 7),
    node('Reshape', [7, 3], 5),
  ],
  inputs: [0, 3],
  outputs: [5],
  constants: new Map([
    [1, weights(8, 16, 1)],
    [2, weights(16, 4, 2)],
  ]),
}
const types = new Map<number, TensorType>([
  [0, { element: 'f32', shape: [2, 8] }],
  [3, { element: 'i64', shape: [1] }],
])

const fileOf = (graph: Graph): Uint8Array => {
  const written = writeModel(graph, types)
  if (!written.ok) throw new Error(written.error.detail)
  return written.value
}

const specOf = (rest = ''): Spec => {
  const spec = parseSpec(`---\nswarm: 1\nname: net\nrun: graph\n${rest}---\n`, 'net.swarm.md')
  if (!spec.ok) throw new Error(formatSpecErrors(spec.error))
  return spec.value
}
const INPUTS =
  'inputs: { model: { kind: onnx }, v0: { kind: random, seed: 3 }, v3: { kind: npy, dtype: i32 } }\n'

const modelled = (spec: Spec, graph = net): Modelled => {
  const made = withModel(spec, fileOf(graph))
  if (!made.ok) throw new Error(formatSpecErrors(made.error))
  return made.value
}
const errorsOf = (spec: Spec, file: Uint8Array): string => {
  const made = withModel(spec, file)
  return made.ok ? '' : formatSpecErrors(made.error)
}

describe('a spec that runs a model', () => {
  it('waits for its file, and then wants what the model reads', () => {
    const spec = specOf()
    expect(needsModel(spec)).toBe(true)
    expect(wantedInputs(spec).map(({ name, kind }) => [name, kind])).toEqual([['model', 'onnx']])
    const { spec: whole, lines } = modelled(spec)
    expect(needsModel(whole)).toBe(false)
    expect(wantedInputs(whole).map(({ name, dtype, shape }) => [name, dtype, shape])).toEqual([
      ['v0', 'f32', [2, 8]],
      ['v3', 'i32', [1]],
      ['weights', 'f32', [8 * 16 + 16 * 4]],
    ])
    expect(lines['weights']!.data).toEqual(Float32Array.from([...floats(128, 1), ...floats(64, 2)]))
  })

  it('becomes a job of parts, with numbers that shapes follow from in its graph', () => {
    const { spec, lines } = modelled(specOf(`params: { parts: 2 }\n${INPUTS}`))
    const wanted = wantedInputs(spec).find(({ name }) => name === 'v0')!
    const shape: Tensor = { dtype: 'i32', shape: [1], data: Int32Array.of(-1) }
    const known = withKnownShapes(spec, { ...lines, v0: makeInput(wanted)!, v3: shape })
    expect(Object.keys(known.tensors).toSorted()).toEqual(['v0', 'weights'])
    const given = Object.entries(known.tensors).map(([name, tensor]): [string, GivenInput] => {
      return [name, { cid: cidOf(name), dtype: tensor.dtype, shape: tensor.shape }]
    })
    const job = compile(known.spec, Object.fromEntries(given))
    if (!job.ok) throw new Error(formatSpecErrors(job.error))
    const planned = planOf(known.spec, job.value)
    if (!planned.ok) throw new Error(formatSpecErrors(planned.error))
    expect(planned.value.tasks).toHaveLength(2)
    expect(planned.value.outputs).toEqual(['v5'])
    expect(planned.value.tensors['v5']).toEqual({ dtype: 'f32', shape: [8] })
    expect(planned.value.totals.flop).toBe(2 * 2 * 8 * 16 + 2 * 16 + 2 * 2 * 16 * 4)
    const data = Object.entries(known.tensors).map(([name, tensor]) => [name, tensor.data] as const)
    const { v5 } = evaluate(planned.value, Object.fromEntries(data))
    expect(v5).toHaveLength(8)
    expect(v5!.some((x) => x !== 0)).toBe(true)
  })

  it('may have its weights in nodes that are nothing but constants', () => {
    const inner = net.constants.get(1)!
    const constant = {
      ...node('Constant', [], 1),
      attributes: new Map([['value', { tensor: inner }]]),
    }
    const constants = new Map([...net.constants].filter(([id]) => id !== 1))
    const other = { ...net, nodes: [constant, ...net.nodes], constants }
    const { spec, lines } = modelled(specOf(), other)
    expect(lines['weights']!.data).toHaveLength(8 * 16 + 16 * 4)
    expect(spec.program.kind === 'graph' && spec.program.graph).not.toContain('Constant')
  })

  it('is cut behind the values that its author names', () => {
    const { spec } = modelled(specOf('params: { cut: [v4, v7] }\n'))
    expect(spec.program).toMatchObject({ kind: 'graph', cut: ['v4', 'v7'] })
    const read = spec.program.kind === 'graph' && readGraphText(spec.program.graph)
    expect(read && read.ok && read.value.graph.values).toContain('v7')
  })

  it('is told which operators are not covered, and of which nodes', () => {
    const bytes = fileOf(net)
    // Field 4 of a node, of seven letters: its operator.
    const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')
    bytes[text.indexOf('"\u0007Reshape') + 2] = 'B'.charCodeAt(0)
    expect(errorsOf(specOf(INPUTS), bytes)).toContain(
      'net.swarm.md:5: inputs.model: expected an ONNX model whose operators are known here, found unknown-op, not covered: the Reshape Beshape',
    )
    expect(errorsOf(specOf(INPUTS), Uint8Array.of(1, 2, 3))).toContain('inputs.model')
  })

  it('is told which of its inputs and outputs the model does not have, or has otherwise', () => {
    const stray = specOf('inputs: { model: { kind: onnx }, v9: { kind: npy } }\n')
    expect(errorsOf(stray, fileOf(net))).toContain('inputs.v9: expected one of v0, v3')
    const other = specOf('inputs: { model: { kind: onnx }, v0: { kind: npy, dtype: i32 } }\n')
    expect(errorsOf(other, fileOf(net))).toContain('inputs.v0: expected f32[2, 8], found i32[any]')
    const large = specOf('inputs: { model: { kind: onnx }, v0: { kind: npy, shape: [3, 8] } }\n')
    expect(errorsOf(large, fileOf(net))).toContain('inputs.v0: expected f32[2, 8], found f32[3, 8]')
    const output = specOf('outputs: { v6: { format: json } }\n')
    expect(errorsOf(output, fileOf(net))).toContain('outputs.v6: expected v5')
  })
})

describe('a spec with a graph of its own', () => {
  const fence = (...lines: string[]): string => `\n\`\`\`graph #main\n${lines.join('\n')}\n\`\`\`\n`
  const parse = (front: string, body: string) =>
    parseSpec(`---\nswarm: 1\nname: own\nrun: graph\n${front}---\n${body}`, 'own.swarm.md')

  it('says in which line of the fence something is wrong', () => {
    const parsed = parse('', fence('input x f32', 'y = Relu(z)', 'output y'))
    expect(!parsed.ok && formatSpecErrors(parsed.error)).toContain(
      'own.swarm.md:9: graph, line 2 column 1: expected the name of a value that was made before, found y = Relu(z)',
    )
  })

  it('has the inputs and outputs that its graph names, and no others', () => {
    const body = fence('input x f32[2,3]', 'input w f32[3] weights@4', 'y = Mul(x, w)', 'output y')
    const parsed = parse('inputs: { x: { kind: random } }\n', body)
    if (!parsed.ok) throw new Error(formatSpecErrors(parsed.error))
    expect(parsed.value.inputs).toMatchObject({
      x: { kind: 'random', dtype: 'f32', shape: [2, 3] },
      weights: { kind: 'npy', dtype: 'f32', shape: [7] },
    })
    expect(parsed.value.outputs).toEqual({ y: { format: 'npy' } })
    const stray = parse('inputs: { z: { kind: random } }\n', body)
    expect(!stray.ok && formatSpecErrors(stray.error)).toContain(
      'inputs.z: expected one of x, weights',
    )
    const other = parse('outputs: { z: { format: npy } }\n', body)
    expect(!other.ok && formatSpecErrors(other.error)).toContain('outputs.z: expected y')
  })

  it('cannot make numbers of which nobody says how many', () => {
    const parsed = parse(
      'inputs: { x: { kind: random } }\n',
      fence('input x f32', 'y = Relu(x)', 'output y'),
    )
    expect(!parsed.ok && formatSpecErrors(parsed.error)).toContain(
      'inputs.x.shape: expected a shape here, or in the graph, found neither',
    )
  })
})
