/**
 * Text of one compute shader while it is written. The aliases F, I, U and B stand for one element or for
 * four neighbours along the last dimension, so that the same formulas serve both.
 */
import type { GpuElement, Shape } from './tensor.ts'
import type { Lanes, WgslFunction } from './wgsl-function.ts'
import type { Lazy, Writer } from './value.ts'
import type { View } from './view.ts'

export type Binding = { readonly buffer: number; readonly access: 'read' | 'write' }
type Bound = Binding & {
  readonly name: string
  readonly element: GpuElement
  readonly lanes: Lanes
}

const ALIAS: Record<Lanes, string> = {
  1: 'alias F = f32;\nalias I = i32;\nalias U = u32;\nalias B = bool;',
  4: 'alias F = vec4<f32>;\nalias I = vec4<i32>;\nalias U = vec4<u32>;\nalias B = vec4<bool>;',
}

/** Where a slice of a long grid begins, in workgroups: the runner's only parameter. */
const PARAMS = 'struct Params { base: vec3u }\n@group(0) @binding(0) var<uniform> params: Params;'

export class Shader implements Writer {
  readonly lanes: Lanes
  readonly #bound: Bound[] = []
  readonly #functions = new Map<string, string>()
  readonly #enabled = new Set<string>()
  readonly #globals: string[] = []
  readonly #body: string[] = []
  #names = 0

  constructor(lanes: Lanes) {
    this.lanes = lanes
  }

  get bindings(): readonly Binding[] {
    return this.#bound.map(({ buffer, access }) => ({ buffer, access }))
  }

  use(functions: readonly WgslFunction[]): void {
    for (const { name, code, needs } of functions) {
      if (needs !== undefined) this.use(needs)
      this.#functions.set(name, code)
    }
  }

  /** A feature of the language that the adapter must have. */
  enable(feature: string): void {
    this.#enabled.add(`enable ${feature};`)
  }

  /** A declaration outside of functions: workgroup memory, say. */
  global(text: string): void {
    this.#globals.push(text)
  }

  line(text: string): void {
    this.#body.push(text)
  }

  /** Names a subexpression. */
  let(text: string): string {
    const name = `t${this.#names++}`
    this.line(`let ${name} = ${text};`)
    return name
  }

  /** Names something that changes. */
  var(text: string): string {
    const name = `t${this.#names++}`
    this.line(`var ${name} = ${text};`)
    return name
  }

  /**
   * WGSL for the element of `value` at these coordinates (with four lanes: at the first of four along the
   * last dimension, which has to be a multiple of 4). `found` has what kernels under it accumulated.
   */
  read(value: Lazy, at: readonly string[], found?: ReadonlyMap<Lazy, string>): string {
    const made = new Map<Lazy, string>(found)
    const visit = (part: Lazy): string => {
      const known = made.get(part)
      if (known !== undefined) return known
      if (part.kind === 'deferred') throw new Error('invariant broken: a kernel inside a read')
      const text = part.kind === 'view' ? this.#load(part, at) : part.text(part.args.map(visit))
      if (part.kind === 'pointwise') this.use(part.functions)
      const name = this.let(text)
      made.set(part, name)
      return name
    }
    return visit(value)
  }

