/** What an operator's lowering writes with: lazy values in, kernels of the program out. */
import { alikeIn, appendAll } from './append.ts'
import { Draft } from './draft.ts'
import { literalText } from './literal.ts'
import { pointwise } from './templates/pointwise.ts'
import { reshaped } from './templates/reshaped.ts'
import { gpuElement, sameShape, sizeOf } from './tensor.ts'
import { buffersOf, leavesOf, replaceLeaves } from './value.ts'
import { expandView, isDense, reshapeView, wayBack, wholeView } from './view.ts'
import type { Append } from './append.ts'
import type { Emitted, Target } from './draft.ts'
import type { WgslFunction } from './wgsl-function.ts'
import type { GpuElement, Shape, Tensor } from './tensor.ts'
import type { Constant, Deferred, FinishAll, Lazy, Moved, Pointwise, Value } from './value.ts'
import type { View } from './view.ts'

/** WebGPU promises 8 storage buffers a stage; one is written. */
const MAX_READ = 7
/** Formulas in one kernel: compiling takes longer than linear. */
const MAX_SIZE = 48
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
      const some = alikeIn(all)
      for (const one of some) all.splice(all.indexOf(one), 1)
      super.emit(appendAll(some, this.target))
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
    const most = host.product === undefined ? 0 : host.product.most - 1
    if (others.length > 0 && others.length <= most && others.every(isWith(host))) {
      const finish: FinishAll = (shader, at, found) => shader.read(lazy, at, found)
      return host.product!.emitWith(others, finish, out)
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
    if (sameShape(lazy.shape, shape)) return lazy
    const look = (view: View): View | null => reshapeView(view, shape)
    const leaves = lazy.kind === 'pointwise' ? [...leavesOf(lazy)] : []
    const areViews = leaves.every((leaf) => leaf.kind === 'view')
    const isSeen = leaves.every((leaf) => leaf.kind === 'view' && look(leaf) !== null)
    return lazy.kind === 'pointwise' && areViews && !isSeen
      ? reshaped(this, lazy, shape)
      : this.move(lazy, look)
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
    product.form === host.product!.form &&
    sameShape(shape, host.shape)

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
