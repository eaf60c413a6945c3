import { describe, expect, it } from 'vitest'
import { formatSpecError } from './spec-error.ts'
import { parseSpec, type Spec } from './spec.ts'

const front = (rest: string): string =>
  `---\nswarm: 1\nname: picture\nrun: mandelbrot\n${rest}---\n`
const parsed = (text: string, overrides = {}): Spec => {
  const spec = parseSpec(text, 'a.swarm.md', overrides)
  if (!spec.ok) throw new Error(spec.error.map(formatSpecError).join('\n'))
  return spec.value
}
const errors = (content: string | Uint8Array, overrides = {}): string[] => {
  const spec = parseSpec(content, 'a.swarm.md', overrides)
  return spec.ok ? [] : spec.error.map(formatSpecError)
}

describe('a spec', () => {
  it('needs only a version, a name and what to run; the rest has defaults', () => {
    const { cid, ...spec } = parsed(front(''))
    expect(cid).toMatch(/^bafyrei/)
    expect(spec).toEqual({
      name: 'picture',
      title: 'picture',
      program: {
        kind: 'mandelbrot',
        width: 1024,
        height: 768,
        centerX: '-0.5',
        centerY: '0',
        zoom: '1',
        iterations: 500,
        palette: 'sheet',
      },
      inputs: {},
      outputs: { image: { format: 'png' } },
      needs: { adapter: 'any', memoryBytes: 268_435_456 },
      redundancy: 1,
      deadlineMs: 600_000,
      budget: 0,
      privacy: 'public',
      tile: 0,
      tests: [],
      file: 'a.swarm.md',
      lines: { swarm: 2, name: 3, run: 4, params: 4 },
    })
  })

  it('turns friendly units into whole numbers', () => {
    const spec = parsed(
      front(
        'budget: 0.25 credits\ndeadline: 1h30m\nneeds: { adapter: gpu, memory: 1.5 GiB }\nredundancy: 3\n',
      ),
    )
    expect(spec.budget).toBe(250_000)
    expect(spec.deadlineMs).toBe(5_400_000)
    expect(spec.needs).toEqual({ adapter: 'gpu', memoryBytes: 1_610_612_736 })
    expect(spec.redundancy).toBe(3)
  })

  it('keeps every digit of a deep zoom, quoted or not', () => {
    const digits = '-0.743643887037158704752191506114774'
    for (const written of [digits, `"${digits}"`, `${digits}000`]) {
      expect(parsed(front(`params: { centerX: ${written}, zoom: 1e20 }\n`)).program).toMatchObject({
        centerX: digits,
        zoom: '100000000000000000000',
      })
    }
  })

  it('gives Sobel the one meaning it has, whatever the template said of blurs', () => {
    const image =
      '---\nswarm: 1\nname: p\nrun: image\nparams: { filter: sobel, radius: 6, sigma: 2.5, amount: 1 }\n---\n'
    expect(parsed(image).program).toEqual({
      kind: 'image',
      filter: 'sobel',
      radius: 1,
      sigmaMilli: 0,
      amountMilli: 0,
    })
    expect(parsed(image, { filter: 'unsharp' }).program).toMatchObject({
      radius: 6,
      sigmaMilli: 2_500,
      amountMilli: 1_000,
    })
  })

  it('finds the second input of a map in its program', () => {
    const map =
      '---\nswarm: 1\nname: m\nrun: map\nparams: { length: 8 }\n---\n```map #main\nx * y\n```\n'
    expect(parsed(map).inputs).toEqual({
      x: { kind: 'range', dtype: 'f32', shape: [8], seed: 1 },
      y: { kind: 'random', dtype: 'f32', shape: [8], seed: 2 },
    })
  })

  it('takes sizes from the shapes of inputs where parameters leave them open', () => {
    const text =
      '---\nswarm: 1\nname: m\nrun: matmul\nparams: { n: 3 }\ninputs:\n  a: { kind: random, shape: [4, 5] }\n---\n'
    expect(parsed(text).program).toMatchObject({ m: 4, k: 5, n: 3 })
    expect(parsed(text).inputs['b']?.shape).toEqual([5, 3])
  })
})

