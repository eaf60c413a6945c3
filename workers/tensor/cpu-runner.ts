/**
 * The engine of nodes without a usable GPU: WebAssembly for what it knows, and the operators' own references
 * for the rest, which are slow and always there. Graphs run piece by piece, with rests in between.
 */
import { costOf } from '../../kernels/tensor/bound.ts'
import { nodeLabel } from '../../kernels/tensor/graph.ts'
import { computeNodes } from '../../kernels/tensor/reference.ts'
import { sizeOf } from '../../kernels/tensor/tensor.ts'
import { err, ok } from '../../src/base/result.ts'
import { valueName, writeModel } from '../../src/models/onnx/write-model.ts'
import { computeError } from '../errors.ts'
import { breathe, Pace } from '../pace.ts'
import { cpuPieces, endsOf } from './cpu-pieces.ts'
import { runOnTables, tableNodes } from './cpu-tables.ts'
import { WasmRunner } from './wasm-runner.ts'
import type { Bound, BoundNode, StateIds } from '../../kernels/tensor/bound.ts'
import type { Graph, ValueId } from '../../kernels/tensor/graph.ts'
import type { Tensor, TensorType } from '../../kernels/tensor/tensor.ts'
import type { Result } from '../../src/base/result.ts'
import type { ComputeError } from '../errors.ts'
import type { Control } from '../runnable.ts'
import type { CpuPiece } from './cpu-pieces.ts'
import type { GraphRun, Prepared } from './prepared.ts'
import type { Tables } from './tables.ts'
import type { PreparedModel, WasmModel } from './wasm-runner.ts'

/** How long messages wait at most between two pieces. */
const BREATH_MS = 10
/** Aimed at by pieces of graphs that are prepared once something has run. */
const PIECE_MS = 40
/** Operations of the first pieces, and the fewest of any: one thread of a slow phone takes 50 ms. */
const PIECE_FLOP = { wasm: 1e8, reference: 2e6 } as const

/**
 * Operations of one node by a reference, which nobody can stop: up to 200 ns each on a core of a server, and
 * a worker that is silent for 15 s is ended.
 */
const REFERENCE_MAX = 2 ** 25
/** Products of matrices and sums take some nanoseconds. */
const REFERENCE_FAST_MAX = 2 ** 30
const FAST: ReadonlySet<string> = new Set([
  ...['MatMul', 'Gemm', 'ReduceL1', 'ReduceL2', 'ReduceLogSum', 'ReduceLogSumExp', 'ReduceMean'],
  ...['ReduceSum', 'ReduceSumSquare'],
])

export type CpuOptions = {
  /** What a graph may take. */
  readonly memoryBytes: number
  /** Above 1 only in a page that is isolated from others. */
  readonly threads: number
  /** Never WebAssembly. */
  readonly referenceOnly?: boolean
}

export class CpuRunner {
  readonly #memoryBytes: number
  /** null where there is no WebAssembly. */
  readonly #wasm: WasmRunner | null
  /** As fast as it was seen to be. */
  #flopPerMs = 0

  private constructor(memoryBytes: number, wasm: WasmRunner | null) {
    this.#memoryBytes = memoryBytes
    this.#wasm = wasm
  }

  /** Loads WebAssembly; where that fails the references are there. */
  static async open(options: CpuOptions): Promise<CpuRunner> {
    const { memoryBytes, threads, referenceOnly = false } = options
    const opened = referenceOnly ? null : await WasmRunner.open(threads, smallest())
    return new CpuRunner(memoryBytes, opened?.ok === true ? opened.value : null)
  }

  get kind(): 'wasm' | 'reference' {
    return this.#wasm === null ? 'reference' : 'wasm'
  }

