/** The command line as a person uses it: programs of their own, on loopback, and what they say and leave. */
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { hostname, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { root } from '../../relay/local-node.mjs'
import { isCid, isDid } from '../../src/base/ids.ts'
import { paidReceipt } from '../paid-receipt.ts'
import { until } from './rig.ts'

type Ended = { readonly code: number | null; readonly out: string; readonly said: string }
type Running = { readonly child: ChildProcess; readonly ended: Promise<Ended>; said(): string }

const folder = mkdtempSync(join(tmpdir(), 'swarm-cli-'))
const children: ChildProcess[] = []
afterAll(() => {
  for (const child of children) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

const start = (...words: string[]): Running => {
  const child = spawn(process.execPath, [join(root, 'relay/cli.ts'), ...words], {
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
  return { child, ended, said: () => said }
}
const swarm = (...words: string[]): Promise<Ended> => start(...words).ended

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })

type Place = {
  url: string
  multiaddrs: string[]
  peer: string
  swarm: string
  name: string
  founder: string | null
}

const relayAt = async (
  data: string,
  ...more: string[]
): Promise<Running & { place: Place; port: number }> => {
  const port = await freePort()
  const json = `${data}.json`
  rmSync(json, { force: true })
  const running = start('relay', '--port', String(port), '--data', data, '--json', json, ...more)
  const written = (): string => (existsSync(json) ? readFileSync(json, 'utf8') : '')
  await until(
    'the relay says where it is',
    () => written().endsWith('}\n') || running.child.exitCode !== null,
  )
  return { ...running, port, place: JSON.parse(written()) as Place }
}

const stop = async (
  { child, ended }: Running,
  signal: NodeJS.Signals,
): Promise<Ended & { ms: number }> => {
  const began = Date.now()
  child.kill(signal)
  return { ...(await ended), ms: Date.now() - began }
}

describe('swarm relay', () => {
  it('founds a swarm, says where it is, and stops politely', async () => {
    const data = join(folder, 'founded')
    const relay = await relayAt(data)
    const { url, multiaddrs, peer, founder } = relay.place
    expect(url).toBe(`http://127.0.0.1:${relay.port}`)
    expect(multiaddrs).toEqual([`/ip4/127.0.0.1/tcp/${relay.port}/ws/p2p/${peer}`])
    expect(isCid(relay.place.swarm)).toBe(true)
    expect(isDid(founder!)).toBe(true)
    const health = (await (await fetch(`${url}/health`)).json()) as {
      status: string
      version: string
      commit: string | null
      swarm: string
      peer: string
    }
    expect(health).toMatchObject({ status: 'ok', swarm: relay.place.swarm, peer })
    // `swarmharness 0.1.0 (25fd2b8e1c)`: the relay and the program say the same of themselves.
    const { out } = await swarm('--version')
    expect(out).toContain(health.version)
    expect(out).toContain(health.commit ?? health.version)
    const { code, said, ms } = await stop(relay, 'SIGTERM')
    expect(code).toBe(0)
    expect(ms).toBeLessThan(5_000)
    expect(said).toContain(`nodes dial:    ${multiaddrs[0]}`)
    expect(said).toContain('holds 1000000.00 credits')
  })

  it('is the same relay of the same swarm when it comes again', async () => {
    const data = join(folder, 'again')
    const first = await relayAt(data)
    await stop(first, 'SIGINT')
    const second = await relayAt(data)
    const { code } = await stop(second, 'SIGINT')
    expect(code).toBe(0)
    const { peer, swarm: cid, founder } = first.place
    expect(second.place).toMatchObject({ peer, swarm: cid, founder })
  })

  it('calls nobody a founder whose key holds nothing of the genesis', async () => {
    const data = join(folder, 'without-key')
    await stop(await relayAt(data), 'SIGTERM')
    rmSync(join(data, 'account.key.json'))
    const relay = await relayAt(data)
    expect(relay.place).toMatchObject({ founder: null, name: `the swarm of ${hostname()}` })
    await stop(relay, 'SIGTERM')
    expect(relay.said()).toContain('founder:       somebody else')
  })

  it('founds a swarm of the name it is given, which stays', async () => {
    const data = join(folder, 'named')
    const relay = await relayAt(data, '--name', 'Café du Nord')
    expect(relay.place.name).toBe('Café du Nord')
    await stop(relay, 'SIGTERM')
    const words = ['relay', '--port', '0', '--data', data, '--name', 'another']
    const { code, said } = await swarm(...words)
    expect(said).toContain('is called "Café du Nord" for good')
    expect(code).toBe(2)
  })

  it('says in one sentence that its port is taken', async () => {
    const relay = await relayAt(join(folder, 'taken'))
    const { code, said, out } = await swarm(
      'relay',
      '--port',
      String(relay.port),
      '--data',
      join(folder, 'other'),
    )
    expect(code).toBe(2)
    expect(out).toBe('')
    expect(said).toBe(
      `swarm: port ${relay.port} of 127.0.0.1 is in use; choose another with --port\n`,
    )
    await stop(relay, 'SIGTERM')
  })
})

describe('swarm status', () => {
  it('tells what the relay knows, in words and as JSON', async () => {
    const relay = await relayAt(join(folder, 'status'))
    const words = await swarm('status', '--relay', relay.place.url)
    expect(words).toMatchObject({ code: 0, said: '' })
    expect(words.out).toContain(relay.place.swarm)
    expect(words.out).toContain('relay ok')
    expect(words.out).toContain('no nodes')
    // eslint-disable-next-line no-control-regex
    expect(words.out).not.toMatch(/\x1b/)
    const json = await swarm('status', '--relay', relay.place.url, '--json', '-')
    expect(json).toMatchObject({ code: 0, said: '' })
    expect(JSON.parse(json.out)).toMatchObject({
      relay: relay.place.url,
      swarm: relay.place.swarm,
      nodes: [],
      health: { status: 'ok' },
    })
    await stop(relay, 'SIGTERM')
  })

  it('fails in words where no relay answers', async () => {
    const { code, said } = await swarm('status', '--relay', `http://127.0.0.1:${await freePort()}`)
    expect(code).toBe(1)
    expect(said).toMatch(/no-relay/)
  })
})

describe('swarm node', () => {
  it(
    'brings a browser node that others find, and takes it back when stopped',
    { timeout: 240_000 },
    async () => {
      const relay = await relayAt(join(folder, 'node'))
      const node = start('node', '--relay', relay.place.url)
      await until(
        'the node serves',
        () => /serve until stopped/.test(node.said()) || node.child.exitCode !== null,
        150_000,
      )
      expect(node.said()).toMatch(/(software adapter|GPU|processor only) +\d+ [MGT]FLOP\/s +ready/)
      const seen = async (): Promise<{ account: string; state: string; adapter: string }[]> =>
        (
          JSON.parse((await swarm('status', '--relay', relay.place.url, '--json', '-')).out) as {
            nodes: never[]
          }
        ).nodes
      expect(await seen()).toMatchObject([{ state: 'ready' }])
      const { code, ms } = await stop(node, 'SIGTERM')
      expect(code).toBe(0)
      expect(ms).toBeLessThan(10_000)
      // The registry may remember that it was here, and knows that it takes no work.
      expect((await seen()).filter(({ state }) => state !== 'paused')).toEqual([])
      await stop(relay, 'SIGTERM')
    },
  )
})

describe('swarm verify', () => {
  const small = { template: 'mandelbrot', sets: ['width=48', 'height=32', 'iterations=60'] }

  it('agrees with a receipt that is right, and says so line by line', async () => {
    const { file } = await paidReceipt(join(folder, 'right'), small)
    const words = await swarm('verify', file)
    expect(words).toMatchObject({ code: 0, said: '' })
    expect(words.out.match(/^✓ /gm)).toHaveLength(15)
    expect(words.out).not.toContain('✗')
    const json = await swarm('verify', file, '--json', '-')
    expect(json.code).toBe(0)
    expect(JSON.parse(json.out)).toMatchObject({ receipts: [{ agrees: true }] })
  })

  it('tells of several that agree in one line each, and all of it when asked', async () => {
    const dir = join(folder, 'several')
    const files = [
      (await paidReceipt(join(dir, 'one'), small)).file,
      (await paidReceipt(join(dir, 'another'), small)).file,
    ]
    const { code, out } = await swarm('verify', ...files)
    expect(code).toBe(0)
    expect(out.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/^✓ bafy\w+ {2}15 agree$/),
      expect.stringMatching(/^✓ bafy\w+ {2}15 agree$/),
      '2 of 2 receipts agree',
    ])
    const verbose = await swarm('verify', '--verbose', ...files)
    expect(verbose.out.match(/^✓ /gm)).toHaveLength(30)
  })

  it('does not agree with one that mallory has changed', async () => {
    const { file } = await paidReceipt(join(folder, 'changed'), small)
    const text = readFileSync(file, 'utf8')
    const changed = join(folder, 'changed.json')
    writeFileSync(changed, text.replace(/("body": \{[^}]*"microCredits": )\d+/s, '$1999999'))
    expect(readFileSync(changed, 'utf8')).not.toBe(text)
    const { code, out } = await swarm('verify', changed, '--inputs', dirname(dirname(file)))
    expect(code).toBe(1)
    expect(out).toMatch(/^✗ name /m)
    expect(out).toMatch(/^✗ requester’s signature /m)
    expect(out).toMatch(/^✗ worker’s signature /m)
    expect(out).toMatch(/^✗ debit /m)
  })

  it.each<[string, string, string]>([
    ['no file', 'nothing.json', ''],
    ['no JSON', 'broken.json', '{'],
    ['another document', 'other.json', '{"cid": "b"}'],
  ])('names the file that cannot be read: %s', async (_, name, text) => {
    const file = join(folder, name)
    if (text !== '') writeFileSync(file, text)
    const { code, said, out } = await swarm('verify', file)
    expect(code).toBe(2)
    expect(out).toBe('')
    expect(said).toMatch(/^swarm: .*\n$/)
    expect(said).toContain(name)
    expect(said).not.toMatch(/ENOENT|Invalid key/)
  })
})

describe('swarm up', () => {
  it(
    'serves a page that browsers outside can open, also when it keeps to this machine',
    { timeout: 240_000 },
    async () => {
      const port = await freePort()
      const up = start('up', '--port', String(port), '--nodes', '1', '--data', join(folder, 'up'))
      const answers = async (): Promise<boolean> =>
        fetch(`http://127.0.0.1:${port}/health`).then(
          ({ ok }) => ok,
          () => false,
        )
      // Asked from here, where no namespace was entered.
      let there = false
      const asking = setInterval(() => void answers().then((yes) => (there ||= yes)), 500)
      await until('the relay answers', () => there || up.child.exitCode !== null, 200_000)
      clearInterval(asking)
      expect(there, up.said()).toBe(true)
      await stop(up, 'SIGINT')
    },
  )
})

describe('swarm bench', () => {
  it('measures the ledger beside what the machine could do at best', async () => {
    const { code, out } = await swarm('bench', 'ledger', '--json', '-')
    expect(code).toBe(0)
    const { rows } = JSON.parse(out) as {
      rows: {
        name: string
        ours: number
        peers: Record<string, number>
        ratio: number | null
        unit: string
        runs: number
      }[]
    }
    expect(rows.length).toBeGreaterThan(2)
    for (const { ours, peers, ratio, unit, runs } of rows) {
      expect(ours).toBeGreaterThan(0)
      expect(unit).toBe('blocks/s')
      expect(runs).toBeGreaterThan(2)
      const best = Math.max(...Object.values(peers))
      if (ratio !== null) expect(ratio).toBeCloseTo(ours / best, 9)
      else expect(peers).toEqual({})
    }
  })
})

describe('bad usage', () => {
  it.each<[string, string[]]>([
    ['--port', ['relay', '--port', 'many']],
    ['--port', ['relay', '--port', '65536']],
    ['--public-url', ['relay', '--public-url', 'swarm.example']],
    ['--stun', ['relay', '--stun', 'stun.example']],
    ['--turn', ['relay', '--turn', 'turn:host:1']],
    ['SWARM_LOOPBACK_ONLY', ['relay', '--host', '0.0.0.0']],
    ['SWARM_LOOPBACK_ONLY', ['relay', '--stun', 'stun:stun.example:3478']],
    ['--nodes', ['relay', '--nodes', '3']],
    ['--relay', ['status']],
    ['--relay', ['status', '--relay', 'localhost']],
    ['SWARM_LOOPBACK_ONLY', ['status', '--relay', 'https://swarm.example']],
    ['--count', ['node', '--relay', 'http://127.0.0.1:1', '--count', '0']],
    ['--relay', ['node']],
    ['"fly"', ['node', '--relay', 'http://127.0.0.1:1', '--skills', 'sum,fly']],
    ['--allow-wgsl', ['node', '--relay', 'http://127.0.0.1:1', '--skills', 'wgsl']],
    ['--relay', ['status', '--relais', 'http://127.0.0.1:1']],
    ['--json', ['status', '--relay', 'http://127.0.0.1:1', '--json', '/dev/null/x']],
    ['is a folder', ['verify', 'x.json', '--json', '.']],
    ['--data', ['relay', '--port', '0', '--data', '/dev/null/x']],
    ['receipt', ['verify']],
    ['--inputs', ['verify', 'x.json', '--inputs', '/nowhere/at/all']],
    ['"two"', ['status', 'two']],
    ['"everything"', ['bench', 'everything']],
    ['--nodes', ['bench', 'ledger', '--nodes', '0']],
    ['"fly"', ['fly']],
    ['--name: expected 1 to 80 characters', ['relay', '--name', ' ']],
    ['--nodes: a value is missing after it', ['run', 'x.md', '--nodes', '--json', 'y']],
    ['--nodes: a value is missing after it', ['run', 'x.md', '--nodes']],
    ['--once: it takes no value', ['up', '--once=yes']],
    ['x.md: there is no such file', ['run', 'x.md']],
    ['.: it is a folder', ['run', '.']],
  ])('is one sentence that names %s, and exit code 2', async (named, words) => {
    const { code, said, out } = await swarm(...words)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(said).toMatch(/^swarm: .*\n$/)
    expect(said).toContain(named)
  })

  it.each([
    ['up', '--once'],
    ['run', '--allow-wgsl'],
    ['relay', '--public-url'],
    ['node', '--skills'],
    ['status', '--relay'],
    ['verify', '--inputs'],
    ['bench', '--nodes'],
  ])('is not needed to ask what %s does, and what %s means', async (name, flag) => {
    const { code, said } = await swarm(name, '--help')
    expect(code).toBe(0)
    expect(said).toContain(`swarm ${name}`)
    expect(said).toContain(flag)
  })

  it('is not needed to ask which version this is', async () => {
    const { code, out } = await swarm('--version')
    expect({ code, out }).toEqual({
      code: 0,
      out: expect.stringMatching(/^swarmharness \d+\.\d+\.\d+/),
    })
  })
})
