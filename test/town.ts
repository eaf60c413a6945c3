/**
 * A few people with a node each, on ports that are nothing but memory: no weather, no faults, no
 * watchers. Disks outlive their node unless somebody throws them away.
 */
import { kernelById } from '../kernels/index.ts'
import { allocate, elements, viewAs } from '../kernels/kernel.ts'
import { utf8 } from '../src/base/bytes.ts'
import { peerId, type Cid, type PeerId } from '../src/base/ids.ts'
import { assert } from '../src/base/assert.ts'
import { err, ok } from '../src/base/result.ts'
import { epochMs, microCredits, ms } from '../src/base/units.ts'
import { foundSwarm } from '../src/core/ledger/genesis.ts'
import { check } from '../src/core/verify.ts'
import type { Desk } from '../src/peer/desk.ts'
import { peer, type Peer } from '../src/peer/peer.ts'
import type { ComputeTask, Write } from '../src/ports.ts'
import { virtualModels } from '../src/sim/models.ts'
import { timeline } from '../src/sim/time.ts'
import {
  cidOf,
  cidOfBytes,
  encode,
  peerIdFromPublicKey,
  publicKeyFromDid,
  sha256,
} from '../src/wire/codec.ts'
import { signNow, verifyNow } from '../src/wire/ed25519.ts'
import { refuseWrites } from '../src/wire/stored.ts'
import { bodyBytes, hasBody, parseHead, type Head } from '../src/wire/messages.ts'
import { signingBytes, type SignedAdvert, type SignedBody } from '../src/wire/signed.ts'
import { DELEGATION_LIFE_MS } from '../src/wire/version.ts'
import type { Person } from './people.ts'

export const SUPPLY = 1_000_000
const RELAY = '/ip4/127.0.0.1/tcp/1/ws'
/** 2026-11-20 00:00 UTC. */
const EPOCH = 1_795_132_800_000
const EVENTS_MAX = 2_000_000

export type Disk = Map<string, unknown>
export const newDisk = (): Disk => new Map()

/** What is at one end of links: a node, or somebody who only pretends to be one. */
export type End = Pick<Peer, 'opened' | 'received' | 'closed'> & Partial<Pick<Peer, 'welcome'>>

export type Said = { readonly head: Head; readonly body: Uint8Array<ArrayBuffer> | null }

/** Says hello as anybody does, and after that what it pleases. */
export type Stranger = {
  readonly self: PeerId
  readonly heard: readonly Head[]
  /** The same with who said it, and bodies. */
  readonly got: readonly (Said & { readonly from: PeerId })[]
  /** Why others hung up. */
  readonly refused: readonly string[]
  say(to: PeerId, head: Head, body?: Uint8Array<ArrayBuffer>): void
}

export type Resident = {
  readonly person: Person
  readonly self: PeerId
  readonly peer: Peer
  readonly started: () => boolean
  leave(): void
}

export type Town = ReturnType<typeof town>

