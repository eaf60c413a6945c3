/** What an operator's lowering writes with: lazy values in, kernels of the program out. */
import { Draft } from './draft.ts'
import { pointwise } from './templates/pointwise.ts'
import { fromBits } from './wgsl-math.ts'
import { gpuElement, sameShape, sizeOf } from './tensor.ts'
import { buffersOf, leavesOf, replaceLeaves } from './value.ts'
import { expandView, isDense, reshapeView, wayBack, wholeView } from './view.ts'
import { Shader } from './shader.ts'
import type { Emitted, Target } from './draft.ts'
import type { WgslFunction } from './wgsl-function.ts'
import type { GpuElement, Shape, Tensor } from './tensor.ts'
import type { Constant, Deferred, FinishAll, Lazy, Moved, Pointwise, Value } from './value.ts'
import type { View } from './view.ts'

/** WebGPU promises 8 storage buffers a stage; one is written. */
const MAX_READ = 7
/** Formulas in one kernel: compiling takes longer than linear. */
const MAX_SIZE = 48
/** Tables that one kernel appends to: each takes up to three buffers of the eight, and they share some. */
const MAX_APPENDS = 2
const APPEND_WORKGROUP = { software: 4, gpu: 64 } as const

/** New lines of a table: `update` goes behind those that are there, which `start` counts for each batch. */
export type Append = {
  readonly table: View
  readonly axis: number
  /** What can be read where it is, or computed where it is needed. */
  readonly update: View | Pointwise | Deferred
  readonly start: View | Pointwise
}

export class Build extends Draft {
  readonly #uploaded = new Map<Tensor, View>()
  /** Kernels that several read, each as it was stored. */
  readonly #stored = new Map<Deferred, View>()
  /** Buffers of states, which are written in place. */
  readonly #states = new Set<number>()
  #appends: Append[] = []

  constructor(target: Target) {
    super(target)
  }

  /** The same number everywhere. */
  literal(element: GpuElement, shape: Shape, x: number): Pointwise {
    const [text, functions] = literalText(element, x)
    const [buffers, size] = [new Set<number>(), 0]
    return {
      kind: 'pointwise',
      element,
      shape,
      args: [],
      text: () => text,
      functions,
      buffers,
      size,
    }
  }

  constant(tensor: Tensor): Constant {
    return { kind: 'constant', element: gpuElement(tensor.element), shape: tensor.shape, tensor }
  }

  /** A formula over arguments of one shape, computed when somebody needs it. */
  pointwise(
    element: GpuElement,
    args: readonly Value[],
    text: Pointwise['text'],
    functions: readonly WgslFunction[] = [],
  ): Lazy {
    const lazy = args.map((arg) => this.lazy(arg))
    while (true) {
      const buffers = new Set(lazy.flatMap((arg) => [...buffersOf(arg)]))
      const size = 1 + lazy.reduce((sum, arg) => sum + sizeIn(arg), 0)
      const { shape } = lazy[0]!
      if (buffers.size <= MAX_READ && size <= MAX_SIZE)
        return { kind: 'pointwise', element, shape, args: lazy, text, functions, buffers, size }
      const worst = lazy.reduce((best, arg, i) => (heavier(arg, lazy[best]!) ? i : best), 0)
      lazy[worst] = this.realise(lazy[worst]!)
    }
  }

  /** Constants become literals where they are one number, and buffers otherwise. */
  lazy(value: Value): Lazy {
    if (value.kind !== 'constant') return value
    const { tensor, element, shape } = value
    if (sizeOf(tensor) === 0) return this.literal(element, shape, 0)
    if (sizeOf(tensor) === 1) return this.literal(element, shape, tensor.data[0]!)
    const known = this.#uploaded.get(tensor)
    if (known !== undefined) return known
    const view = this.fresh(element, shape, 'constant')
    this.constants.push({ tensor, buffer: view.buffer })
    this.#uploaded.set(tensor, view)
    return view
  }

  /** Views and formulas over them: what a template can read element by element. */
  readable(value: Value): View | Pointwise {
    const lazy = this.lazy(value)
    if (lazy.kind === 'deferred') return this.realise(lazy)
    if (lazy.kind === 'view') return lazy
    const leaves = leavesOf(lazy)
    if ([...leaves].every(({ kind }) => kind === 'view')) return lazy
    return this.realise(lazy)
  }

  /** Each readable, and together within what one kernel may bind. */
  readables(values: readonly Value[]): readonly (View | Pointwise)[] {
    const all = values.map((value) => this.readable(value))
    const buffers = new Set(all.flatMap((value) => [...buffersOf(value)]))
    return buffers.size <= MAX_READ ? all : all.map((value) => this.realise(value))
  }

