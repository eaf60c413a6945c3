import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RunningRelay } from '../../relay/relay.ts'
import { cidOf, encode } from '../../src/wire/codec.ts'
import { pause, relayFor, until } from './rig.ts'

const genesis = { v: 1, kind: 'genesis', name: 'test', supply: 5, allocations: [], hour: 1 }

describe('the relay over HTTP', () => {
  let relay: RunningRelay
  let root: string
  let port: number

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'swarm-http-'))
    await mkdir(join(root, 'app/assets'), { recursive: true })
    await mkdir(join(root, 'jobs'))
    await mkdir(join(root, 'app/.git'))
    await writeFile(join(root, 'secret.txt'), 'secret')
    await writeFile(join(root, 'app/.git/config'), 'secret')
    await symlink(join(root, 'secret.txt'), join(root, 'app/link.txt'))
    await writeFile(join(root, 'app/index.html'), '<!doctype html><title>swarm</title>')
    await writeFile(join(root, 'app/assets/index-a1b2c3d4.js'), 'export const a = 1\n'.repeat(500))
    await writeFile(join(root, 'jobs/matmul.swarm.md'), '# matmul\n')
    relay = await relayFor({
      dataDir: join(root, 'data'),
      appDir: join(root, 'app'),
      jobsDir: join(root, 'jobs'),
      genesis: encode(genesis),
      stun: ['stun:stun.example:3478'],
      turn: ['turn:alice:pass@turn.example:3478'],
      countLoopback: true,
      limits: { socketsPerAddress: 40, headersMs: 700, requestMs: 1_000 },
    })
    port = Number(new URL(relay.url).port)
  })
  afterAll(async () => {
    await relay.close()
    await rm(root, { recursive: true })
  })

  /** Sends these very bytes and gives what comes until the other side closes. */
  const raw = (text: string, limitMs = 5_000): Promise<string> =>
    new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1', () => socket.write(text))
      let got = ''
      const end = () => (socket.destroy(), resolve(got))
      socket
        .on('data', (bytes) => (got += bytes.toString('latin1')))
        .on('close', end)
        .on('error', end)
      setTimeout(end, limitMs).unref()
    })

  it('serves the app with headers that isolate it and let nothing else in', async () => {
    const page = await fetch(relay.url)
    expect([page.status, await page.text()]).toEqual([200, '<!doctype html><title>swarm</title>'])
    expect(page.headers.get('cross-origin-opener-policy')).toBe('same-origin')
    expect(page.headers.get('cross-origin-embedder-policy')).toBe('require-corp')
    expect(page.headers.get('cross-origin-resource-policy')).toBe('same-origin')
    expect(page.headers.get('x-content-type-options')).toBe('nosniff')
    const csp = page.headers.get('content-security-policy') ?? ''
    expect(csp).toContain(`default-src 'none'`)
    expect(csp).not.toMatch(/unsafe-inline|'unsafe-eval'|https:|\*/)
    expect(page.headers.get('cache-control')).toBe('no-cache')
  })

  it('lets hashed files be kept for ever, compressed, and asks about the rest by etag', async () => {
    const script = await fetch(`${relay.url}/assets/index-a1b2c3d4.js`)
    expect(script.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
    expect(script.headers.get('content-type')).toBe('text/javascript; charset=utf-8')
    expect(script.headers.get('content-encoding')).toBe('gzip')
    expect(await script.text()).toBe('export const a = 1\n'.repeat(500))
    const page = await fetch(relay.url)
    const again = await fetch(relay.url, {
      headers: { 'if-none-match': page.headers.get('etag') ?? '' },
    })
    expect([again.status, await again.text()]).toEqual([304, ''])
  })

  it('sends gzip only to those who take it', async () => {
    const encodingFor = async (accepted: string): Promise<boolean> => {
      const head = `HEAD /assets/index-a1b2c3d4.js HTTP/1.1\r\nhost: x\r\nconnection: close\r\n`
      return /content-encoding: gzip/i.test(await raw(`${head}${accepted}\r\n`))
    }
    for (const [accepted, gzip] of [
      ['', false],
      ['gzip', true],
      ['GZIP', true],
      ['br, gzip;q=0.5', true],
      ['*', true],
      ['gzip, *;q=0', true],
      ['gzip;q=0', false],
      ['gzip; q=0.000, br', false],
      ['gzip;q=0, *', false],
      ['identity, *;q=0', false],
      ['br', false],
      ['not-gzip', false],
      ['gzip;q=none', false],
    ] as const) {
      const header = accepted === '' ? '' : `accept-encoding: ${accepted}\r\n`
      expect(await encodingFor(header), accepted).toBe(gzip)
    }
  })

  it('serves job templates, answers HEAD without a body, and says no in words', async () => {
    const job = await fetch(`${relay.url}/jobs/matmul.swarm.md`)
    expect([job.status, job.headers.get('content-type')]).toEqual([
      200,
      'text/markdown; charset=utf-8',
    ])
    const head = await fetch(relay.url, { method: 'HEAD' })
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([
      200,
      '35',
      '',
    ])
    expect((await fetch(`${relay.url}/nothing`)).status).toBe(404)
    const post = await fetch(relay.url, { method: 'POST', body: 'x' })
    expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
  })

  it.each([
    '/../secret.txt',
    '/..%2fsecret.txt',
    '/%2e%2e/secret.txt',
    '/assets/../../secret.txt',
    '/assets/..%5c..%5csecret.txt',
    '/link.txt',
    '/.git/config',
    '/%00',
    '/jobs/..%2f..%2fsecret.txt',
    '//etc/passwd',
    '/%ff',
    'http://127.0.0.1/../secret.txt',
  ])('gives nothing away for %s', async (path) => {
    const answer = await raw(`GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`)
    expect(answer).toMatch(/^HTTP\/1\.1 (404|400) /)
    expect(answer).not.toContain('secret\n')
    expect(answer.split('\r\n\r\n')[1]).not.toContain('secret')
  })

  it('tells tabs where the swarm is, under the name they used', async () => {
    const told = await fetch(`${relay.url}/swarm.json`)
    expect(told.headers.get('access-control-allow-origin')).toBe('*')
    expect(await told.json()).toEqual({
      version: '0.0.0',
      relays: [`/ip4/127.0.0.1/tcp/${port}/ws/p2p/${relay.peer}`],
      swarm: cidOf(genesis),
      genesis: Buffer.from(encode(genesis)).toString('base64'),
      iceServers: [
        { urls: 'stun:stun.example:3478' },
        { urls: 'turn:turn.example:3478', username: 'alice', credential: 'pass' },
      ],
    })
    const proxied = await raw(
      'GET /swarm.json HTTP/1.1\r\nhost: swarm.example\r\nx-forwarded-proto: https\r\nconnection: close\r\n\r\n',
    )
    expect(proxied).toContain(`/dns4/swarm.example/tcp/443/tls/ws/p2p/${relay.peer}`)
    const odd = await raw('GET /swarm.json HTTP/1.1\r\nhost: a/b"c\r\nconnection: close\r\n\r\n')
    expect(odd).toContain(`/ip4/127.0.0.1/tcp/${port}/ws/p2p/${relay.peer}`)
  })

  it('announces its public URL when it has one', async () => {
    const behind = await relayFor({ publicUrl: 'https://swarm.example' })
    expect(behind.url).toBe('https://swarm.example')
    expect(behind.multiaddrs).toEqual([`/dns4/swarm.example/tcp/443/tls/ws/p2p/${behind.peer}`])
    await behind.close()
  })

  it('has metrics that name nobody', async () => {
    const text = await (await fetch(`${relay.url}/metrics`)).text()
    for (const line of text.trim().split('\n'))
      expect(line).toMatch(/^(# (HELP|TYPE) \w+ .+|\w+(\{\w+="[\w-]+"\})? [\d.e+-]+)$/)
    expect(text).toMatch(/^swarm_http_responses_total\{status="200"\} \d+$/m)
    expect(text).toMatch(/^swarm_relay_reservations_limit 2500$/m)
    expect(text).not.toMatch(/12D3KooW|did:key|127\.0\.0\.1/)
  })

  it('answers nobody who has asked for nothing: a browser would take it for that of its next request', async () => {
    expect(await raw('')).toBe('')
  })

  it('cuts off those who send their headers a byte at a time, and serves others meanwhile', async () => {
    const slow: Socket[] = []
    let cut = 0
    for (let i = 0; i < 20; i++) {
      const socket = connect(port, '127.0.0.1')
      socket.on('close', () => (cut += 1)).on('error', () => undefined)
      slow.push(socket)
    }
    const drip = setInterval(
      () => slow.forEach((socket) => socket.writable && socket.write('G')),
      200,
    )
    const from = Date.now()
    expect((await fetch(`${relay.url}/health`)).status).toBe(200)
    await until('all are cut off', () => cut === 20, 6_000)
    expect(Date.now() - from).toBeLessThan(5_000)
    clearInterval(drip)
    expect((await fetch(`${relay.url}/health`)).status).toBe(200)
  })

  it('takes no more sockets of one address than it says', async () => {
    const sockets = Array.from({ length: 80 }, () =>
      connect(port, '127.0.0.1').on('error', () => undefined),
    )
    await pause(300)
    const open = sockets.filter(
      (socket) => !socket.destroyed && socket.readyState === 'open',
    ).length
    expect(open).toBeLessThanOrEqual(40)
    expect(open).toBeGreaterThan(20)
    sockets.forEach((socket) => socket.destroy())
    await until(
      'room again',
      async () => (await fetch(`${relay.url}/health`).catch(() => null))?.status === 200,
    )
  })

  it('refuses a WebSocket anywhere but at its root', async () => {
    const upgrade = (path: string) =>
      raw(
        `GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
        500,
      )
    expect(await upgrade('/elsewhere')).toMatch(/^HTTP\/1\.1 404/)
    expect(await upgrade('/')).toMatch(/^HTTP\/1\.1 101/)
  })

  it('says which port is taken, and which genesis or server it cannot read', async () => {
    const { startRelay } = await import('../../relay/relay.ts')
    const options = { dataDir: null, version: '0.0.0' } as const
    expect(await startRelay({ ...options, port })).toMatchObject({ error: { code: 'port-taken' } })
    expect(await startRelay({ ...options, stun: ['http://x'] })).toMatchObject({
      error: { code: 'bad-ice-server' },
    })
    expect(await startRelay({ ...options, publicUrl: 'nonsense' })).toMatchObject({
      error: { code: 'bad-url' },
    })
    expect(await startRelay({ ...options, genesis: new Uint8Array(9) })).toMatchObject({
      error: { code: 'bad-genesis' },
    })
  })
})
