/**
 * A spec whose program is a model, step by step until it can be compiled: the model's file becomes the graph of the
 * program and lines of weights; inputs that shapes follow from become constants of the graph.
 */
import type { Tensor } from '../../kernels/kernel.ts'
import { shapeInputsOf } from '../../kernels/tensor/bind.ts'
import { writeGraphText } from '../../kernels/tensor/graph-text.ts'
import { dtypeOf } from '../../kernels/tensor/packing.ts'
import { readGraphText } from '../../kernels/tensor/read-graph-text.ts'
import { narrow } from '../../kernels/tensor/tensor.ts'
import { err, ok, type Result } from '../base/result.ts'
import type { Program } from '../core/job.ts'
import { importModel, type ImportedModel } from '../models/onnx/import-model.ts'
import { MODEL } from './graph-ends.ts'
import { isShape } from './inputs.ts'
import { shapeText, type SpecInput } from './sections.ts'
import { newReport, oneOf, quoted, specError, type Place, type Report } from './spec-error.ts'
import { lineOf, type Spec } from './spec.ts'
import type { SpecError } from './spec-error.ts'

type GraphProgram = Extract<Program, { kind: 'graph' }>
type Tensors = Readonly<Record<string, Tensor>>

/** A shape that follows from more numbers than this is none. */
const KNOWN_MAX = 4_096

/** Whether its inputs and outputs are not known before the model's file is. */
export const needsModel = (spec: Spec): boolean => spec.inputs[MODEL]?.kind === 'onnx'

export type Modelled = {
  readonly spec: Spec
  /** The model's weights, which are inputs of the job. */
  readonly lines: Tensors
}

/** The spec with the model of a file in it. */
export const withModel = (spec: Spec, file: Uint8Array): Result<Modelled, SpecError[]> => {
  const report = newReport()
  const at = (field: string): Place => ({ file: spec.file, line: lineOf(spec, field) })
  const program = spec.program as GraphProgram
  const imported = importModel(file)
  if (!imported.ok) {
    const { code, detail, node } = imported.error
    const found = [code, node, detail].filter((word) => word !== undefined).join(', ')
    const expected = 'an ONNX model whose operators are known here'
    return err([specError('bad-input', at(`inputs.${MODEL}`), `inputs.${MODEL}`, expected, found)])
  }
  const model = imported.value
  const inputs = modelInputs(spec, model, at, report)
  const cut = program.cut.map((name) => model.nameOf(name) ?? name)
  for (const name of Object.keys(spec.outputs)) {
    const field = `outputs.${name}`
    if (!model.outputs.includes(name))
      report.add('unknown-key', at(field), field, oneOf(model.outputs, name), quoted(name))
  }
  if (report.errors.length > 0) return err(report.errors)
  const lines = Object.entries(model.lines).map(([name, data]): [string, Tensor] => {
    const dtype = data instanceof Float32Array ? 'f32' : 'i32'
    return [name, { dtype, shape: [data.length], data }]
  })
  for (const [name, { dtype, shape }] of lines)
    inputs[name] = { kind: dtype === 'f32' ? 'f32' : 'i32', dtype, shape, seed: 0 }
  const whole: Spec = { ...spec, program: { ...program, graph: model.text, cut }, inputs }
  return ok({ spec: whole, lines: Object.fromEntries(lines) })
}

/** As the spec names them, else from a file; what the model says of them has to fit. */
const modelInputs = (
  spec: Spec,
  model: ImportedModel,
  at: (field: string) => Place,
  report: Report,
): Record<string, SpecInput> => {
  const known = model.inputs.map(({ name }) => name)
  for (const name of Object.keys(spec.inputs)) {
    const field = `inputs.${name}`
    if (name !== MODEL && !known.includes(name))
      report.add('unknown-key', at(field), field, oneOf(known, name), quoted(name))
  }
  const inputs: Record<string, SpecInput> = {}
  for (const { name, element, dimensions } of model.inputs) {
    const dtype = dtypeOf({ element, shape: [] })
    const shape = dimensions.map((size) => (typeof size === 'number' ? size : 0))
    const given = Object.hasOwn(spec.inputs, name) ? spec.inputs[name]! : null
    const field = `inputs.${name}`
    if (
      given !== null &&
      (given.dtype !== dtype || !isShape(given.shape, given.shape.length === 0 ? [] : shape))
    ) {
      const found = `${given.dtype}${shapeText(given.shape)}`
      report.add('bad-input', at(field), field, `${dtype}${shapeText(shape)}`, found)
    }
    const own = given !== null && given.shape.length > 0 ? given.shape : shape
    const isMade = given?.kind === 'random' || given?.kind === 'range'
    if (isMade && own.includes(0))
      report.add('missing', at(field), `${field}.shape`, 'a shape here', shapeText(own))
    inputs[name] = { kind: given?.kind ?? 'npy', dtype, shape: own, seed: given?.seed ?? 0 }
  }
  return inputs
}

export type KnownShapes = { readonly spec: Spec; readonly tensors: Tensors }

/** The spec with inputs that shapes follow from as constants of its graph: they have to be known to plan. */
export const withKnownShapes = (spec: Spec, tensors: Tensors): KnownShapes => {
  const { program } = spec
  const read = program.kind === 'graph' ? readGraphText(program.graph) : null
  if (program.kind !== 'graph' || read?.ok !== true) return { spec, tensors }
  const { graph, inputs } = read.value
  const decisive = shapeInputsOf(graph)
  const known = graph.inputs.filter((id, i) => {
    const given = tensors[inputs[i]!.name]
    return decisive.has(id) && given !== undefined && given.data.length <= KNOWN_MAX
  })
  if (known.length === 0) return { spec, tensors }
  const constants = known.map((id) => {
    const { name, element } = inputs[graph.inputs.indexOf(id)]!
    const { data, shape } = tensors[name]!
    return [
      id,
      { element, shape, data: Float64Array.from(data, (x) => narrow(element, x)) },
    ] as const
  })
  const isOpen = (_: unknown, i: number): boolean => !known.includes(graph.inputs[i]!)
  const left = {
    ...graph,
    inputs: graph.inputs.filter(isOpen),
    constants: new Map([...graph.constants, ...constants]),
  }
  const text = writeGraphText(left, graph.values, inputs.filter(isOpen))
  const gone = new Set(known.map((id) => graph.values[id]!))
  const without = <T>(all: Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(Object.entries(all).filter(([name]) => !gone.has(name)))
  return {
    spec: { ...spec, program: { ...program, graph: text }, inputs: without(spec.inputs) },
    tensors: without(tensors),
  }
}