  /** In memory, computing it now if it was not. */
  realise(value: Value): View {
    const lazy = this.lazy(value)
    if (lazy.kind === 'view') return lazy
    if (lazy.kind === 'deferred' && lazy.moved !== undefined) return this.#realiseMoved(lazy.moved)
    const known = lazy.kind === 'deferred' ? this.#stored.get(lazy) : undefined
    if (known !== undefined) return known
    const out = this.fresh(lazy.element, lazy.shape)
    this.write(lazy, out)
    if (lazy.kind === 'deferred') this.#stored.set(lazy, out)
    return out
  }

  /** A table that stays from run to run. */
  state(element: GpuElement, shape: Shape): View {
    const view = this.fresh(element, shape, 'state')
    this.#states.add(view.buffer)
    return view
  }

  isState(value: Value): value is View {
    return value.kind === 'view' && this.#states.has(value.buffer)
  }

  /** Writes new lines of a state, together with those of others, before anything reads it. */
  append(one: Append): void {
    this.#appends.push(one)
  }

  /** What is to be appended is appended now. */
  settle(): void {
    const all = this.#appends
    this.#appends = []
    while (all.length > 0) {
      const some = all.filter((one) => isLike(one, all[0]!)).slice(0, MAX_APPENDS)
      for (const one of some) all.splice(all.indexOf(one), 1)
      super.emit(this.#appendAll(some))
    }
  }

  override emit(emitted: Emitted): void {
    const touched = new Set(emitted.shader.bindings.map(({ buffer }) => buffer))
    if (this.#appends.some(({ table }) => touched.has(table.buffer))) this.settle()
    super.emit(emitted)
  }

  /** In memory, row-major and without gaps. */
  dense(value: Value): View {
    const view = this.realise(value)
    if (isDense(view)) return view
    const out = this.fresh(view.element, view.shape)
    this.write(view, out)
    return out
  }

  /** Computes a value into a view of its shape. */
  write(value: Value, out: View): void {
    if (sizeOf(out) === 0) return
    const lazy = this.lazy(value)
    const [host, ...others] = [...leavesOf(lazy)].filter((leaf) => leaf.kind === 'deferred')
    if (host === undefined) return pointwise(this, lazy, out)
    if (host.product !== undefined && others.length > 0 && others.every(isWith(host))) {
      const finish: FinishAll = (shader, at, found) => shader.read(lazy, at, found)
      return host.product.emitWith(others, finish, out)
    }
    const ready = new Map<Lazy, View>(others.map((other) => [other, this.realise(other)]))
    const rest = replaceLeaves(lazy, (leaf) => ready.get(leaf) ?? leaf, lazy.shape)
    const [kernel, back] = [host.moved?.kernel ?? host, host.moved?.back ?? ((view: View) => view)]
    const own = new Map<Lazy, Lazy | null>([[host, kernel]])
    for (const leaf of leavesOf(rest)) if (leaf.kind === 'view') own.set(leaf, back(leaf))
    const place = back(out)
    if (place === null || [...own.values()].includes(null)) {
      const view = this.realise(host)
      return pointwise(
        this,
        replaceLeaves(rest, (leaf) => (leaf === host ? view : leaf), lazy.shape),
        out,
      )
    }
    const formula = replaceLeaves(rest, (leaf) => own.get(leaf)!, kernel.shape)
    kernel.emit((shader, at, found) => shader.read(formula, at, new Map([[kernel, found]])), place)
  }

  /**
   * Looks at a value in another way, without computing anything where that can be. `look` says null for a
   * view that it cannot take; it is then asked for the same in row-major order.
   */
  move(value: Value, look: (view: View) => View | null): Lazy {
    const lazy = this.lazy(value)
    if (lazy.kind === 'view') return this.#look(lazy, look)
    if (lazy.kind === 'deferred')
      return moveDeferred(lazy, look) ?? this.#look(this.realise(lazy), look)
    const like = look(wholeView(-1, lazy.element, lazy.shape))!
    const leaves = [...leavesOf(lazy)].map((leaf) => {
      return [leaf, leaf.kind === 'view' ? look(leaf) : moveDeferred(leaf, look)] as const
    })
    const looks = new Map<Lazy, View | Deferred | null>(leaves)
    if (leaves.some(([, moved]) => moved === null)) return this.#look(this.realise(lazy), look)
    return replaceLeaves(lazy, (leaf) => looks.get(leaf)!, like.shape)
  }

  reshape(value: Value, shape: Shape): Lazy {
    const lazy = this.lazy(value)
    return sameShape(lazy.shape, shape) ? lazy : this.move(lazy, (view) => reshapeView(view, shape))
  }

  /** Stretches; what costs something to compute is computed once before. */
  expand(value: Value, shape: Shape): Lazy {
    const lazy = this.lazy(value)
    if (sameShape(lazy.shape, shape)) return lazy
    const grows = sizeOf({ shape }) > sizeOf(lazy) && lazy.kind === 'pointwise' && lazy.size > 0
    return this.move(grows ? this.realise(lazy) : lazy, (view) => expandView(view, shape))
  }

  /** A kernel whose result may go through formulas before it is stored. */
  deferred(
    element: GpuElement,
    shape: Shape,
    reads: readonly Lazy[],
    emit: Deferred['emit'],
  ): Deferred {
    const buffers = new Set(reads.flatMap((value) => [...buffersOf(value)]))
    return { kind: 'deferred', element, shape, buffers, emit }
  }

  /** An invocation for each number of a line, which it stores in all tables. */
  #appendAll(some: readonly Append[]): Emitted {
    const { table, axis, update, start } = some[0]!
    const shader = new Shader(1)
    const count = sizeOf(update)
    const workgroup = APPEND_WORKGROUP[this.target.family]
    shader.line(`let place = group.x * ${workgroup} + local.x;`)
    shader.line(`if (place >= ${count}) { return; }`)
    const at = shader.coordinates('place', update.shape)
    const first = shader.let(shader.read(start, [at[0]!]))
    const line = shader.let(`max(0, ${first} + ${at[axis]!}) % ${table.shape[axis]!}`)
    for (const one of some) {
      const { update: from } = one
      const inline = from.kind === 'deferred' ? from.inline : undefined
      const next = inline?.text(shader, at) ?? shader.read(from, at)
      shader.line(`${shader.place(one.table, at.with(axis, line))} = ${next};`)
    }
    const grid = [Math.ceil(count / workgroup), 1, 1] as const
    const flop = 4 * count * some.length
    return { template: 'append', shader, workgroup: [workgroup, 1, 1], grid, flop }
  }

  #realiseMoved({ kernel, look }: Moved): View {
    return look(this.realise(kernel))!
  }

