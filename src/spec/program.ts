/**
 * What each program (`run:`) takes from its author: parameters in friendly units, inputs, outputs. A
 * size of 0 means "as large as the inputs are" and is filled in when those are known.
 */
import { elements, type DType } from '../../kernels/kernel.ts'
import { unreachable } from '../base/assert.ts'
import type { Program } from '../core/job.ts'
import {
  choice,
  listOf,
  mapping,
  optional,
  required,
  wholeNumber,
  words,
  type Fields,
  type Reader,
} from './field.ts'
import { TALK_PARAMS } from './talk-params.ts'
import { constant, coordinate, decimal, magnification, valueName } from './texts.ts'

/** The last one is no plan of tasks but a talk with a model: see talk.ts. */
export const RUNS = [
  ...(['mandelbrot', 'image', 'matmul', 'map', 'sum', 'graph', 'wgsl', 'generate'] as const),
]
export type Run = (typeof RUNS)[number]
/** What becomes a plan. */
export type PlannedRun = Program['kind']

/** `image`, `npy`, `onnx` (a model) and raw elements (`f32`, `i32`, `u32`, `i8`) come from files; `random` and `range` are made from a seed, or by counting. */
export const INPUT_KINDS = [
  ...(['image', 'f32', 'i32', 'u32', 'i8', 'npy', 'onnx', 'random', 'range'] as const),
]
export type InputKind = (typeof INPUT_KINDS)[number]

export type Format = 'png' | 'npy' | 'json' | 'text'

export type InputRule = {
  readonly dtype: DType
  /** The first is what a spec that does not name the input gets. */
  readonly kinds: readonly InputKind[]
  /** 0 where the parameters leave it to the input; empty where it may be any. */
  readonly shape: readonly number[]
  /** The spec's own, not its program's. */
  readonly own?: true
  /** Its shape is said by a file that is not there yet. */
  readonly later?: true
}

/** The first format is the default. */
export type OutputRule = { readonly formats: readonly Format[] }

/** Of numbers that mean what their author knows. */
export const OWN_FORMATS: readonly Format[] = ['npy', 'json', 'text']

const LENGTH_MAX = 2 ** 28
const DIMENSION_MAX = 65_536

/** The parameters that say how large inputs are. */
export const SIZE_LIMITS: Readonly<Record<string, number>> = {
  m: DIMENSION_MAX,
  k: DIMENSION_MAX,
  n: DIMENSION_MAX,
  length: LENGTH_MAX,
  items: LENGTH_MAX,
}
/** WGSL and map programs travel with every task, in a message head of 64 KiB. */
const SOURCE_MAX = 32 * 1024
const MAP_PROGRAM_MAX = 4_096
/** A model that somebody writes by hand; those of files come in with their file. */
const GRAPH_MAX = 256 * 1024
/** As many as a person can say; the tasks of a job are bounded by the plan. */
const PARTS_MAX = 4_096
/** The admission's own limits; one of its fourteen constants is `first`. */
const LOOP_TURNS_MAX = 2 ** 22
const CONSTANTS_MAX = 13

const mandelbrot = {
  width: optional(wholeNumber(1, 16_384), 1024),
  height: optional(wholeNumber(1, 16_384), 768),
  centerX: optional(coordinate, '-0.5'),
  centerY: optional(coordinate, '0'),
  zoom: optional(magnification, '1'),
  iterations: optional(wholeNumber(1, 65_535), 500),
  palette: optional(choice('sheet', 'fire', 'ice', 'grey'), 'sheet'),
}

const image = {
  filter: optional(choice('gaussian-blur', 'sobel', 'unsharp'), 'gaussian-blur'),
  radius: optional(wholeNumber(1, 16), 4),
  sigma: optional(decimal(3, 100, 32_000, 'pixels from 0.1 to 32, such as 2.5'), 2_000),
  amount: optional(decimal(3, 0, 10_000, 'a decimal from 0 to 10, such as 0.8'), 1_000),
}

const size = optional(wholeNumber(1, DIMENSION_MAX), 0)
const matmul = { m: size, k: size, n: size, dtype: optional(choice('f32', 'i8'), 'f32') }
const length = optional(wholeNumber(1, LENGTH_MAX), 0)
const map = {
  length,
  program: required(words(MAP_PROGRAM_MAX), 'this field, or a fence ```map #main'),
}
const sum = { length }

const graph = {
  parts: optional(wholeNumber(0, PARTS_MAX), 0),
  cut: optional(listOf(0, PARTS_MAX, valueName), []),
  graph: optional(words(GRAPH_MAX), ''),
}

const wgsl = {
  items: optional(wholeNumber(1, LENGTH_MAX), 0),
  itemLength: optional(wholeNumber(1, 65_536), 1),
  iterations: optional(wholeNumber(0, LOOP_TURNS_MAX), 1_000),
  output: optional(choice('f32', 'i32', 'u32'), 'f32'),
  constants: optional(listOf(0, CONSTANTS_MAX, constant), []),
  source: required(words(SOURCE_MAX), 'this field, or a fence ```wgsl #main'),
}

const PARAMS: Readonly<Record<Run, Fields>> = {
  ...{ mandelbrot, image, matmul, map, sum, graph, wgsl },
  generate: TALK_PARAMS,
}

/** Where the text of a `#main` fence goes, and what language it is in. */
export const MAIN_FENCE: Partial<
  Record<Run, { readonly language: string; readonly param: string }>