export const town = (rich: Person) => {
  const time = timeline()
  const ends = new Map<PeerId, End>()
  const linked = new Set<string>()
  const adverts = new Map<string, SignedAdvert>()
  /** Which names each stands under; a stranger stands under all that say what it computes. */
  const places = new Map<string, readonly string[]>()
  let lives = 0
  const founded = foundSwarm(
    {
      v: 1,
      kind: 'genesis',
      name: 'a town',
      supply: microCredits(SUPPLY),
      allocations: [{ account: rich.did, amount: microCredits(SUPPLY) }],
      hour: 0,
    },
    cidOf,
  )
  if (!founded.ok) throw new Error(founded.error.code)

  const standsUnder = (name: string, capability: string): boolean =>
    places.get(name)?.includes(capability) ?? !capability.startsWith('model/')

  const soon = (happen: () => void): void => time.after(1, happen)
  const pair = (a: PeerId, b: PeerId): string => [a, b].toSorted().join(' ')

  const connect = (from: PeerId, to: PeerId): void =>
    soon(() => {
      const [a, b] = [ends.get(from), ends.get(to)]
      if (!a || !b || linked.has(pair(from, to))) return
      linked.add(pair(from, to))
      a.opened({ peer: to, direct: true, rttMs: 1 })
      b.opened({ peer: from, direct: true, rttMs: 1 })
    })

  const disconnect = (from: PeerId, to: PeerId): void =>
    soon(() => {
      if (!linked.delete(pair(from, to))) return
      ends.get(from)?.closed(to)
      ends.get(to)?.closed(from)
    })

  /** As bytes, so that only what the wire allows gets through. */
  const send = (from: PeerId, to: PeerId, head: Head, body: Uint8Array | null): void => {
    const bytes = encode(head)
    const copy = hasBody(head) ? new Uint8Array(body ?? []) : null
    soon(() => {
      if (!linked.has(pair(from, to))) return
      const parsed = parseHead(bytes)
      if (!parsed.ok) throw new Error(`${parsed.error.code}: ${parsed.error.detail}`)
      const end = ends.get(to)
      // As a link does it: a body that is not welcome ends it.
      const welcome = copy === null ? 0 : (end?.welcome?.(from, parsed.value) ?? copy.byteLength)
      if (copy !== null && welcome < copy.byteLength) return disconnect(to, from)
      end?.received(from, parsed.value, copy)
    })
  }

  const sign = (person: Person, body: SignedBody): Uint8Array<ArrayBuffer> =>
    signNow(person.secret, signingBytes(body))

  /** `soon` does nothing any more once the node is gone. */
  const ports = (
    person: Person,
    self: PeerId,
    disk: Disk,
    soon: (happen: () => void) => void,
    wake: () => void,
  ): Desk => {
    const put = ({ table, key, value }: Write): void => {
      if (value === undefined) disk.delete(`${table} ${key}`)
      else disk.set(`${table} ${key}`, value)
    }
    let drawn = 0
    let earliest = Number.POSITIVE_INFINITY
    return {
      self,
      account: person.did,
      random: { bytes: (length) => sha256(utf8(`${self} ${drawn++}`)).slice(0, length) },
      now: () => time.now(),
      epoch: () => epochMs(EPOCH + time.now()),
      // Many parts ask; the earliest counts, as at a real desk.
      wake(at) {
        if (at >= earliest) return
        earliest = at
        time.after(at - time.now(), () => {
          if (earliest !== at) return
          earliest = Number.POSITIVE_INFINITY
          wake()
        })
      },
      relay: () => RELAY,
      connect: (to) => connect(self, to),
      disconnect: (to) => disconnect(self, to),
      send(to, head, body) {
        assert((body !== null) === hasBody(head), `${head.k} with or without a body`)
        assert(
          (body?.byteLength ?? 0) === bodyBytes(head),
          `the body of ${head.k} is what its head says`,
        )
        send(self, to, head, body)
      },
      queued: () => 0,
      announce(advert, capabilities, then) {
        adverts.set(person.name, advert)
        places.set(person.name, capabilities)
        soon(() => then(ok({ servers: 1 })))
      },
      find: (capability, _limit, then) =>
        soon(() => {
          const found = [...adverts].flatMap(([name, advert]) =>
            standsUnder(name, capability) ? [advert] : [],
          )
          then(ok({ adverts: found, total: found.length }))
        }),
      compute: (task, _share, _beat, then) => soon(() => then(ok(computed(task)))),
      cancelCompute: () => undefined,
      check(task, then) {
        const kernel = kernelById(task.kernel)!
        const parsed = kernel.parse(task.params)
        if (!parsed.ok) return then(err({ code: 'bad-param', detail: parsed.error.param }))
        const types = kernel.inputs(parsed.value)
        const inputs = types.map((type, i) => viewAs(type.dtype, task.inputs[i]!))
        const found = check(kernel, task.params, inputs, task.output, [1, 2, 3, 4], task.rate)
        soon(() => then(ok(found)))
      },
      hash: (bytes, then) => soon(() => then(cidOfBytes(bytes))),
      sign: (bodies, then) => soon(() => then(ok(bodies.map((body) => sign(person, body))))),
      verify: (claims, then) =>
        soon(() =>
          then(
            claims.every(({ account, body, sig }) =>
              verifyNow(publicKeyFromDid(account), signingBytes(body), sig),
            ),
          ),
        ),
      write: (writes, _durability, then) =>
        soon(() => {
          const refused = refuseWrites(writes, 0)
          if (!refused) for (const write of writes) put(write)
          then(refused ? err(refused) : ok(null))
        }),
      read: (table, key, then) => soon(() => then(ok(disk.get(`${table} ${key}`)))),
      all: (table, then) =>
        soon(() => {
          const keys = [...disk.keys()].filter((key) => key.startsWith(`${table} `)).toSorted()
          const records = keys.map((name) => ({
            key: name.slice(table.length + 1),
            value: disk.get(name),
          }))
          then(ok({ records, corrupt: [] }))
        }),
      ...virtualModels(soon),
      changed: () => undefined,
    }
  }

  const helloOf = (person: Person, self: PeerId): Head => {
    const from = epochMs(EPOCH + time.now())
    const until = epochMs(from + DELEGATION_LIFE_MS)
    const body = { v: 1, kind: 'delegation', account: person.did, peer: self, from, until } as const
    const delegation = { body, sig: sign(person, body) }
    const { cid } = founded.value
    return { k: 'hello', version: 1, agent: 'by hand', swarm: cid, adapter: 'cpu', delegation }
  }

  const join = (self: PeerId, end: End): void => void ends.set(self, end)

  return {
    time,
    swarm: founded.value,
    sign,
    connect,
    disconnect,
    send,
    join,
    run: (forMs: number): void => time.run(time.now() + forMs, EVENTS_MAX),
    freshPeer: (): PeerId => peerId(peerIdFromPublicKey(sha256(utf8(`life ${lives++}`)))),
    /** `restored`: with a key that was not made for this disk. */
    moveIn(
      person: Person,
      disk: Disk,
      restored: boolean,
      /** What its desk does otherwise than it should. */
      bend: (desk: Desk) => Desk = (desk) => desk,
      flopPerSecond: number = device.f32FlopPerSecond,
    ): Resident {
      const self = this.freshPeer()
      let alive = true
      let started = false
      const living = (then: () => void): (() => void) => {
        return () => {
          if (alive) then()
        }
      }
      const wake = living(() => resident.peer.wake())
      const desk = bend(ports(person, self, disk, (happen) => soon(living(happen)), wake))
      const resident: Resident = {
        person,
        self,
        peer: peer(desk, {
          swarm: founded.value,
          agent: 'town',
          restored,
          adapter: () => 'cpu',
          measure: (_progress, then) =>
            soon(() => then({ ...device, f32FlopPerSecond: flopPerSecond })),
          measuredShare: () => 0,
          backedUp: () => true,
          closed: async () => undefined,
        }),
        started: () => started,
        /** Without a word, as a tab is closed. */
        leave(): void {
          alive = false
          ends.delete(self)
          adverts.delete(person.name)
          for (const name of [...linked]) {
            if (!name.includes(self)) continue
            linked.delete(name)
            const other = name.split(' ').find((each) => each !== self) as PeerId
            soon(() => ends.get(other)?.closed(self))
          }
        },
      }
      join(self, resident.peer)
      resident.peer.start(() => {
        started = true
        resident.peer.handle.start()
      })
      return resident
    },
    /** Somebody who speaks the protocol by hand, and stands in the registry. */
    stranger(
      person: Person,
      answer: (head: Head, from: PeerId) => readonly (Head | Said)[],
    ): Stranger {
      const self = this.freshPeer()
      const heard: Head[] = []
      const got: (Said & { readonly from: PeerId })[] = []
      const refused: string[] = []
      const say = (to: PeerId, head: Head, body?: Uint8Array<ArrayBuffer>): void =>
        send(self, to, head, body ?? null)
      join(self, {
        opened: ({ peer: to }) => say(to, helloOf(person, self)),
        received(from, head, body) {
          heard.push(head)
          got.push({ from, head, body })
          if (head.k === 'bye') refused.push(head.code)
          for (const each of answer(head, from))
            if ('head' in each) say(from, each.head, each.body ?? undefined)
            else say(from, each)
        },
        closed: () => undefined,
      })
      const body = { ...ADVERT, swarm: founded.value.cid, account: person.did, peer: self }
      adverts.set(person.name, { body, sig: sign(person, body) })
      return { self, heard, got, refused, say }
    },
  }
}