describe('a spec with a shader of its own', () => {
  const shader = `struct Params { offset: u32, items: u32, first: u32, gain: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> result: array<f32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>) {
  result[params.offset + gid.x] = params.gain * x[params.offset + gid.x];
}
`
  const text = (source: string, more = ''): string =>
    `---\nswarm: 1\nname: own\nrun: wgsl\nparams:\n  items: 100\n  constants: ["gain: f32 = 1.5"]\ninputs: { x: { kind: random } }\n${more}---\n\`\`\`wgsl #main\n${source}\`\`\`\n`

  it('is admitted, runs on two nodes at least, and has an input per item unless it says otherwise', () => {
    const spec = parsed(text(shader))
    expect(spec.redundancy).toBe(2)
    expect(spec.inputs).toEqual({ x: { kind: 'random', dtype: 'f32', shape: [100], seed: 1 } })
    expect(spec.program).toMatchObject({
      items: 100,
      itemLength: 1,
      iterations: 1_000,
      output: 'f32',
      constants: ['gain: f32 = 1.5'],
    })
  })

  it('is told the line of a mistake in the file, not in the shader', () => {
    const wrong = shader.replace('params.gain * x', 'params.loss * x')
    expect(errors(text(wrong))[0]).toMatch(/^a\.swarm\.md:17: source, line 7 column \d+: expected /)
    expect(errors(text(shader, 'redundancy: 1\n'))[0]).toContain(
      'redundancy: expected a whole number from 2 to 5, found 1',
    )
    expect(errors(text(shader).replace('gain: f32 = 1.5', 'gain'))[0]).toContain(
      'expected a constant such as "gain: f32 = 1.5", found "gain"',
    )
  })
})

describe('the name of a contract', () => {
  const text = front(
    'title: A picture\nparams:\n  width: 640\n  zoom: 10\nneeds: { adapter: any, memory: 64 MiB }\n',
  )
  const { cid } = parsed(text)

  it.each([
    ['prose', `${text}\n# A picture\n\nwith words and a [link](https://example.org)\n`],
    ['comments', text.replace('width: 640', 'width: 640 # wide enough')],
    [
      'the order of keys',
      front(
        'needs: { memory: 65536 KiB, adapter: any }\nparams: { zoom: 1e1, width: 640 }\ntitle: A picture\n',
      ),
    ],
    ['defaults spelled out', text.replace('---\n', '---\nredundancy: 1\nprivacy: public\n')],
    ['line ends', text.replaceAll('\n', '\r\n')],
    ['a byte order mark', `\uFEFF${text}`],
    ['extensions', text.replace('---\n', '---\nx-editor: { color: red, 1: 0.5 }\n')],
    ['a fence without a name', `${text}\n\`\`\`json\n{ "this": "is prose" }\n\`\`\`\n`],
    ['a fence in a comment', `${text}\n<!--\n\`\`\`json #out when=preflight\n-->\n`],
  ])('does not change with %s', (_, same) => {
    expect(parsed(same).cid).toBe(cid)
  })

  it('changes with anything that has a meaning', () => {
    const test =
      '```json #t when=preflight\n{ "params": { "width": 1, "height": 1 }, "expect": { "image": 500 } }\n```\n'
    const others = [
      text.replace('640', '641'),
      text.replace('A picture', 'Another picture'),
      text.replace('64 MiB', '65 MiB'),
      text.replace('---\n', '---\nredundancy: 2\n'),
      text.replace('---\n', '---\noutputs: { image: { format: npy } }\n'),
      text + test,
      text + test.replace('500', '501'),
    ]
    expect(new Set([cid, ...others.map((other) => parsed(other).cid)]).size).toBe(others.length + 1)
  })

  it('is the same whether a value was written or set', () => {
    expect(parsed(text.replace('640', '512')).cid).toBe(parsed(text, { width: '512' }).cid)
  })
})
