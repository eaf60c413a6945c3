/**
 * What a stranger's kernel shows to the outside: one entry point `main` in one dimension, the uniform
 * block, the declared inputs, the output. Bindings are those of every kernel: 0 the block, 1.. the
 * inputs, last the output.
 */
import {
  accept,
  elsewhere,
  expect,
  expectKind,
  fail,
  next,
  peek,
  sees,
  tokenAt,
} from './wgsl-cursor.ts'
import { declareName, parseAttributes } from './wgsl-outline.ts'
import { NOT_DECLARABLE } from './wgsl-names.ts'
import { parseType, resolveType, typeDeclaration } from './wgsl-types.ts'
import type { Cursor } from './wgsl-cursor.ts'
import type { Module, Signature } from './wgsl-expressions.ts'
import type { Declaration } from './wgsl-outline.ts'
import type { Member, Shape } from './wgsl-types.ts'

export type ScalarType = 'f32' | 'i32' | 'u32'
type Named = { readonly name: string; readonly type: ScalarType }
/** What the spec says about the source. */
export type Interface = {
  readonly inputs: readonly Named[]
  readonly output: Named
  /** Values of the spec that follow `offset` and `items` in the uniform block. */
  readonly constants: readonly Named[]
}
export type Entry = {
  readonly workgroup: number
  /** Name of the parameter that is the global invocation id. */
  readonly id: string
  /** Name of the uniform block. */
  readonly block: string
}

/**
 * What is wrong with the interface that is declared beside the source, if anything. Names are those of
 * WGSL; `offset`, `items` and `lengths` are taken by every kernel of this kind.
 */
export const interfaceFault = ({ inputs, output, constants }: Interface): string | undefined => {
  const names = [...inputs, output, ...constants].map(({ name }) => name)
  const bad = names.find(
    (name, i) =>
      !/^[A-Za-z][A-Za-z0-9_]{0,31}$/.test(name) ||
      NOT_DECLARABLE.has(name) ||
      names.indexOf(name) !== i ||
      ['offset', 'items', 'lengths'].includes(name),
  )
  if (bad !== undefined) return `the name ${bad}`
  if (inputs.length > MAX_INPUTS) return `${inputs.length} inputs`
  return constants.length > MAX_CONSTANTS ? `${constants.length} constants` : undefined
}

/** WebGPU's default limit is 8 storage buffers per stage. */
export const MAX_INPUTS = 7
/** With `offset` and `items` the block fills 64 bytes. */
export const MAX_CONSTANTS = 14
/** WebGPU's default for invocations of a workgroup. */
const MAX_WORKGROUP = 256
/** Bytes of all private variables of the module. */
const MAX_PRIVATE_BYTES = 4096

export const signatures = (m: Module): void => {
  for (const declaration of m.outline.values()) {
    if (declaration.kind !== 'fn') continue
    const entry = declaration.attributes.some(({ name }) => name.text === 'compute')
    if (!entry && declaration.attributes.some(({ name }) => name.text !== 'must_use')) {
      fail(m.cursor, 'attribute', declaration.attributes[0]!.name, 'must_use')
    }
    const read = elsewhere(m.cursor, declaration.at, () => signature(m, entry))
    m.signatures.set(declaration.name.text, read)
  }
}

const signature = (m: Module, entry: boolean): Signature => {
  const c = m.cursor
  const params: { name: Signature['params'][number]['name']; shape: Shape }[] = []
  expect(c, '(')
  while (c.error === undefined && !sees(c, ')')) {
    if (!entry && sees(c, '@')) fail(c, 'attribute', peek(c), 'parameters without attributes')
    else if (entry) parseAttributes(c)
    const name = expectKind(c, 'name')
    declareName(c, name)
    expect(c, ':')
    params.push({ name, shape: parseType(m) })
    if (!accept(c, ',')) break
  }
  expect(c, ')')
  if (!accept(c, '->')) return { params, result: undefined, resultText: '', body: c.at }
  if (sees(c, '@')) fail(c, 'attribute', peek(c), 'a type')
  const from = c.at
  const result = parseType(m)
  const resultText = c.tokens
    .slice(from, c.at)
    .map(({ text }) => text)
    .join(' ')
  return { params, result, resultText, body: c.at }
}

/** Exactly one entry point, `@compute @workgroup_size(n) fn main(@builtin(global_invocation_id) ...)`. */
export const entryPoint = (m: Module): Entry => {
  const c = m.cursor
  const entries = [...m.outline.values()].filter(({ attributes }) =>
    attributes.some(({ name }) => ['compute', 'vertex', 'fragment'].includes(name.text)),
  )
  const entry = entries[0]
  const none = { workgroup: 1, id: '', block: '' }
  if (entry === undefined || entry.kind !== 'fn' || entry.name.text !== 'main') {
    fail(c, 'entry', entry?.name ?? tokenAt(c, Infinity), 'one @compute function named main')
    return none
  }
  if (entries[1]) fail(c, 'entry', entries[1].name, 'only one entry point')
  if (m.signatures.get('main')?.result) fail(c, 'entry', entry.name, 'an entry without a result')
  const block = [...m.outline.values()].find(({ space }) => space === 'uniform')?.name.text ?? ''
  return { workgroup: workgroupSize(c, entry), id: invocationId(m, entry), block }
}