const ADVERT = {
  v: 1,
  kind: 'advert',
  relay: RELAY,
  until: epochMs(EPOCH + 3_600_000),
  seq: 1,
  state: 'ready',
  adapter: 'cpu',
  f32: 1,
  i8: 1,
  memory: 8,
  wgsl: false,
  kernels: '0',
  price: 1_000,
  queued: 0,
} as const

const device = {
  adapter: 'cpu',
  label: 'in memory',
  f32FlopPerSecond: 1e9,
  i8OpPerSecond: 1e9,
  copyBytesPerSecond: 1e9,
  graphs: { engine: 'reference', measured: {} },
  memoryBytes: 256 * 2 ** 20,
} as const

const computed = (
  task: ComputeTask,
): { output: Uint8Array<ArrayBuffer>; cid: Cid; computeMs: number } => {
  const kernel = kernelById(task.kernel)!
  const parsed = kernel.parse(task.params)
  if (!parsed.ok) throw new Error(parsed.error.param)
  const type = kernel.output(parsed.value)
  const out = allocate(type.dtype, elements(type.shape))
  const inputs = kernel.inputs(parsed.value).map((input, i) => viewAs(input.dtype, task.inputs[i]!))
  kernel.reference(parsed.value, inputs, 0, kernel.items(parsed.value), out)
  const output = new Uint8Array(out.buffer as ArrayBuffer, out.byteOffset, out.byteLength)
  return { output, cid: cidOfBytes(output), computeMs: Number(ms(1)) }
}
