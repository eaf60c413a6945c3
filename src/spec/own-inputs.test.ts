/** What a spec's own shader reads: numbers of three types, tables and pictures, whole or cut along its items. */
import { describe, expect, it } from 'vitest'
import type { Plan } from '../core/plan.ts'
import { cidOf } from '../wire/codec.ts'
import { compile, planOf, type GivenInput } from './compile.ts'
import { makeInput, readInput, wantedInputs } from './inputs.ts'
import { writeNpy } from './npy.ts'
import { formatSpecError } from './spec-error.ts'
import { parseSpec, type Spec } from './spec.ts'

type Declared = Readonly<Record<string, string>>

const shader = (inputs: Declared): string =>
  [
    '```wgsl #main',
    'struct Params { offset: u32, items: u32, first: u32 }',
    '@group(0) @binding(0) var<uniform> params: Params;',
    ...Object.entries(inputs).map(
      ([name, type], i) =>
        `@group(0) @binding(${i + 1}) var<storage, read> ${name}: array<${type}>;`,
    ),
    `@group(0) @binding(${Object.keys(inputs).length + 1}) var<storage, read_write> result: array<u32>;`,
    '@compute @workgroup_size(64)',
    'fn main(@builtin(global_invocation_id) gid: vec3<u32>) {',
    '  result[params.offset + gid.x] = params.first;',
    '}',
    '```',
  ].join('\n')

const text = (inputs: string, declared: Declared, items = ''): string =>
  `---\nswarm: 1\nname: own\nrun: wgsl\nparams: { output: u32${items} }\ninputs:\n${inputs}\n---\n${shader(declared)}\n`

const parsed = (inputs: string, declared: Declared, items?: string): Spec => {
  const spec = parseSpec(text(inputs, declared, items), 'a.swarm.md')
  if (!spec.ok) throw new Error(spec.error.map(formatSpecError).join('\n'))
  return spec.value
}
const errors = (inputs: string, declared: Declared, items?: string): string => {
  const spec = parseSpec(text(inputs, declared, items), 'a.swarm.md')
  return spec.ok ? 'accepted' : spec.error.map(formatSpecError).join('\n')
}

const planOfSpec = (spec: Spec, shapes: Readonly<Record<string, readonly number[]>>): Plan => {
  const given = Object.fromEntries(
    wantedInputs(spec).map(({ name, dtype }): [string, GivenInput] => [
      name,
      { cid: cidOf(name), dtype, shape: shapes[name]! },
    ]),
  )
  const job = compile(spec, given)
  if (!job.ok) throw new Error(job.error.map(formatSpecError).join('\n'))
  const plan = planOf(spec, job.value)
  if (!plan.ok) throw new Error(plan.error.map(formatSpecError).join('\n'))
  return plan.value
}