  /** @error out-of-budget, before anything is taken; needs-webgpu where a node would take too long here */
  async prepare(
    bound: Bound,
    states: readonly StateIds[] = [],
  ): Promise<Result<Prepared, ComputeError>> {
    const own = tableNodes(bound, states)
    const most = Math.max(PIECE_FLOP[this.kind], this.#flopPerMs * PIECE_MS)
    const pieces = cpuPieces(bound, most, own)
    const bytes = peakBytes(bound, pieces)
    if (bytes > this.#memoryBytes)
      return err(computeError('out-of-budget', `${bytes} bytes, ${this.#memoryBytes} are lent`))
    const ready: Ready[] = []
    for (const piece of pieces) {
      const isOwn = piece.nodes.length === 1 && own.has(piece.nodes[0]!)
      const made = isOwn ? [{ piece, model: null, isOwn }] : await this.#ready(bound, piece)
      ready.push(...made)
    }
    const slow = ready.map(({ piece, model, isOwn }) =>
      model === null && isOwn !== true ? endlessIn(piece) : null,
    )
    const endless = slow.find((found) => found !== null)
    if (endless !== undefined) {
      for (const { model } of ready) void model?.close()
      return err(tooSlow(endless!))
    }
    const ran = (flopPerMs: number): void => {
      this.#flopPerMs = Math.max(this.#flopPerMs, flopPerMs)
    }
    return ok(new PreparedOnCpu({ bound, states }, ready, { kind: this.kind, bytes, ran }))
  }

  /** A piece that WebAssembly does not take is tried node by node: only what it does not know is slow. */
  async #ready(bound: Bound, piece: CpuPiece): Promise<readonly Ready[]> {
    const model = await this.#model(bound, piece)
    if (model !== null || this.#wasm === null || piece.nodes.length === 1) return [{ piece, model }]
    const alone: Ready[] = []
    for (const one of piece.alone())
      alone.push({ piece: one, model: await this.#model(bound, one) })
    return alone
  }

  async #model({ types }: Bound, { graph, onWasm }: CpuPiece): Promise<PreparedModel | null> {
    const model = onWasm ? modelOf(graph, types) : null
    const made = model === null ? null : await this.#wasm?.prepare(model)
    return made?.ok === true ? made.value : null
  }
}

/** null where a type cannot be written in a file. */
const modelOf = (graph: Graph, types: ReadonlyMap<ValueId, TensorType>): WasmModel | null => {
  // It takes no model in which two nodes have one name, and needs none.
  const nodes = graph.nodes.map((node) => ({ ...node, name: '' }))
  const written = writeModel({ ...graph, nodes }, types)
  if (!written.ok) return null
  return {
    bytes: written.value,
    inputs: graph.inputs.map(valueName),
    outputs: graph.outputs.map((id) => ({ name: valueName(id), type: types.get(id)! })),
  }
}

/** Copies one number. */
const smallest = (): WasmModel => {
  const node = { op: 'Identity', domain: '', name: '', inputs: [0], outputs: [1] }
  const graph: Graph = {
    opset: 21,
    values: ['x', 'y'],
    nodes: [{ ...node, attributes: new Map() }],
    inputs: [0],
    outputs: [1],
    constants: new Map(),
  }
  const type: TensorType = { element: 'f32', shape: [1] }
  return modelOf(graph, new Map([0, 1].map((id) => [id, type])))!
}

type Ready = {
  readonly piece: CpuPiece
  readonly model: PreparedModel | null
  /** One node that works on tables. */
  readonly isOwn?: boolean
}
type WithStates = { readonly bound: Bound; readonly states: readonly StateIds[] }
type About = Pick<PreparedOnCpu, 'kind' | 'bytes'> & { ran(flopPerMs: number): void }

class PreparedOnCpu implements Prepared {
  readonly kind: 'wasm' | 'reference'
  readonly bytes: number
  readonly #bound: Bound
  readonly #states: readonly StateIds[]
  readonly #ready: readonly Ready[]
  readonly #ends: readonly (readonly ValueId[])[]

  readonly #ran: About['ran']

  constructor({ bound, states }: WithStates, ready: readonly Ready[], { kind, bytes, ran }: About) {
    this.#states = states
    this.#ran = ran
    this.kind = kind
    this.bytes = bytes
    this.#bound = bound
    this.#ready = ready
    this.#ends = endsOf(
      ready.map(({ piece }) => piece),
      bound.graph.outputs,
    )
  }

  async run(
    inputs: readonly Tensor[],
    control: Control,
    tables: readonly Tables[] = [],
  ): Promise<Result<GraphRun, ComputeError>> {
    const { graph, known } = this.#bound
    const states: Tensor[] = []
    for (const one of tables) {
      const here = await one.onCpu()
      if (!here.ok) return here
      states.push(...here.value)
    }
    const [begins, ends] = (['input', 'output'] as const).map(
      (side) => new Set(this.#states.map((ids) => ids[side])),
    ) as [Set<ValueId>, Set<ValueId>]
    const given = graph.inputs.filter((id) => !begins.has(id))
    const values = new Map<ValueId, Tensor>([
      ...known,
      ...given.map((id, i) => [id, inputs[i]!] as const),
      ...this.#states.map(({ input }, i) => [input, states[i]!] as const),
    ])
    const pace = new Pace()
    const all = this.#ready.reduce((sum, { piece }) => sum + piece.flop, 0)
    let done = 0
    let breathed = performance.now()
    for (const [i, ready] of this.#ready.entries()) {
      if (control.cancelled()) return err(computeError('cancelled', 'graph'))
      const began = performance.now()
      if (ready.isOwn === true) runOnTables(ready.piece.nodes[0]!, values)
      else if (!(await onWasm(ready, values))) {
        const endless = endlessIn(ready.piece)
        if (endless !== null) return err(tooSlow(endless))
        onReference(ready.piece, values)
      }
      for (const id of this.#ends[i]!) values.delete(id)
      done += ready.piece.flop
      control.progress(Math.floor((1000 * done) / Math.max(1, all)))
      await pace.rest(performance.now() - began, control.share())
      if (performance.now() - breathed < BREATH_MS || i === this.#ready.length - 1) continue
      await breathe()
      breathed = performance.now()
    }
    const outputs = graph.outputs.filter((id) => !ends.has(id)).map((id) => values.get(id)!)
    if (pace.busyMs > 1) this.#ran(all / pace.busyMs)
    const slices = this.#ready.length
    return ok({ outputs, computeMs: pace.busyMs, share: pace.share, slices })
  }

  close(): void {
    for (const { model } of this.#ready) void model?.close()
  }
}

/** A node that a reference would be at for longer than anybody waits. */
const endlessIn = ({ nodes }: CpuPiece): BoundNode | null =>
  nodes.find((made) => {
    const most = FAST.has(made.op.name) ? REFERENCE_FAST_MAX : REFERENCE_MAX
    return costOf(made) > most
  }) ?? null

const tooSlow = ({ node }: BoundNode): ComputeError =>
  computeError('needs-webgpu', `${nodeLabel(node)} would take too long without it`)

/** Whether it did; a combination that WebAssembly does not know may show only at a run. */
const onWasm = async ({ model, piece }: Ready, values: Map<ValueId, Tensor>): Promise<boolean> => {
  if (model === null) return false
  const { graph } = piece
  const ran = await model.run(graph.inputs.map((id) => values.get(id)!))
  if (!ran.ok) return false
  for (const [i, id] of graph.outputs.entries()) values.set(id, ran.value[i]!)
  return true
}

const onReference = ({ nodes, graph }: CpuPiece, values: Map<ValueId, Tensor>): void => {
  const inside = new Map(values)
  computeNodes(nodes, inside)
  for (const id of graph.outputs) values.set(id, inside.get(id)!)
}

/** Numbers lie here and in the memory of WebAssembly, 8 bytes each where they are wide. */
const bytesOf = (type: TensorType): number => 2 * sizeOf(type) * (WIDE.has(type.element) ? 8 : 4)
const WIDE: ReadonlySet<string> = new Set(['f64', 'i64', 'u64'])

/** The most that is there at once: constants, inputs, and what is made and still read. */
const peakBytes = ({ graph, types, known }: Bound, pieces: readonly CpuPiece[]): number => {
  const size = (ids: Iterable<ValueId>): number =>
    [...ids].reduce((sum, id) => sum + bytesOf(types.get(id)!), 0)
  const ends = endsOf(pieces, graph.outputs)
  let now = size(new Set([...known.keys(), ...graph.inputs]))
  let most = now
  for (const [i, { nodes, graph: part }] of pieces.entries()) {
    const made = nodes.flatMap(({ node }) => node.outputs.filter((id) => id !== null))
    most = Math.max(most, now + size(made))
    now += size(part.outputs) - size(ends[i]!)
  }
  return most
}
