import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { customKernel, f32Bits } from './custom.ts'
import type { CustomDeclared, CustomKernel, CustomParams } from './custom.ts'
import type { Params } from './kernel.ts'

const source = `struct P { offset: u32, items: u32, gain: f32, turns: u32, shift: i32 }
@group(0) @binding(0) var<uniform> p: P;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> w: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) gid: vec3<u32>) {
  let i = p.offset + gid.x;
  for (var k = 0u; k < p.turns; k++) { y[2u * i] = x[i] * p.gain; y[2u * i + 1u] = f32(w[k]); }
}`
const declared: CustomDeclared = {
  digest: '0123456789ab',
  title: 'Gain',
  inputs: [
    { name: 'x', type: 'f32' },
    { name: 'w', type: 'u32' },
  ],
  output: { name: 'y', type: 'f32' },
  constants: [
    { name: 'gain', type: 'f32' },
    { name: 'turns', type: 'u32' },
    { name: 'shift', type: 'i32' },
  ],
  iterations: 10,
  itemLength: 2,
}
const params: Params = { items: 1000, lengths: [1000, 4], gain: '0.5', turns: 4, shift: -1 }

const made = (given: CustomDeclared = declared): CustomKernel => {
  const result = customKernel(source, given)
  if (!result.ok) throw new Error(JSON.stringify(result.error))
  return result.value
}
const parsed = (kernel: CustomKernel, given: Params = params): CustomParams => {
  const result = kernel.parse(given)
  if (!result.ok) throw new Error(JSON.stringify(result.error))
  return result.value
}

describe("a kernel of alice's own", () => {
  it('is named by its digest and has the shapes that its spec declares', () => {
    const kernel = made()
    const p = parsed(kernel)
    expect(kernel).toMatchObject({
      id: 'wgsl@0123456789ab',
      check: 'replicas',
      workgroup: [64, 1, 1],
    })
    expect(kernel.inputs(p)).toEqual([
      { dtype: 'f32', shape: [1000] },
      { dtype: 'u32', shape: [4] },
    ])
    expect(kernel.output(p)).toEqual({ dtype: 'f32', shape: [1000, 2] })
    expect(kernel.items(p) * kernel.itemLength(p)).toBe(2000)
    expect(kernel.costBytes(p)).toBe(4 * (1000 + 4 + 2000))
    expect(kernel.specialise?.('', p)).toBe(kernel.source)
    expect(kernel.source).toContain('swarm_fuel = 10u;')
  })

  it('costs in proportion to its items and, with loops, to its iterations', () => {
    const kernel = made()
    const one = kernel.costFlop(parsed(kernel, { ...params, items: 1 }))
    expect(kernel.costFlop(parsed(kernel))).toBe(1000 * one)
    const longer = made({ ...declared, iterations: 20 })
    const more = longer.costFlop(parsed(longer, { ...params, items: 1 }))
    expect(more).toBeGreaterThan(one)
    expect(more).toBeLessThan(2 * one)
  })

  it('lays a slice out as offset, items and the bits of its constants', () => {
    const kernel = made()
    const { grid, uniforms } = kernel.dispatch(parsed(kernel), 100, 229)
    expect(grid).toEqual([3, 1, 1])
    expect([...new Uint32Array(uniforms)]).toEqual([100, 129, 0x3f00_0000, 4, 0xffff_ffff, 0, 0, 0])
  })

  it('agrees within a tolerance only where its output is of floats', () => {
    expect(made().tolerance).toEqual({ abs: 1e-6, rel: 1e-5, scale: 'tensor' })
    const own = { abs: 0, rel: 0.25, scale: 'element' } as const
    expect(made({ ...declared, tolerance: own }).tolerance).toEqual(own)
    const whole = customKernel(source.replace('y: array<f32>', 'y: array<u32>'), {
      ...declared,
      output: { name: 'y', type: 'u32' },
      tolerance: own,
    })
    expect(whole.ok && 'tolerance' in whole.value).toBe(false)
  })

  it('refuses parameters by name', () => {
    const kernel = made()
    const refused = (change: Params): string => {
      const result = kernel.parse({ ...params, ...change })
      return result.ok ? 'taken' : result.error.param
    }
    const { gain: _, ...without } = params
    expect(kernel.parse(without)).toMatchObject({
      ok: false,
      error: { param: 'gain', found: 'nothing' },
    })
    expect(refused({ items: 0 })).toBe('items')
    expect(refused({ items: 64 * 65_535 + 1 })).toBe('items')
    expect(refused({ lengths: [1000] })).toBe('lengths')
    expect(refused({ lengths: [1000, 2 ** 25 + 1] })).toBe('lengths')
    expect(refused({ lengths: [1000, Number.NaN] })).toBe('lengths')
    expect(refused({ gain: 0.5 })).toBe('gain')
    expect(refused({ gain: '1e99' })).toBe('gain')
    expect(refused({ turns: -1 })).toBe('turns')
    expect(refused({ turns: 2 ** 32 })).toBe('turns')
    expect(refused({ shift: 2 ** 31 })).toBe('shift')
    expect(refused({ more: 1 })).toBe('more')
    expect(refused({ items: 64 * 65_535, lengths: [1, 1] })).toBe('taken')
  })

  it('refuses an output that no adapter has to bind', () => {
    const kernel = made({ ...declared, itemLength: 1000 })
    expect(kernel.parse({ ...params, items: 100_000 }).ok).toBe(false)
  })

  it('is refused with a bad digest or item length', () => {
    for (const change of [
      { digest: 'short' },
      { digest: 'A'.repeat(12) },
      { itemLength: 0 },
      { itemLength: 1.5 },
    ]) {
      expect(customKernel(source, { ...declared, ...change })).toMatchObject({
        ok: false,
        error: { code: 'declared', line: 0 },
      })
    }
    expect(customKernel('while (true) {}', declared).ok).toBe(false)
  })
})

describe('a constant written as decimal text', () => {
  it('becomes the bits of the nearest f32', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const bits = f32Bits(String(value))
        expect(new Float32Array(Uint32Array.of(bits ?? 0).buffer)[0]).toBe(
          Object.is(value, -0) ? 0 : value,
        )
      }),
    )
    expect(f32Bits('-0')).toBe(0x8000_0000)
    expect(f32Bits('+.5e1')).toBe(0x40a0_0000)
  })

  it('is nothing else', () => {
    for (const text of [
      '',
      'NaN',
      'Infinity',
      '0x10',
      '1e',
      '1e9999',
      ' 1',
      '1 ',
      '1_0',
      '--1',
      '9'.repeat(41),
    ]) {
      expect(f32Bits(text)).toBeUndefined()
    }
  })
})
