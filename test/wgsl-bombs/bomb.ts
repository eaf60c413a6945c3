/** What the bombs are made from: the honest kernel around them, and a way to write many in a row. */
import type { AdmissionCode } from '../../kernels/admission-error.ts'
import type { Declared } from '../../kernels/admission.ts'

export type Bomb = {
  readonly name: string
  readonly source: string
  readonly expect: AdmissionCode | 'bounded'
}

export const declared = (iterations = 1000): Declared => ({
  inputs: [{ name: 'x', type: 'f32' }],
  output: { name: 'y', type: 'f32' },
  constants: [],
  iterations,
})

export const HEAD = `struct Params { offset: u32, items: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
`
export const ENTRY =
  '@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) gid: vec3<u32>)'

/** A whole shader around statements of `main`, which may use `i`, `a`, `n` and `b`. */
export const kernel = (body: string, before = ''): string => `${HEAD}${before}
${ENTRY} {
  let i = params.offset + gid.x;
  var a = x[i];
  var n = 0u;
  var b = a > -1.0;
  ${body}
  y[i] = a + f32(n) + select(0.0, 1.0, b);
}
`

export const times = (count: number, make: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => make(i)).join('')

export type Entry = readonly [name: string, source: string]
export const all = (expect: Bomb['expect'], entries: readonly Entry[]): Bomb[] =>
  entries.map(([name, source]) => ({ name: `${expect}: ${name}`, source, expect }))

/** t1 calls t0 twice, t2 calls t1 twice, and so on. */
export const tree = (levels: number): string =>
  times(levels, (k) => `fn t${k + 1}(v: f32) -> f32 { return t${k}(v) + t${k}(v + 1.0); } `)
