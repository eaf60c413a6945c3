import { describe, expect, it } from 'vitest'
import { admit, MAX_ITERATIONS } from './admission.ts'
import type { Admitted, Declared } from './admission.ts'

const declared: Declared = {
  inputs: [{ name: 'x', type: 'f32' }],
  output: { name: 'y', type: 'f32' },
  constants: [{ name: 'gain', type: 'f32' }],
  iterations: 100,
}
const shader = (
  body: string,
  before = '',
): string => `struct P { offset: u32, items: u32, gain: f32 }
@group(0) @binding(0) var<uniform> p: P;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
${before}
@compute @workgroup_size(32) fn main(@builtin(global_invocation_id) gid: vec3<u32>) {
${body}
}`
const admitted = (source: string, given = declared): Admitted => {
  const result = admit(source, given)
  if (!result.ok) throw new Error(JSON.stringify(result.error))
  return result.value
}
const work = (body: string, before = ''): number => admitted(shader(body, before)).once

describe("alice's kernel, admitted,", () => {
  it('starts with its fuel and stops outside the slice', () => {
    const { source, workgroup, loops } = admitted(shader('y[0] = 1.0;'))
    expect(source).toContain(' { swarm_fuel = 100u; if (gid.x >= p.items) { return; }\n')
    expect(source).toMatch(/\nvar<private> swarm_fuel: u32;\n$/)
    expect({ workgroup, loops }).toEqual({ workgroup: 32, loops: 0 })
  })

  it('keeps its lines, so that a compiler names the right one', () => {
    const source = shader('\n\n  let k = /* one\n line */ 3u;\n  while (k > 2u) { y[k] = 1.0; }')
    const lines = source.split('\n').map((line) => /let|while|fn/.exec(line)?.[0])
    expect(
      admitted(source)
        .source.split('\n')
        .slice(0, lines.length)
        .map((line) => /let|while|fn/.exec(line)?.[0]),
    ).toEqual(lines)
  })

  it('has a check in every loop that returns what the function has to return', () => {
    const { source, loops } = admitted(
      shader(
        'y[0] = f(); for (;;) { }',
        'struct S { a: f32 } fn g() -> S { loop { } } fn f() -> f32 { while (true) { } return g().a; }',
      ),
    )
    expect(loops).toBe(3)
    expect(source).toContain(
      'while ( true ) { if (swarm_fuel == 0u) { return f32(); } swarm_fuel -= 1u; }',
    )
    expect(source).toContain('loop { if (swarm_fuel == 0u) { return S(); } swarm_fuel -= 1u; }')
    expect(source).toContain('for ( ; ; ) { if (swarm_fuel == 0u) { return; } swarm_fuel -= 1u; }')
  })

  it('costs one pass plus its fuel times the dearest loop', () => {
    const plain = admitted(shader('y[0] = x[0] * 2.0;'))
    expect(plain.workPerItem).toBe(plain.once)
    const { once, perIteration, workPerItem } = admitted(
      shader(
        'var a = 1.0; while (a > 0.0) { a += 1.0; } loop { a = sin(a) + f(a); } y[0] = a;',
        'fn f(v: f32) -> f32 { return exp(v); }',
      ),
    )
    expect(perIteration).toBeGreaterThan(32)
    expect(once).toBeGreaterThan(perIteration)
    expect(workPerItem).toBe(once + 100 * perIteration)
  })

  it('costs more for calls, copies of arrays and large operands', () => {
    const base = work('y[0] = 1.0;')
    expect(work('y[0] = sin(1.0);')).toBeGreaterThan(base + 15)
    expect(work('var a: array<f32, 100>; y[0] = a[1];')).toBeGreaterThan(base + 99)
    expect(work('var a: array<f32, 100>; a[1] = 1.0; y[0] = a[1];')).toBeLessThan(base + 150)
    expect(work('let a = array<f32, 100>(); y[0] = a[u32(y2)];', 'const y2 = 1;')).toBeGreaterThan(
      base + 299,
    )
    expect(work('var a = mat4x4f(); a = a * a; y[0] = a[0][0];')).toBeGreaterThan(base + 112)
    const call = work('f();', 'fn f() { y[0] = 1.0; }')
    expect(work('f(); f(); f();', 'fn f() { y[0] = 1.0; }') - call).toBeGreaterThanOrEqual(2 * 4)
    expect(work('y[0] = 1.0;', 'fn f() -> f32 { return sin(1.0); }')).toBe(base)
  })

  it('has its private memory measured', () => {
    expect(
      admitted(shader('', 'var<private> a: array<vec3f, 8>; var<private> b = 1u;')).privateBytes,
    ).toBe(132)
  })
})

describe("mallory's kernel is refused", () => {
  const refused = (source: string, given = declared): string => {
    const result = admit(source, given)
    if (result.ok) return 'admitted'
    const { code, line, column, found } = result.error
    return `${code} ${line}:${column} ${found}`
  }

  it('with the place, and what was found there', () => {
    expect(refused(shader('  let k = 1;\n  workgroupBarrier();'))).toBe(
      'function 8:3 workgroupBarrier',
    )
    expect(refused(shader('y[0] = y[1];'))).toBe('output-read 7:8 y')
    expect(refused(shader('', '  var<workgroup> w: f32;'))).toBe('address-space 5:18 w')
    expect(refused(shader('', 'fn f() { g(); } fn g() { f(); }'))).toBe('recursion 5:4 f')
    expect(refused('')).toBe('binding 1:1 the end')
  })

  it('with what is allowed, in words', () => {
    const result = admit(shader('let q = &x;'), declared)
    expect(result).toEqual({
      ok: false,
      error: {
        code: 'pointer',
        line: 7,
        column: 9,
        found: '&',
        allowed: 'values; pointers are not admitted',
      },
    })
  })

  it('when what is declared beside it makes no sense', () => {
    const source = shader('')
    for (const iterations of [-1, 0.5, Number.NaN, MAX_ITERATIONS + 1]) {
      expect(refused(source, { ...declared, iterations })).toMatch(/^declared 0:0/)
    }
    const named = (name: string): Declared => ({ ...declared, output: { name, type: 'f32' } })
    for (const name of ['', 'a b', 'x', 'gain', 'items', 'loop', 'y-1', '__proto__', 'f32', 'é']) {
      expect(refused(source, named(name))).toMatch(/^declared 0:0 the name/)
    }
    const many = Array.from({ length: 15 }, (_, i) => ({ name: `c${i}`, type: 'u32' as const }))
    expect(refused(source, { ...declared, constants: many })).toBe('declared 0:0 15 constants')
    expect(refused(source, { ...declared, inputs: many.slice(0, 8) })).toBe('declared 0:0 8 inputs')
  })

  it('when its interface is not the declared one', () => {
    expect(refused(shader(''), { ...declared, constants: [] })).toBe('binding 1:8 P')
    expect(refused(shader(''), { ...declared, output: { name: 'y', type: 'u32' } })).toBe(
      'binding 4:57 f32',
    )
    expect(refused(shader(''), { ...declared, inputs: [] })).toBe('binding 3:42 x')
    const more = [...declared.inputs, { name: 'z', type: 'i32' as const }]
    expect(refused(shader(''), { ...declared, inputs: more })).toMatch(/^binding/)
  })

  it('when one item may cost more than a slice', () => {
    const source = shader('var a = 1.0; loop { a = sin(a); } y[0] = a;')
    expect(admit(source, { ...declared, iterations: 100_000 }).ok).toBe(true)
    expect(refused(source, { ...declared, iterations: 4_000_000 })).toBe(
      'item-too-costly 6:33 main',
    )
  })
})