const workgroupSize = (c: Cursor, entry: Declaration): number => {
  let size: number | undefined
  for (const { name, argument } of entry.attributes) {
    if (name.text === 'workgroup_size' && size === undefined) {
      const text = argument.map((token) => token.text).join('')
      const read = /^([0-9]{1,3})[iu]?(,1[iu]?){0,2},?$/.exec(text)
      size = Number(read?.[1] ?? 0)
      if (!(size >= 1 && size <= MAX_WORKGROUP)) {
        fail(c, 'workgroup-size', argument[0] ?? name, `one literal from 1 to ${MAX_WORKGROUP}`)
      }
    } else if (name.text !== 'compute' || argument.length > 0) {
      fail(c, 'attribute', name, '@compute and @workgroup_size once')
    }
  }
  if (size === undefined) {
    fail(c, 'workgroup-size', entry.name, `@workgroup_size(1 to ${MAX_WORKGROUP})`)
  }
  return size ?? 1
}

const ID_PARAMETER = 'the parameter @builtin(global_invocation_id) name: vec3<u32>'

const invocationId = (m: Module, entry: Declaration): string =>
  elsewhere(m.cursor, entry.at, () => {
    const c = m.cursor
    expect(c, '(')
    const at = peek(c)
    if (!sees(c, '@')) fail(c, 'entry', at, ID_PARAMETER)
    const builtin = parseAttributes(c)
      .map(({ name, argument }) => `${name.text} ${argument.map(({ text }) => text).join('')}`)
      .join()
    const name = next(c)
    expect(c, ':')
    const type = [next(c), tokenAt(c, c.at), tokenAt(c, c.at + 1)].map(({ text }) => text).join('')
    const isVector = type.startsWith('vec3u') || type === 'vec3<u32'
    if (!isVector || builtin.replace(/,$/, '') !== 'builtin global_invocation_id') {
      fail(c, 'entry', at, ID_PARAMETER)
    }
    parseTypeRest(m)
    return name.text
  })

/** After the first parameter nothing may follow: the other built-in values tell how a node slices. */
const parseTypeRest = (m: Module): void => {
  const c = m.cursor
  c.at = c.error === undefined ? c.at - 1 : c.at
  parseType(m)
  accept(c, ',')
  if (!sees(c, ')')) fail(c, 'entry', peek(c), 'global_invocation_id as the only parameter')
}

/** Checks every variable of the module against the declared interface and the limits. */
export const variables = (m: Module, declared: Interface): { privateBytes: number } => {
  const c = m.cursor
  const storage = [...declared.inputs, declared.output]
  const missing = new Set(['the uniform block', ...storage.map(({ name }) => name)])
  let privateBytes = 0
  for (const declaration of m.outline.values()) {
    const { kind, name, space, attributes, access } = declaration
    if (kind !== 'var' && kind !== 'fn' && attributes[0]) {
      fail(c, 'attribute', attributes[0].name, 'declarations without attributes')
    }
    if (kind !== 'var') continue
    if (space === 'private') {
      privateBytes += 4 * (m.values.get(name.text)?.shape.words ?? 0)
      if (attributes[0]) fail(c, 'attribute', attributes[0].name, 'no attribute here')
      if (access !== '') fail(c, 'address-space', name, 'var<private>')
      if (privateBytes > MAX_PRIVATE_BYTES) {
        fail(c, 'private-too-large', name, `at most ${MAX_PRIVATE_BYTES} bytes`)
      }
    } else if (space === 'uniform') {
      if (!missing.delete('the uniform block')) fail(c, 'binding', name, 'one uniform block')
      binding(c, declaration, 0)
      block(m, declaration, declared.constants)
    } else if (space === 'storage') {
      const index = storage.findIndex((each) => each.name === name.text)
      const tensor = storage[index]
      if (tensor === undefined) fail(c, 'binding', name, 'the declared inputs and output')
      else storageBinding(c, declaration, index + 1, tensor, tensor === declared.output)
      missing.delete(name.text)
    } else fail(c, 'address-space', name, 'private, uniform or storage')
  }
  const [absent] = missing
  if (absent !== undefined) fail(c, 'binding', tokenAt(c, Infinity), `a declaration of ${absent}`)
  return { privateBytes }
}

const binding = (c: Cursor, { name, attributes }: Declaration, index: number): void => {
  const given = attributes
    .map(
      ({ name: { text }, argument }) => `${text}(${argument.map((token) => token.text).join('')})`,
    )
    .toSorted()
    .join(' ')
  if (!new RegExp(`^binding\\(${index}[iu]?,?\\) group\\(0[iu]?,?\\)$`).test(given)) {
    fail(c, 'binding', attributes[0]?.name ?? name, `@group(0) @binding(${index})`)
  }
}

const storageBinding = (
  c: Cursor,
  declaration: Declaration,
  index: number,
  { type }: Named,
  isOutput: boolean,
): void => {
  binding(c, declaration, index)
  const { name, access } = declaration
  if (isOutput ? access !== 'read_write' : access !== 'read' && access !== '') {
    fail(c, 'binding', name, isOutput ? 'var<storage, read_write>' : 'var<storage, read>')
  }
  const found = [1, 2, 3, 4].map((i) => tokenAt(c, declaration.at + i))
  const at = found.findIndex(({ text }, i) => text !== ['array', '<', type, '>'][i])
  if (at >= 0) fail(c, 'binding', found[at]!, `array<${type}>`)
}

/** `struct { offset: u32, items: u32, ...constants }`, by names, types and order. */
const block = (m: Module, { at, name }: Declaration, constants: readonly Named[]): void => {
  const c = m.cursor
  const struct = typeDeclaration(m, tokenAt(c, at + 1).text)
  const shape = struct === undefined ? undefined : resolveType(m, struct)
  const wanted = ['offset: u32', 'items: u32', ...constants.map((k) => `${k.name}: ${k.type}`)]
  const has =
    struct?.kind === 'struct' && shape?.kind === 'struct'
      ? [...shape.members].map(([key, { type }]: [string, Member]) => `${key}: ${type}`)
      : []
  if (has.join() !== wanted.join()) {
    fail(c, 'binding', struct?.name ?? name, `a struct of ${wanted.join(', ')}`)
  }
}
