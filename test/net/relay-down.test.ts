import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { Reachability } from '../../src/ports.ts'
import { recorder } from '../ports/network.suite.ts'
import { account, advert } from './account.ts'
import { nodeFor, relayProcess, until } from './rig.ts'

const folders: string[] = []
const folder = async (): Promise<string> => {
  const path = await mkdtemp(join(tmpdir(), 'swarm-relay-'))
  folders.push(path)
  return path
}
afterAll(() => Promise.all(folders.map((path) => rm(path, { recursive: true }))))

describe('when the relay is killed', () => {
  it('a direct link lives on, and everybody has a place again after its restart', async () => {
    const dir = await folder()
    const relay = await relayProcess(dir)
    const [alice, bob] = [recorder(), recorder()]
    const states: Reachability[] = []
    const a = await nodeFor(relay.multiaddrs, {
      ...alice.events,
      reachability: (state) => void states.push(state),
    })
    const b = await nodeFor(relay.multiaddrs, bob.events)
    await until('both have a place', () => a.relay() !== null && b.relay() !== null)
    a.connect(b.self, b.relay()!)
    await until('linked', () => alice.count('opened') === 1 && bob.count('opened') === 1)

    expect(await relay.kill('SIGKILL')).toBeNull()
    await until('alice has noticed', () => a.relay() === null && b.relay() === null)
    expect(states.at(-1)).toMatchObject({ kind: 'no-relay' })
    const body = new Uint8Array(4_000_000).fill(7)
    a.send(b.self, { k: 'tensor', lease: 1, slot: 0, bytes: body.byteLength }, body)
    await until('4 MB without a relay', () => bob.count('received') === 1)
    expect(alice.count('closed') + bob.count('closed')).toBe(0)

    const again = await relayProcess(dir, relay.port)
    expect(again.multiaddrs, 'same key, same address').toEqual(relay.multiaddrs)
    await until('a place again', () => a.relay() !== null && b.relay() !== null, 40_000)
    expect(states.map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(['connecting', 'reachable', 'no-relay']),
    )
    expect(states.at(-1)?.kind).toBe('reachable')
    expect(alice.count('closed') + bob.count('closed'), 'nobody was dropped').toBe(0)

    const carol = recorder()
    const c = await nodeFor(again.multiaddrs, carol.events)
    await until('carol has a place', () => c.relay() !== null)
    c.connect(a.self, a.relay()!)
    await until('a newcomer reaches alice', () => carol.count('opened') === 1, 30_000)
    await Promise.all([a.close(), b.close(), c.close()])
    expect(await again.kill('SIGTERM')).toBe(0)
  })

  it('twenty nodes come back to it by themselves, are found again, and link with each other', async () => {
    const dir = await folder()
    const relay = await relayProcess(dir)
    const told = Array.from({ length: 20 }, () => recorder())
    const nodes = await Promise.all(
      told.map(({ events }, i) => nodeFor(relay.multiaddrs, events, { webrtc: i < 2 })),
    )
    const placed = () => nodes.filter((node) => node.relay() !== null).length
    await until('all have a place', () => placed() === 20)
    await relay.kill('SIGKILL')
    await until('all have noticed', () => placed() === 0)

    const again = await relayProcess(dir, relay.port)
    await until('all have a place again', () => placed() === 20, 60_000)
    for (const node of nodes) {
      const me = await account()
      const signed = await me.sign(advert(me.did, node.self, node.relay()!))
      expect((await node.announce(signed, ['any'])).ok).toBe(true)
    }
    const found = await nodes[0]!.find('any', 64)
    expect(found.ok && found.value.adverts.length).toBe(20)
    nodes[0]!.connect(nodes[1]!.self, nodes[1]!.relay()!)
    nodes[2]!.connect(nodes[3]!.self, nodes[3]!.relay()!)
    await until('linked, directly and by circuit', () =>
      told.slice(0, 4).every((one) => one.count('opened') === 1),
    )
    await Promise.all(nodes.map((node) => node.close()))
    await again.kill('SIGKILL')
  })

  it('everybody is let go within five seconds when asked, with nodes and requests on it', async () => {
    const relay = await relayProcess(await folder())
    const nodes = await Promise.all(
      [1, 2, 3].map(() => nodeFor(relay.multiaddrs, recorder().events)),
    )
    await until('all have a place', () => nodes.every((node) => node.relay() !== null))
    await fetch(`${relay.url}/health`)
    const from = Date.now()
    expect(await relay.kill('SIGTERM')).toBe(0)
    expect(Date.now() - from).toBeLessThan(5_000)
    await Promise.all(nodes.map((node) => node.close()))
  })

  it('its key stays with its owner', async () => {
    const dir = await folder()
    const relay = await relayProcess(dir)
    expect((await stat(join(dir, 'relay.key'))).mode & 0o777).toBe(0o600)
    await relay.kill('SIGTERM')
  })
})