> = {
  map: { language: 'map', param: 'program' },
  graph: { language: 'graph', param: 'graph' },
  wgsl: { language: 'wgsl', param: 'source' },
}

export const paramNames = (run: Run): readonly string[] => Object.keys(PARAMS[run])

/** Reads `params` into the program they describe. */
export const programReader = (run: PlannedRun): Reader<Program> => {
  switch (run) {
    case 'mandelbrot':
      return reading(mapping(mandelbrot), (p) => ({ kind: run, ...p }))
    case 'image':
      return reading(mapping(image), ({ filter, radius, sigma, amount }) =>
        // Sobel looks one pixel far and knows neither a width nor a strength: one meaning, one contract.
        filter === 'sobel'
          ? { kind: run, filter, radius: 1, sigmaMilli: 0, amountMilli: 0 }
          : {
              kind: run,
              filter,
              radius,
              sigmaMilli: sigma,
              amountMilli: filter === 'unsharp' ? amount : 0,
            },
      )
    case 'matmul':
      return reading(mapping(matmul), (p) => ({ kind: run, ...p }))
    case 'map':
      return reading(mapping(map), (p) => ({ kind: run, ...p, program: p.program.trimEnd() }))
    case 'sum':
      return reading(mapping(sum), (p) => ({ kind: run, ...p }))
    case 'graph':
      return reading(mapping(graph), (p) => ({ kind: run, ...p, graph: p.graph.trimEnd() }))
    case 'wgsl':
      return reading(mapping(wgsl), (p) => ({ kind: run, ...p }))
    default:
      return unreachable(run)
  }
}

const reading =
  <P>(read: Reader<P>, make: (params: P) => Program): Reader<Program> =>
  (tree, field, report) => {
    const params = read(tree, field, report)
    return params === undefined ? undefined : make(params)
  }

/** The inputs a program reads, in the order of its kernel. `second`: whether a map mentions `y`. */
export const inputRules = (
  program: Program,
  second: boolean,
): Readonly<Record<string, InputRule>> => {
  switch (program.kind) {
    case 'image':
      return { image: { dtype: 'u8', kinds: ['image'], shape: [0, 0, 4] } }
    case 'matmul': {
      const { dtype, m, k, n } = program
      const kinds = ['random', 'npy', dtype] as const
      return { a: { dtype, kinds, shape: [m, k] }, b: { dtype, kinds, shape: [k, n] } }
    }
    case 'map': {
      const rule: InputRule = {
        dtype: 'f32',
        kinds: ['range', 'random', 'npy', 'f32'],
        shape: [program.length],
      }
      return second
        ? { x: rule, y: { ...rule, kinds: ['random', 'range', 'npy', 'f32'] } }
        : { x: rule }
    }
    case 'sum':
      return {
        x: { dtype: 'f32', kinds: ['random', 'range', 'npy', 'f32'], shape: [program.length] },
      }
    case 'mandelbrot':
    case 'graph':
    case 'wgsl':
      return {}
    default:
      return unreachable(program)
  }
}

/** What a person gets, by the names of the plan's outputs. */
export const outputRules = (run: Run): Readonly<Record<string, OutputRule>> => {
  switch (run) {
    case 'mandelbrot':
      return { image: { formats: ['png', 'npy'] } }
    case 'image':
      return { filtered: { formats: ['png', 'npy'] } }
    case 'matmul':
      return { c: { formats: ['npy', 'json', 'text'] } }
    case 'map':
    case 'wgsl':
      return { result: { formats: OWN_FORMATS } }
    case 'sum':
      return { total: { formats: ['text', 'json', 'npy'] } }
    // Named by the graph itself: see graph-ends.ts. A talk gives text.
    case 'graph':
    case 'generate':
      return {}
    default:
      return unreachable(run)
  }
}

/** Fills in the sizes that the parameters left to the inputs. */
export const withShapes = (
  program: Program,
  shapes: Readonly<Record<string, readonly number[]>>,
): Program => {
  switch (program.kind) {
    case 'matmul':
      return {
        ...program,
        m: program.m || (shapes['a']?.[0] ?? 0),
        k: program.k || (shapes['a']?.[1] ?? 0) || (shapes['b']?.[0] ?? 0),
        n: program.n || (shapes['b']?.[1] ?? 0),
      }
    case 'map':
    case 'sum':
      return { ...program, length: program.length || (shapes['x']?.[0] ?? 0) }
    case 'wgsl':
      return { ...program, items: program.items || itemsOf(Object.values(shapes)[0] ?? []) }
    case 'mandelbrot':
    case 'image':
    case 'graph':
      return program
    default:
      return unreachable(program)
  }
}

/** The parameters that the sides of an input are; none where its shape is its own. */
export const sizeNames = (
  program: Program,
  input: string,
  shape: readonly number[],
): readonly string[] => {
  switch (program.kind) {
    case 'matmul':
      return input === 'a' ? ['m', 'k'] : ['k', 'n']
    case 'map':
    case 'sum':
      return ['length']
    case 'wgsl':
      return shape.length === 1 && shape[0] === program.items ? ['items'] : []
    case 'mandelbrot':
    case 'image':
    case 'graph':
      return []
    default:
      return unreachable(program)
  }
}

/** Elements of a line, rows of a table, pixels of a picture. */
const itemsOf = (shape: readonly number[]): number =>
  shape.length === 0 ? 0 : elements(shape.length === 1 ? shape : shape.slice(0, -1))