  /** Names the coordinates of element number `place` of a row-major shape; none for a scalar. */
  coordinates(place: string, shape: Shape): string[] {
    const at: string[] = []
    let rest = place
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at.unshift(axis === 0 ? rest : this.let(`${rest} % ${shape[axis]}`))
      if (axis > 0) rest = this.let(`${rest} / ${shape[axis]}`)
    }
    return at
  }

  /** One element, in a shader of four lanes too. */
  scalar(view: View, at: readonly string[]): string {
    return this.#element(view, indexOf(view, at))
  }

  /** Where in its buffer the element at these coordinates is. */
  index(view: View, at: readonly string[]): string {
    return indexOf(view, at)
  }

  /** The element of a view's buffer at an index, in a shader of four lanes too. */
  element(view: View, index: string): string {
    return this.#element(view, index)
  }

  /** One element that can be read and assigned to, in a shader of four lanes too. */
  place(view: View, at: readonly string[]): string {
    return `${this.#bind(view, 'write', 1)}[${indexOf(view, at)}]`
  }

  store(view: View, at: readonly string[], value: string): void {
    const wide = this.lanes === 4 && inFours(view)
    const name = this.#bind(view, 'write', wide ? 4 : 1)
    const index = indexOf(view, at)
    if (this.lanes === 1) this.line(`${name}[${index}] = ${value};`)
    else if (wide) this.line(`${name}[(${index}) >> 2u] = ${value};`)
    else {
      const [first, all] = [this.let(index), this.let(value)]
      const step = view.strides.at(-1) ?? 1
      for (const lane of [0, 1, 2, 3])
        this.line(`${name}[${first} + ${lane * step}] = ${all}[${lane}];`)
    }
  }

  /**
   * The whole shader. `main` finds its place as `group` (vec3i, slices counted in) and `local`. Arrays have
   * the size of their buffers, as adapters check indices against a constant faster than against a length.
   */
  text(workgroup: readonly [number, number, number], bytesOf: (buffer: number) => number): string {
    const buffers = this.#bound.map(({ buffer, name, access, element, lanes }, i) => {
      const mode = access === 'read' ? 'read' : 'read_write'
      const type = lanes === 4 ? `vec4<${element}>` : element
      const size = bytesOf(buffer) / (4 * lanes)
      return `@group(0) @binding(${i + 1}) var<storage, ${mode}> ${name}: array<${type}, ${size}>;`
    })
    return [
      ...this.#enabled,
      ALIAS[this.lanes],
      PARAMS,
      ...buffers,
      ...this.#globals,
      ...this.#functions.values(),
      `@compute @workgroup_size(${workgroup.join(', ')})`,
      'fn main(@builtin(workgroup_id) group_id: vec3u, @builtin(local_invocation_id) local_id: vec3u) {',
      'let group = vec3i(group_id + params.base);',
      'let local = vec3i(local_id);',
      ...this.#body,
      '}\n',
    ].join('\n')
  }

  #load(view: View, at: readonly string[]): string {
    const index = indexOf(view, at)
    if (this.lanes === 1) return this.#element(view, index)
    const step = view.strides.at(-1) ?? 0
    const type = view.element === 'f32' ? 'F' : 'I'
    if (step === 0) return `${type}(${this.#element(view, index)})`
    if (inFours(view) && this.#lanesOf(view.buffer) !== 1)
      return `${this.#bind(view, 'read', 4)}[(${index}) >> 2u]`
    const first = this.let(index)
    const lanes = [0, 1, 2, 3].map((lane) => this.#element(view, `${first} + ${lane * step}`))
    return `${type}(${lanes.join(', ')})`
  }

  #element(view: View, index: string): string {
    if (this.#lanesOf(view.buffer) !== 4) return `${this.#bind(view, 'read', 1)}[${index}]`
    const at = this.let(index)
    return `${this.#bind(view, 'read', 4)}[${at} >> 2u][${at} & 3]`
  }

  #lanesOf(buffer: number): Lanes | undefined {
    return this.#bound.find((bound) => bound.buffer === buffer && bound.access === 'read')?.lanes
  }

  /** One binding a buffer, as adapters have few: in the form in which it was asked for first. */
  #bind({ buffer, element }: View, access: 'read' | 'write', lanes: Lanes): string {
    const known = this.#bound.find((bound) => bound.buffer === buffer)
    if (known !== undefined) return known.name
    const name = `b${this.#bound.length}`
    this.#bound.push({ buffer, access, name, element, lanes })
    return name
  }
}

/** Whether four neighbours along the last dimension are one aligned vector of the buffer. */
const inFours = ({ shape, strides, offset }: View): boolean =>
  strides.at(-1) === 1 &&
  offset % 4 === 0 &&
  strides.every((stride, i) => i === strides.length - 1 || shape[i] === 1 || stride % 4 === 0)

const indexOf = ({ shape, strides, offset }: View, at: readonly string[]): string => {
  const terms = at.flatMap((coordinate, i) => {
    const stride = strides[i]!
    if (stride === 0 || shape[i] === 1) return []
    return [stride === 1 ? coordinate : `${coordinate} * ${stride}`]
  })
  if (offset !== 0 || terms.length === 0) terms.push(String(offset))
  return terms.join(' + ')
}
