import { describe, expect, it } from 'vitest'
import { tensorBytes } from '../../kernels/kernel.ts'
import { ownKernel, ownShader } from './own-shader.ts'

const source = `struct Params { offset: u32, items: u32, first: u32, gain: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> result: array<f32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>) {
  let item = params.offset + gid.x;
  var sum = 0.0;
  for (var i = 0u; i < 8u; i++) { sum += x[item] * params.gain; }
  result[2u * item] = sum;
  result[2u * item + 1u] = f32(params.first + item);
}`
const params = {
  source,
  items: 100,
  itemLength: 2,
  iterations: 8,
  output: 'f32',
  inputs: 'x: f32',
  lengths: [100],
  constants: 'gain: f32 = 1.5',
  first: 300,
}

describe("alice's own shader", () => {
  it('is admitted with its shapes, and told where its slice of the job begins', () => {
    const parsed = ownKernel.parse(params)
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.error))
    const p = parsed.value
    expect(ownKernel.inputs(p)).toEqual([{ dtype: 'f32', shape: [100] }])
    expect(tensorBytes(ownKernel.output(p))).toBe(800)
    expect([ownKernel.items(p), ownKernel.itemLength(p)]).toEqual([100, 2])
    expect(ownKernel.costFlop(p)).toBeGreaterThan(0)
    const { grid, uniforms } = ownKernel.dispatch(p, 64, 100)
    expect(grid).toEqual([1, 1, 1])
    const words = new DataView(uniforms)
    expect([0, 4, 8].map((at) => words.getUint32(at, true))).toEqual([64, 36, 300])
    expect(words.getFloat32(12, true)).toBe(1.5)
    expect(ownKernel.specialise?.('', p)).not.toBe(source)
    expect(ownKernel.specialise?.('', p)).toContain('fn main')
  })

  it('reads whole numbers, and the pixels of a picture as words of four bytes', () => {
    const typed = source
      .replace('x: array<f32>', 'x: array<i32>')
      .replace(
        '@binding(2)',
        '@binding(2) var<storage, read> photo: array<u32>;\n@group(0) @binding(3)',
      )
      .replace('x[item]', 'f32(x[item] + i32(photo[item] & 0xffu))')
    const parsed = ownKernel.parse({
      ...params,
      source: typed,
      inputs: 'x: i32\nphoto: u8',
      lengths: [100, 400],
    })
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.error))
    expect(ownKernel.inputs(parsed.value)).toEqual([
      { dtype: 'i32', shape: [100] },
      { dtype: 'u8', shape: [400] },
    ])
    expect(ownKernel.costBytes(parsed.value)).toBe(400 + 400 + 800)
    const odd = { ...params, source: typed, inputs: 'x: i32\nphoto: u8', lengths: [100, 399] }
    expect(ownKernel.parse(odd).ok).toBe(false)
  })

  it.each([
    ['an input of a type it does not declare', { inputs: 'x: u32' }, 'source, line 3'],
    ['an input without a type', { inputs: 'x' }, 'source'],
    ['an input of bytes', { inputs: 'x: i8' }, 'source'],
    [
      'a line that is no WGSL',
      { source: source.replace('var sum = 0.0;', 'var sum = ;') },
      'source, line 8 column 13',
    ],
    ['a constant it does not declare', { constants: '' }, 'source, line'],
    ['a constant that is none', { constants: 'gain = 1.5' }, 'source'],
    ['another dtype', { output: 'f64' }, 'source'],
    ['inputs without lengths', { lengths: [] }, 'source'],
    ['no items', { items: 0 }, 'source'],
    ['a param nobody asked for', { workgroup: 64 }, 'source'],
    ['a source of 40 kilobytes', { source: source + ' '.repeat(40_000) }, 'source'],
    ['no source', { source: 1 }, 'source'],
  ])('is refused with %s', (_, change, where) => {
    const parsed = ownKernel.parse({ ...params, ...change })
    expect(parsed.ok ? 'accepted' : parsed.error.param).toContain(where)
    expect(ownShader({ ...params, ...change }, 'planning').ok).toBe(false)
  })
})
