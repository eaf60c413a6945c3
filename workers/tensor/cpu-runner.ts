/**
 * The engine of nodes without a usable GPU: WebAssembly for what it knows, and the operators' own references
 * for the rest, which are slow and always there. Graphs run piece by piece, with rests in between.
 */
import { computeNodes } from '../../kernels/tensor/reference.ts'
import { sizeOf } from '../../kernels/tensor/tensor.ts'
import { err, ok } from '../../src/base/result.ts'
import { valueName, writeModel } from '../../src/models/onnx/write-model.ts'
import { computeError } from '../errors.ts'
import { breathe, Pace } from '../pace.ts'
import { cpuPieces, endsOf } from './cpu-pieces.ts'
import { runOnTables, tableNodes } from './cpu-tables.ts'
import { endlessIn, tooSlow } from './endless-nodes.ts'
import { filledPart, filledTables, hasManyRows } from './filled-tables.ts'
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
    const tables = tableNodes(bound, states)
    const own = new Set([...tables].filter((node) => this.#wasm === null || !hasManyRows(node)))
    const most = Math.max(PIECE_FLOP[this.kind], this.#flopPerMs * PIECE_MS)
    const pieces = cpuPieces(bound, most, own)
    const bytes = peakBytes(bound, pieces)
    if (bytes > this.#memoryBytes)
      return err(computeError('out-of-budget', `${bytes} bytes, ${this.#memoryBytes} are lent`))
    const ready: Ready[] = []
    for (const piece of pieces) {
      const isOwn = own.has(piece.nodes[0]!)
      ready.push(...(isOwn ? [onTables(piece)] : await this.#ready(bound, piece, tables)))
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
  async #ready(
    bound: Bound,
    piece: CpuPiece,
    tables: ReadonlySet<BoundNode>,
  ): Promise<readonly Ready[]> {
    const model = await this.#model(bound, piece)
    const [first, ...others] = piece.nodes
    if (model === null && others.length === 0 && tables.has(first!)) return [onTables(piece)]
    if (model !== null || this.#wasm === null || others.length === 0) return [{ piece, model }]
    const alone: Ready[] = []
    for (const one of piece.alone()) alone.push(...(await this.#ready(bound, one, tables)))
    return alone
  }

  async #model({ types }: Bound, piece: CpuPiece): Promise<PreparedModel | null> {
    const open = new Set(filledTables(piece).keys())
    const model = piece.onWasm ? modelOf(piece.graph, types, open) : null
    const made = model === null ? null : await this.#wasm?.prepare(model)
    return made?.ok === true ? made.value : null
  }
}

/** null where a type cannot be written in a file. Values in `open` differ in size from run to run. */
const modelOf = (
  graph: Graph,
  types: ReadonlyMap<ValueId, TensorType>,
  open?: ReadonlySet<ValueId>,
): WasmModel | null => {
  // It takes no model in which two nodes have one name, and needs none.
  const nodes = graph.nodes.map((node) => ({ ...node, name: '' }))
  const written = writeModel({ ...graph, nodes }, types, open)
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
const onTables = (piece: CpuPiece): Ready => ({ piece, model: null, isOwn: true })

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
    tables?: Tables,
  ): Promise<Result<GraphRun, ComputeError>> {
    const { graph, known } = this.#bound
    const states = await tables?.onCpu()
    if (states?.ok === false) return states
    const [begins, ends] = (['input', 'output'] as const).map(
      (side) => new Set(this.#states.map((ids) => ids[side])),
    ) as [Set<ValueId>, Set<ValueId>]
    const given = graph.inputs.filter((id) => !begins.has(id))
    const values = new Map<ValueId, Tensor>([
      ...known,
      ...given.map((id, i) => [id, inputs[i]!] as const),
      ...this.#states.map(({ input }, i) => [input, states!.value[i]!] as const),
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

/** Whether it did; a combination that WebAssembly does not know may show only at a run. */
const onWasm = async ({ model, piece }: Ready, values: Map<ValueId, Tensor>): Promise<boolean> => {
  if (model === null) return false
  const { graph } = piece
  const filled = filledTables(piece)
  const inputs = graph.inputs.map((id) => {
    const length = filled.get(id)
    const value = values.get(id)!
    return length === undefined ? value : filledPart(value, values.get(length)!.data[0]!)
  })
  const ran = await model.run(inputs)
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
