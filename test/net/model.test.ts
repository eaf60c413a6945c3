/** A model's file on two real nodes of Node, which have no GPU: cut, computed with WebAssembly, checked, paid. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bind } from '../../kernels/tensor/bind.ts'
import { runReference } from '../../kernels/tensor/reference.ts'
import { floats } from '../../kernels/noise.ts'
import { foundSwarm } from '../../relay/found-swarm.ts'
import { root } from '../../relay/local-node.mjs'
import { fetchSwarmInfo, openNodePeer, type NodePeer } from '../../relay/node-peer.ts'
import type { RunReport } from '../../relay/report.ts'
import type { RunningRelay } from '../../relay/relay.ts'
import { writeModel } from '../../src/models/onnx/write-model.ts'
import { readNpy, writeNpy } from '../../src/spec/npy.ts'
import { relayFor, until } from './rig.ts'
import type { Attribute, Graph } from '../../kernels/tensor/graph.ts'
import type { Tensor } from '../../kernels/tensor/tensor.ts'

const folder = mkdtempSync(join(tmpdir(), 'swarm-model-'))
let relay: RunningRelay
let bob: NodePeer

const drawn = (shape: number[], seed: number): Tensor => {
  const length = shape.reduce((product, size) => product * size, 1)
  return { element: 'f32', shape, data: floats(length, seed, 0.3) }
}
const node = (
  op: string,
  inputs: number[],
  output: number,
  given: Record<string, Attribute> = {},
) => {
  const attributes = new Map(Object.entries(given))
  return { op, domain: '', name: `node ${output}`, inputs, outputs: [output], attributes }
}
const net: Graph = {
  opset: 21,
  values: Array.from({ length: 12 }, (_, id) => `v${id}`),
  nodes: [
    node('Conv', [0, 1], 5, { pads: [1, 1, 1, 1] }),
    node('Relu', [5], 6),
    node('GlobalAveragePool', [6], 7),
    node('Flatten', [7], 8),
    node('Gemm', [8, 2, 3], 9, { transB: 1 }),
    node('Softmax', [9], 10),
    node('ArgMax', [10], 11, { axis: 1 }),
  ],
  inputs: [0],
  outputs: [10, 11],
  constants: new Map([
    [1, drawn([8, 3, 3, 3], 1)],
    [2, drawn([5, 8], 2)],
    [3, drawn([5], 3)],
  ]),
}
const picture = drawn([2, 3, 16, 16], 4)

const run = (...words: string[]): Promise<{ code: number | null; out: string; said: string }> => {
  const child = spawn(process.execPath, [join(root, 'relay/cli.ts'), 'run', ...words], {
    cwd: folder,
    env: { ...process.env, SWARM_LOOPBACK_ONLY: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [out, said] = ['', '']
  child.stdout.on('data', (text) => (out += text))
  child.stderr.on('data', (text) => (said += text))
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, out, said })))
}

const SPEC = join(folder, 'net.swarm.md')
const GIVEN = [
  '--input',
  `model=${join(folder, 'net.onnx')}`,
  '--input',
  `v0=${join(folder, 'x.npy')}`,
]

beforeAll(async () => {
  process.env['SWARM_LOOPBACK_ONLY'] = '1'
  const types = new Map([[0, picture]])
  const written = writeModel(net, types)
  if (!written.ok) throw new Error(written.error.detail)
  writeFileSync(join(folder, 'net.onnx'), written.value)
  const data = picture.data as Float32Array
  writeFileSync(join(folder, 'x.npy'), writeNpy({ dtype: 'f32', shape: picture.shape, data }))
  writeFileSync(
    SPEC,
    '---\nswarm: 1\nname: net\nrun: graph\nparams: { cut: [v6] }\nbudget: 1 credits\n---\n',
  )
  const founded = foundSwarm(join(folder, 'alice'), 'test')
  if (!founded.ok) throw new Error(founded.error.detail)
  relay = await relayFor({ genesis: founded.value.genesis })
  const info = await fetchSwarmInfo(relay.url)
  if (!info.ok) throw new Error(info.error.detail)
  const opened = await openNodePeer(info.value, join(folder, 'bob'), 'test')
  if (!opened.ok) throw new Error(opened.error.detail)
  bob = opened.value
  bob.handle.start()
  await until('bob is ready', () => bob.handle.view().donate.state === 'ready', 60_000)
})
afterAll(async () => {
  await bob?.close()
  await relay?.close()
  rmSync(folder, { recursive: true, force: true })
})

describe('a model’s file', () => {
  it('is a plan with operators, operations and a price, and nothing is sent for it', async () => {
    const { code, out } = await run(SPEC, ...GIVEN, '--dry-run')
    expect(out).toMatch(/0 {2}graph@1 .* node 5 Conv, node 6 Relu\n/)
    expect(out).toMatch(/2 tasks, \d+ operations, \d+ bytes\n.* at most; nothing was sent\n$/)
    expect(code).toBe(0)
  })

  it('is computed by another node, in two parts, and comes out as its reference says', async () => {
    const json = join(folder, 'report.json')
    const words = ['--relay', relay.url, '--data', join(folder, 'alice'), '--json', json]
    const { code, said } = await run(SPEC, ...GIVEN, ...words)
    expect({ code, said }).toEqual({ code: 0, said: '' })
    const report = JSON.parse(readFileSync(json, 'utf8')) as RunReport
    expect(report.tasks.map(({ kernel, check }) => [kernel, check])).toEqual([
      ['graph@1', 'op-by-op'],
      ['graph@1', 'op-by-op'],
    ])
    expect(report.receipts).toHaveLength(2)
    const bound = bind(net, [picture])
    if (!bound.ok) throw new Error(bound.error.detail)
    const [scores, label] = runReference(bound.value, [picture]).map(({ data }) => data)
    const got = ['v10', 'v11'].map((name) => readNpy(readFileSync(join(folder, `out/${name}.npy`))))
    expect(got[0]).toMatchObject({ ok: true, value: { dtype: 'f32', shape: [2, 5] } })
    expect(got[1]).toMatchObject({ ok: true, value: { dtype: 'i32', shape: [2, 1] } })
    const [p, best] = got.map((read) => (read.ok ? [...read.value.data] : []))
    expect(p!.every((x, i) => Math.abs(x - scores![i]!) < 1e-5)).toBe(true)
    expect(best).toEqual([...label!])
  })

  it('is refused with the operator that is not covered, its node, and the line of the spec', async () => {
    const bytes = readFileSync(join(folder, 'net.onnx'))
    const at = bytes.indexOf('ArgMax')
    bytes.write('ArgMix', at)
    writeFileSync(join(folder, 'odd.onnx'), bytes)
    const { code, said } = await run(
      SPEC,
      '--input',
      `model=${join(folder, 'odd.onnx')}`,
      '--dry-run',
    )
    expect(said).toContain('inputs.model: expected an ONNX model whose operators are known here')
    expect(said).toContain('not covered: node 11 ArgMix')
    expect(code).toBe(2)
  })
})
