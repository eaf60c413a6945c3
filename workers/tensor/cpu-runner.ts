/**
 * The engine of nodes without a usable GPU: WebAssembly for what it knows, and the operators' own references
 * for the rest, which are slow and always there. Graphs run piece by piece, with rests in between.
 */
import { computeNodes } from '../../kernels/tensor/reference.ts'
import { err, ok } from '../../src/base/result.ts'
import { computeError } from '../errors.ts'
import { breathe, Pace } from '../pace.ts'
import { peakBytes } from './cpu-memory.ts'
import { cpuPieces, endsOf } from './cpu-pieces.ts'
import { runOnTables, tableNodes } from './cpu-tables.ts'
import { endlessIn, tooSlow } from './endless-nodes.ts'
import { filledPart, filledTables, hasManyRows } from './filled-tables.ts'
import { isLetGo, lettingGo } from './letting-go.ts'
import { runByRow } from './run-by-row.ts'
import { SharedModels, sharedKey } from './shared-models.ts'
import { modelOf, smallest } from './wasm-model.ts'
import { WasmRunner } from './wasm-runner.ts'
import type { Bound, BoundNode, StateIds } from '../../kernels/tensor/bound.ts'
import type { ValueId } from '../../kernels/tensor/graph.ts'
import type { Tensor } from '../../kernels/tensor/tensor.ts'
import type { Result } from '../../src/base/result.ts'
import type { ComputeError } from '../errors.ts'
import type { Control } from '../runnable.ts'
import type { CpuPiece } from './cpu-pieces.ts'
import type { GraphRun, Prepared } from './prepared.ts'
import type { Tables } from './tables.ts'
import type { SharedModel } from './shared-models.ts'

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
  readonly #shared = new SharedModels()
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

  /**
   * @param given weights whose numbers may be let go of once they lie in WebAssembly
   * @error out-of-budget, before anything is taken; needs-webgpu where a node would take too long here;
   * device-lost where weights were let go of
   */
  async prepare(
    bound: Bound,
    states: readonly StateIds[] = [],
    given: ReadonlySet<Tensor> = new Set(),
  ): Promise<Result<Prepared, ComputeError>> {
    const tables = tableNodes(bound, states)
    const own = new Set([...tables].filter((node) => this.#wasm === null || !hasManyRows(node)))
    const most = Math.max(PIECE_FLOP[this.kind], this.#flopPerMs * PIECE_MS)
    const pieces = cpuPieces(bound, { most, own, byRow: states.length > 0 })
    const bytes = peakBytes(bound, pieces, given)
    if (bytes > this.#memoryBytes)
      return err(computeError('out-of-budget', `${bytes} bytes, ${this.#memoryBytes} are lent`))
    const ready: Ready[] = []
    const placed = lettingGo(pieces, given)
    for (const piece of pieces) {
      const isOwn = own.has(piece.nodes[0]!)
      const made = isOwn ? [onTables(piece)] : await this.#ready(bound, piece, tables)
      ready.push(...made)
      placed(
        piece,
        made.every(({ model }) => model !== null),
      )
    }
    const wrong = ready.map(whyNot).find((found) => found !== null) ?? null
    if (wrong !== null) {
      for (const { model } of ready) void model?.close()
      return err(wrong)
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

  async #model({ types }: Bound, piece: CpuPiece): Promise<SharedModel | null> {
    if (!piece.onWasm || this.#wasm === null) return null
    const { graph, rows } = piece
    const key = rows === null ? null : sharedKey(graph, types)
    const known = key === null ? null : this.#shared.take(key)
    if (known !== null || [...graph.constants.values()].some(isLetGo)) return known
    const open =
      rows === null ? filledTables(piece).keys() : [...graph.inputs, ...graph.outputs].values()
    const model = modelOf(graph, types, new Set(open))
    const made = model === null ? null : await this.#wasm.prepare(model)
    if (made?.ok !== true) return null
    return key === null ? made.value : this.#shared.put(key, made.value)
  }
}

type Ready = {
  readonly piece: CpuPiece
  readonly model: SharedModel | null
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
    let began = breathed
    /** Whether it is to go on. */
    const rested = async (isLast = false): Promise<boolean> => {
      await pace.rest(performance.now() - began, control.share())
      if (performance.now() - breathed >= BREATH_MS && !isLast) {
        await breathe()
        breathed = performance.now()
      }
      began = performance.now()
      return !control.cancelled()
    }
    if (control.cancelled()) return err(cancelled())
    for (const [i, ready] of this.#ready.entries()) {
      if (ready.isOwn === true) runOnTables(ready.piece.nodes[0]!, values)
      else if (!(await onWasm(ready, { bound: this.#bound, values, rested }))) {
        if (control.cancelled()) return err(cancelled())
        const wrong = whyNot({ ...ready, model: null })
        if (wrong !== null) return err(wrong)
        onReference(ready.piece, values)
      }
      for (const id of this.#ends[i]!) values.delete(id)
      done += ready.piece.flop
      control.progress(Math.floor((1000 * done) / Math.max(1, all)))
      const isLast = i === this.#ready.length - 1
      if (!(await rested(isLast)) && !isLast) return err(cancelled())
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

/** Why a piece cannot be computed here, where WebAssembly does not do it. */
const whyNot = ({ piece, model, isOwn }: Ready): ComputeError | null => {
  if (model !== null || isOwn === true) return null
  if ([...piece.graph.constants.values()].some(isLetGo))
    return computeError('device-lost', 'weights were in WebAssembly only')
  const endless = endlessIn(piece)
  return endless === null ? null : tooSlow(endless)
}

const cancelled = (): ComputeError => computeError('cancelled', 'graph')

type Running = {
  readonly bound: Bound
  readonly values: Map<ValueId, Tensor>
  rested(): Promise<boolean>
}

/** Whether it did; a combination that WebAssembly does not know may show only at a run. */
const onWasm = async (
  { model, piece }: Ready,
  { bound, values, rested }: Running,
): Promise<boolean> => {
  if (model === null) return false
  const { inputs, outputs } = piece.graph
  const types = outputs.map((id) => bound.types.get(id)!)
  const filled = filledTables(piece)
  const given = inputs.map((id) => {
    const length = filled.get(id)
    const value = values.get(id)!
    return length === undefined ? value : filledPart(value, values.get(length)!.data[0]!)
  })
  const ran = await runByRow(model, piece, { given, types, rested })
  if (!ran.ok) return false
  for (const [i, id] of outputs.entries()) values.set(id, ran.value[i]!)
  return true
}

const onReference = ({ nodes, graph }: CpuPiece, values: Map<ValueId, Tensor>): void => {
  const inside = new Map(values)
  computeNodes(nodes, inside)
  for (const id of graph.outputs) values.set(id, inside.get(id)!)
}
