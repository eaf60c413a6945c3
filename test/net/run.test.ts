/** `swarm run` as a person uses it: its exit codes, and a job that outlives the program that asked for it. */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { verifyText } from '../../relay/commands/verify.ts'
import { foundSwarm } from '../../relay/found-swarm.ts'
import { root } from '../../relay/local-node.mjs'
import { fetchSwarmInfo, openNodePeer, type NodePeer } from '../../relay/node-peer.ts'
import type { RunReport } from '../../relay/report.ts'
import type { RunningRelay } from '../../relay/relay.ts'
import type { Result } from '../../src/base/result.ts'
import { readNpy, writeNpy } from '../../src/spec/npy.ts'
import { relayFor, until } from './rig.ts'

type Ended = { readonly code: number | null; readonly out: string; readonly said: string }
type Running = { readonly child: ChildProcess; readonly ended: Promise<Ended> }

const folder = mkdtempSync(join(tmpdir(), 'swarm-run-'))
const aliceData = join(folder, 'alice')
const ownShader = join(root, 'public/jobs/own-shader.swarm.md')
const matmul = join(root, 'public/jobs/matmul.swarm.md')
const mandelbrot = join(root, 'public/jobs/mandelbrot.swarm.md')
const children: ChildProcess[] = []
let relay: RunningRelay