  #look(view: View, look: (view: View) => View | null): View {
    return look(view) ?? look(this.#copy(view))!
  }

  #copy(view: View): View {
    const out = this.fresh(view.element, view.shape)
    this.write(view, out)
    return out
  }
}

/** Whether a kernel computes what can be computed along with the host's. */
const isWith =
  (host: Deferred) =>
  ({ product, moved, shape }: Deferred): boolean =>
    product !== undefined &&
    moved === undefined &&
    host.moved === undefined &&
    product.row === host.product!.row &&
    sameShape(shape, host.shape)

const isLike = (a: Append, b: Append): boolean =>
  a.axis === b.axis &&
  a.start === b.start &&
  sameShape(a.update.shape, b.update.shape) &&
  sameShape(a.table.shape, b.table.shape)

/** The same kernel, stored elsewhere: only for looks with a way back, as every place must be stored once. */
const moveDeferred = (value: Deferred, look: (view: View) => View | null): Deferred | null => {
  const {
    kernel,
    look: first,
    back: last,
  } = value.moved ?? { kernel: value, look: same, back: same }
  const begun = first(wholeView(-1, kernel.element, kernel.shape))
  const seen = begun === null ? null : look(begun)
  const like = look(wholeView(-1, value.element, value.shape))
  const back = like === null ? null : wayBack(value.shape, like)
  if (seen === null || back === null) return null
  const moved: Moved = {
    kernel,
    look(view) {
      const between = first(view)
      return between === null ? null : look(between)
    },
    back(view) {
      const between = back(view)
      return between === null ? null : last(between)
    },
  }
  const { kind, element, buffers, emit } = value
  // What else is known of it is about its places as they were.
  return { kind, element, buffers, emit, shape: seen.shape, moved }
}

const same = (view: View): View => view

const sizeIn = (value: Lazy): number => (value.kind === 'pointwise' ? value.size : 0)

const heavier = (a: Lazy, b: Lazy): boolean => {
  const weight = (value: Lazy): number =>
    value.kind === 'view' ? 0 : sizeIn(value) + MAX_SIZE * buffersOf(value).size
  return weight(a) > weight(b)
}

const bitsOf = (x: number): number => new Uint32Array(Float32Array.of(x).buffer)[0]!

/** WGSL has no literals for NaN, the infinities and -0, and may not take subnormal ones. */
const literalText = (element: GpuElement, x: number): [string, readonly WgslFunction[]] => {
  if (element === 'i32') return [`I(${integerText(x)})`, []]
  const f = Math.fround(x)
  const plain = Number.isFinite(f) && (Math.abs(f) >= 2 ** -126 || Object.is(f, 0))
  return plain ? [`F(${f}f)`, []] : [`from_bits(${bitsOf(f)}u)`, [fromBits]]
}

const integerText = (x: number): string => {
  const whole = Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, Math.trunc(x)))
  return whole === -(2 ** 31) ? 'i32(0x80000000u)' : String(whole)
}
