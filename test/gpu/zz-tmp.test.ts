import { expect, it } from 'vitest'
import { kernelById } from '../../kernels/index.ts'
import { mandelbrotTile, mandelbrotView } from '../../kernels/fixed-point.ts'
import { tensorBytes } from '../../kernels/kernel.ts'
import { ComputeEngine } from '../../workers/compute.ts'
it('times', async () => {
  const gpu = new ComputeEngine(navigator.gpu), cpu = new ComputeEngine(navigator.gpu, { force: 'cpu' })
  await gpu.open(); await cpu.open()
  const tile = (limbs: number, zoom: string, it: number) => { const v = mandelbrotView({ centerX: '-0.743643887037158704752191506114774', centerY: '0.131825904205311970493132056385139', zoom, width: 256, height: 256 }); if (!v.ok) throw new Error(v.error.expected); return { ...mandelbrotTile(v.value, 0, 0), width: 256, height: 256, iterations: it } }
  const img = (filter: string, radius: number) => ({ filter, radius, sigma: filter === 'sobel' ? 0 : radius * 400, amount: filter === 'unsharp' ? 1000 : 0, width: 512, height: 512, left: 0, top: 0, right: 0, bottom: 0 })
  const list: [string, any][] = [['matmul@1', { m: 512, k: 512, n: 512 }], ['matmul@1', { m: 1024, k: 1024, n: 1024 }], ['matmul@1', { m: 511, k: 511, n: 511 }], ['matmul-i8@1', { m: 512, k: 512, n: 512 }], ['matmul-i8@1', { m: 511, k: 511, n: 511 }],
    ['mandelbrot@1', tile(2, '1', 1000)], ['mandelbrot@1', tile(2, '1e3', 1000)], ['mandelbrot@1', tile(2, '1e20', 1000)],
    ['image-filter@1', img('gaussian-blur', 2)], ['image-filter@1', img('gaussian-blur', 16)], ['image-filter@1', img('sobel', 1)], ['image-filter@1', img('unsharp', 5)],
    ['map@1', { length: 1 << 22, program: '0.5 * x * (1 + tanh(0.7978846 * (x + 0.044715 * x * x * x)))' }], ['map@1', { length: 1 << 22, program: 'x*2+1' }], ['sum@1', { length: 1 << 22, block: 4096 }], ['sum@1', { length: 1 << 22, block: 65536 * 16 }]]
  const out: string[] = []
  for (const [id, params] of list) {
    const k = kernelById(id)!; const p = k.parse(params); if (!p.ok) throw new Error(JSON.stringify(p.error))
    const inputs = k.inputs(p.value).map((t) => { const b = new Uint8Array(tensorBytes(t)); if (t.dtype === 'f32') { new Float32Array(b.buffer).forEach((_, i, a) => { a[i] = Math.random() - .5 }) } else b.forEach((_, i) => { b[i] = Math.random() * 256 }); return b })
    const row = [id, JSON.stringify(params).slice(0, 90)]
    for (const e of [gpu, gpu, cpu]) { const t = performance.now(); const r = await e.run({ id: String(Math.random()), kernel: id, params, inputs }); if (!r.ok) { row.push(r.error.code + r.error.detail); continue }
      row.push(`${r.value.engine} ${r.value.computeMs.toFixed(0)}ms/${(performance.now() - t).toFixed(0)} sl${r.value.slices} ${(k.costFlop(p.value) / r.value.computeMs / 1e6).toFixed(2)}GF`)
      if (e === gpu) { const t2 = performance.now(); const c = await e.check({ id: 'c', kernel: id, params, inputs, output: r.value.output, type: k.output(p.value), rate: 64 }); row.push(`check ${c.ok && c.value.kind} ${(performance.now() - t2).toFixed(0)}`) } }
    console.log(row.join(' | '))
  }
  for (const e of [gpu, cpu]) { const t = performance.now(); const b = await e.benchmark('b'); out.push(JSON.stringify(b) + (performance.now() - t).toFixed(0)) }
  console.log(out.join('\n'))
  expect(1).toBe(1)
}, 60000)