const start = (...words: string[]): Running => {
  const child = spawn(process.execPath, [join(root, 'relay/cli.ts'), 'run', ...words], {
    cwd: folder,
    env: { ...process.env, SWARM_LOOPBACK_ONLY: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.push(child)
  let [out, said] = ['', '']
  child.stdout.on('data', (text) => (out += text))
  child.stderr.on('data', (text) => (said += text))
  const ended = new Promise<Ended>((resolve) =>
    child.once('close', (code) => resolve({ code, out, said })),
  )
  return { child, ended }
}
const run = (...words: string[]): Promise<Ended> => start(...words).ended
const report = (file: string): RunReport => JSON.parse(readFileSync(file, 'utf8')) as RunReport

const good = <T, E>(result: Result<T, E>): T => {
  if (!result.ok) throw new Error(JSON.stringify(result.error))
  return result.value
}

/** Bob lends his processor, a little of it: his tasks take long enough to be interrupted. */
const lendingBob = async (share: number): Promise<NodePeer> => {
  process.env['SWARM_LOOPBACK_ONLY'] = '1'
  const bob = good(
    await openNodePeer(good(await fetchSwarmInfo(relay.url)), join(folder, 'bob'), 'test'),
  )
  bob.handle.setLimits({ ...bob.handle.limits(), share })
  bob.handle.start()
  await until('bob is ready', () => bob.handle.view().donate.state === 'ready', 60_000)
  return bob
}

beforeAll(async () => {
  const founded = good(foundSwarm(aliceData, 'test'))
  relay = await relayFor({ genesis: founded.genesis })
})
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL')
  await relay?.close()
  rmSync(folder, { recursive: true, force: true })
})

describe('swarm run', () => {
  it('names file, line and field of what is wrong with a spec, and ends with 2', async () => {
    const file = join(folder, 'bad.swarm.md')
    writeFileSync(file, '---\nswarm: 1\nname: bad\nrun: mandelbrot\nparams:\n  width: wide\n---\n')
    const { code, said } = await run(file, '--relay', relay.url)
    expect(said).toMatch(/bad\.swarm\.md:6: params\.width: expected/)
    expect(code).toBe(2)
  })

  it('names line and field of an input that does not fit, and of a test that fails', async () => {
    const file = join(folder, 'a.npy')
    const data = new Int32Array(6)
    writeFileSync(file, writeNpy({ dtype: 'i32', shape: [2, 3], data }))
    const input = await run(matmul, '--input', `a=${file}`)
    expect(input.said).toBe(
      `swarm: matmul.swarm.md:12: inputs.a: expected f32[2, 3] in ${file}, found i32[2, 3]\n`,
    )
    expect(input.code).toBe(2)
    const missing = await run(matmul, '--input', 'a=nowhere.npy')
    expect(missing.said).toContain('matmul.swarm.md:12: inputs.a: nowhere.npy: there is no such')
    const spec = join(folder, 'wrong.swarm.md')
    writeFileSync(spec, readFileSync(matmul, 'utf8').replace('[[19, 22]', '[[19, 23]'))
    const test = await run(spec)
    expect(test.said).toMatch(/^swarm: wrong\.swarm\.md:\d+: fence #two-by-two\.expect\.c\[1\]: /)
    expect(test.said).toContain('expected 23, found 22; nothing was sent')
    expect(test.code).toBe(2)
  })

  it('ends with 2 for words that make no sense together, and says why', async () => {
    const cases: [string[], string][] = [
      [[], 'which spec?'],
      [[mandelbrot, '--relay', relay.url, '--nodes', '2'], 'exclude each other'],
      [[mandelbrot, '--nodes', 'many'], '--nodes: expected a whole number'],
      [[join(folder, 'nowhere.swarm.md')], 'nowhere.swarm.md'],
      [[mandelbrot, '--input', 'photo=x.png'], '--input photo'],
      [[mandelbrot, '--out', '/dev/null/out'], '--out'],
    ]
    const ends = await Promise.all(cases.map(([words]) => run(...words)))
    ends.forEach(({ code, said }, i) => {
      expect(said).toContain(cases[i]![1])
      expect(code).toBe(2)
    })
  })

  it('ends with 1 where there is no relay', async () => {
    const { code, said } = await run(mandelbrot, '--relay', 'http://127.0.0.1:9')
    expect(said).toContain('no-relay')
    expect(said).toContain('no browser calls it')
    expect(code).toBe(1)
    const silent = await run(mandelbrot, '--relay', 'http://127.0.0.1:4999')
    expect(silent.said).toBe('swarm: http://127.0.0.1:4999: nobody answers there (no-relay)\n')
    expect(silent.code).toBe(1)
  })

  it('ends with 1 where the account has no credits, and says how to ask all the same', async () => {
    const data = join(folder, 'without-credits')
    const { code, out, said } = await run(mandelbrot, '--relay', relay.url, '--data', data)
    expect(said).toMatch(/^swarm: the job costs \d+ micro-credits, this account has 0; .*\n$/)
    expect(said).toContain('--budget free')
    expect({ code, out }).toEqual({ code: 1, out: '' })
  })

  it('ends with 3 when nobody takes the work before the deadline', async () => {
    const json = join(folder, 'nobody.json')
    const words = [
      mandelbrot,
      '--relay',
      relay.url,
      '--data',
      join(folder, 'carol'),
      '--budget',
      'free',
    ]
    const { code, said } = await run(...words, '--set', 'deadline=3s', '--json', json)
    expect(said).toContain('no node took any task before the deadline: no other node lends')
    expect(code).toBe(3)
    expect(report(json)).toMatchObject({
      state: 'failed',
      problem: { code: 'nobody-came' },
      receipts: [],
    })
  })

  it('goes on after kill -9 and after Ctrl-C with the same command, and pays each task once', async () => {
    const bob = await lendingBob(0.1)
    const paid = () => bob.handle.view().wallet.receipts.filter(({ role }) => role === 'worker')
    const json = join(folder, 'resumed.json')
    const out = join(folder, 'resumed')
    const sized = ['width=320', 'height=240', 'iterations=2000'].flatMap((set) => ['--set', set])
    const words = [
      mandelbrot,
      '--relay',
      relay.url,
      '--data',
      aliceData,
      ...sized,
      '--json',
      json,
      '--out',
      out,
    ]
    try {
      const killed = start(...words)
      await until('two tasks are paid', () => paid().length >= 2, 60_000)
      killed.child.kill('SIGKILL')
      await killed.ended
      const atKill = paid().length
      const stopped = start(...words)
      await until('two more are paid', () => paid().length >= atKill + 2, 60_000)
      stopped.child.kill('SIGINT')
      const interrupted = await stopped.ended
      expect(interrupted.code, interrupted.said).toBe(130)
      bob.handle.setLimits({ ...bob.handle.limits(), share: 1 })
      const { code, said } = await run(...words)
      expect(code, said).toBe(0)
    } finally {
      await bob.close()
    }
    const { tasks, receipts, credit, outputs, requester } = report(json)
    // Fewer would have been over before anybody could interrupt them.
    expect(tasks.length).toBeGreaterThan(6)
    expect(
      tasks.every(({ verdict, check }) => verdict === 'accepted' && check === 'bit-equality'),
    ).toBe(true)
    expect(new Set(paid().map(({ signed }) => signed.body.task)).size).toBe(tasks.length)
    expect(paid()).toHaveLength(tasks.length)
    expect(receipts).toHaveLength(tasks.length)
    const cost = tasks.reduce((sum, { microCredits }) => sum + microCredits, 0)
    expect(credit[requester]!.before - credit[requester]!.after).toBe(cost)
    const sum = (which: 'before' | 'after') =>
      Object.values(credit).reduce((all, one) => all + one[which], 0)
    expect(sum('after')).toBe(sum('before'))
    expect(outputs.map(({ name }) => name)).toContain('image')
  })

  it('brings its own relay and node, and leaves results, receipts and an account', async () => {
    const json = join(folder, 'own.json')
    const sized = ['width=64', 'height=64', 'iterations=100'].flatMap((set) => ['--set', set])
    const { code, out, said } = await run(
      mandelbrot,
      '--nodes',
      '1',
      '--data',
      join(folder, 'own'),
      ...sized,
      '--json',
      json,
    )
    expect(code, said).toBe(0)
    // Nobody watches, so nothing is said of its progress; the answer is all there is.
    expect(said).toBe('')
    expect(out).toMatch(/^image: out\/image\.png\n/)
    expect(out).toMatch(/^receipts: \d+ in out\/receipts\nchecked: \d+ by bit-equality$/m)
    expect(out).toMatch(/^did:key:\S+ +software +direct +\d+$/m)
    expect(out).toMatch(/^did:key:\S+ +[\d.]+ +[\d.]+ +-[\d.]+$/m)
    expect(out).toMatch(/done in [\d.]+ s\n$/)
    // eslint-disable-next-line no-control-regex
    expect(out).not.toMatch(/\x1b/)
    const { state, nodes, tasks } = report(json)
    expect(state).toBe('done')
    expect(nodes).toMatchObject([{ link: 'direct', tasks: tasks.length }])
    const again = await run(
      mandelbrot,
      '--nodes',
      '1',
      '--data',
      join(folder, 'own'),
      ...sized,
      '--json',
      json,
    )
    expect(again.code, again.said).toBe(0)
    expect(report(json).receipts, 'only those of this run').toHaveLength(tasks.length)
  })

  it('keeps a shader of the spec’s own from nodes whose owner does not allow it, and says so', async () => {
    const { code, said } = await run(ownShader, '--nodes', '2')
    expect(said).toContain('--allow-wgsl')
    expect(code).toBe(3)
    const alone = await run(ownShader, '--nodes', '1', '--allow-wgsl')
    expect(alone.said).toContain('from 2 different nodes')
    expect(alone.code).toBe(3)
    const others = await run(ownShader, '--relay', relay.url, '--allow-wgsl')
    expect(others).toMatchObject({ code: 2 })
  })

  it('runs a shader of the spec’s own over its input where the owner allows it', async () => {
    const out = join(folder, 'shader')
    const json = join(folder, 'shader.json')
    const words = ['--nodes', '2', '--allow-wgsl', '--set', 'items=5000', '--out', out]
    const { code, said } = await run(
      ...[ownShader, ...words, '--data', join(folder, 'shader-data'), '--json', json],
    )
    expect(code, said).toBe(0)
    const { tasks, receipts, nodes } = report(json)
    expect(new Set(tasks.map(({ check }) => check))).toEqual(new Set(['replicas']))
    expect(nodes).toHaveLength(2)
    expect(receipts).toHaveLength(2 * tasks.length)
    const result = readNpy(new Uint8Array(readFileSync(join(out, 'result.npy'))))
    const steps = (start: number): number => {
      let [number, count] = [start, 0]
      for (; number > 1; count++) number = number % 2 === 0 ? number / 2 : 3 * number + 1
      return count
    }
    expect(result.ok && [...result.value.data]).toEqual(
      Array.from({ length: 5_000 }, (_, item) => steps(item)),
    )
    const file = join(out, 'receipts', `${receipts[0]}.json`)
    const verified = await verifyText(readFileSync(file, 'utf8'), [out])
    const findings = verified.ok ? verified.value[0]!.findings : []
    expect(findings.filter(({ holds }) => holds !== true).map(({ what }) => what)).toEqual([
      're-execution',
    ])
    expect(findings.map(({ what }) => what)).toContain('input x')
  })
})