describe('what alice’s own shader reads', () => {
  it('has the type she says, or that of its raw file, or f32', () => {
    const declared = { a: 'f32', b: 'i32', c: 'u32', d: 'u32', e: 'u32' }
    const spec = parsed(
      '  a: {}\n  b: { kind: i32 }\n  c: { kind: npy, dtype: u32 }\n  d: { kind: range, dtype: u32 }\n  e: { kind: image }',
      declared,
      ', items: 64',
    )
    expect(wantedInputs(spec).map(({ kind, dtype, shape }) => [kind, dtype, shape])).toEqual([
      ['f32', 'f32', [64]],
      ['i32', 'i32', [64]],
      ['npy', 'u32', [64]],
      ['range', 'u32', [64]],
      ['image', 'u8', [0, 0, 4]],
    ])
  })

  it('is made from a seed or by counting in its own type', () => {
    const spec = parsed(
      '  x: { kind: range, dtype: u32 }\n  y: { kind: random, dtype: i32 }\n  z: { kind: random, dtype: u32 }',
      { x: 'u32', y: 'i32', z: 'u32' },
      ', items: 4000',
    )
    const [x, y, z] = wantedInputs(spec).map((wanted) => makeInput(wanted)!.data)
    expect(x!.constructor).toBe(Uint32Array)
    expect([x![0], x![3999]]).toEqual([0, 3999])
    expect(Math.min(...y!)).toBeLessThan(-(2 ** 30))
    expect(Math.max(...y!)).toBeGreaterThan(2 ** 30)
    expect(Math.max(...z!)).toBeGreaterThan(2 ** 31)
  })

  it('comes from a file of that type alone', () => {
    const [x] = wantedInputs(parsed('  x: { kind: npy, dtype: i32 }', { x: 'i32' }))
    const file = (data: Int32Array | Float32Array, dtype: 'i32' | 'f32') =>
      readInput(x!, writeNpy({ dtype, shape: [3], data }))
    expect(file(Int32Array.of(-1, 2, 3), 'i32')).toMatchObject({ ok: true, value: { shape: [3] } })
    expect(file(Float32Array.of(1, 2, 3), 'f32')).toMatchObject({
      ok: false,
      error: { expected: 'i32[any]', found: 'f32[3]' },
    })
  })

  it('says how many items there are where she does not: elements, rows or pixels', () => {
    const items = (inputs: string, type: string, shape: readonly number[]): number => {
      const plan = planOfSpec(parsed(inputs, { x: type }), { x: shape })
      return plan.tensors['result']!.shape[0]!
    }
    expect(items('  x: { kind: npy }', 'f32', [500])).toBe(500)
    expect(items('  x: { kind: npy, shape: [50, 3] }', 'f32', [50, 3])).toBe(50)
    expect(items('  x: { kind: image }', 'u32', [30, 40, 4])).toBe(1200)
  })

  it('is cut where it runs along the items, and whole where it does not', () => {
    const spec = parsed(
      '  photo: { kind: image }\n  table: { kind: npy, dtype: i32, shape: [7] }',
      { photo: 'u32', table: 'i32' },
    )
    const { tasks } = planOfSpec(spec, { photo: [30, 40, 4], table: [7] })
    expect(tasks.length).toBe(48)
    expect(tasks[1]!.params).toMatchObject({ first: 25, items: 25, lengths: [100, 7] })
    expect(tasks[1]!.reads).toEqual([
      {
        tensor: 'photo',
        rect: { row: 0, rows: 1, col: 100, cols: 100 },
        type: { dtype: 'u8', shape: [100] },
      },
      {
        tensor: 'table',
        rect: { row: 0, rows: 1, col: 0, cols: 7 },
        type: { dtype: 'i32', shape: [7] },
      },
    ])
  })

  it.each<[string, string, Declared, string]>([
    [
      'another type in the shader than in the spec',
      '  x: { kind: npy, dtype: i32 }',
      { x: 'u32' },
      'a.swarm.md:12: source, line 3 column 51: expected array<i32>',
    ],
    [
      'a raw file of one type that is said to be of another',
      '  x: { kind: u32, dtype: i32 }',
      { x: 'i32' },
      'inputs.x.kind: expected one of i32, npy, random, range',
    ],
    [
      'a type that no shader reads',
      '  x: { kind: npy, dtype: i8 }',
      { x: 'f32' },
      'inputs.x.dtype: expected f32, found i8',
    ],
    [
      'numbers to be made of which nobody says how many',
      '  x: { kind: random }',
      { x: 'f32' },
      'inputs.x.shape: expected a shape here, or params.items',
    ],
  ])('is refused with %s', (_, inputs, declared, expected) => {
    expect(errors(inputs, declared)).toContain(expected)
  })

  it('leaves programs that are not hers as they are', () => {
    const other =
      '---\nswarm: 1\nname: a\nrun: sum\ninputs: { x: { kind: npy, dtype: i32 } }\n---\n'
    const spec = parseSpec(other, 'a.swarm.md')
    expect(spec.ok ? '' : formatSpecError(spec.error[0]!)).toBe(
      'a.swarm.md:5: inputs.x.dtype: expected f32, found i32',
    )
  })
})
