/**
 * The desk of a virtual node: the ports made unreal. Time is virtual, the disk a map that forgets what
 * was not yet durable when the node dies, a signature a keyed hash with the same properties as far as
 * anybody inside can tell, and a computation takes as long as its owner's device would.
 */
import { kernelById } from '../../kernels/index.ts'
import { allocate, elements, viewAs } from '../../kernels/kernel.ts'
import { concat, equalBytes, utf8 } from '../base/bytes.ts'
import type { Did, PeerId } from '../base/ids.ts'
import { prng, type Prng } from '../base/prng.ts'
import { err, ok } from '../base/result.ts'
import { bytes as byteCount, epochMs, flop } from '../base/units.ts'
import { computeCost } from '../core/price.ts'
import { check } from '../core/verify.ts'
import type { Desk } from '../peer/desk.ts'
import type { ComputeTask, Table, Write } from '../ports.ts'
import { cidOfBytes, sha256 } from '../wire/codec.ts'
import { signingBytes, type SignedBody } from '../wire/signed.ts'
import type { SimDirectory } from './directory.ts'
import { corrupt, type Person } from './people.ts'
import type { SimNetwork } from './network.ts'
import type { Timeline } from './time.ts'

/** What survives a crash. */
export type Disk = Map<string, unknown>
/** 2026-11-20 00:00 UTC: adverts and receipts need a plausible date. */
export const SIM_EPOCH_MS = 1_795_132_800_000

export type Notary = {
  sign(account: Did, body: SignedBody): Uint8Array<ArrayBuffer>
  verify(account: Did, body: SignedBody, sig: Uint8Array): boolean
}

/** A keyed hash only the notary can make: as unforgeable inside the simulation as Ed25519 outside. */
export const notary = (secret: Uint8Array): Notary => {
  const sign = (account: Did, body: SignedBody): Uint8Array<ArrayBuffer> => {
    const half = sha256(concat([secret, utf8(account), signingBytes(body)]))
    return concat([half, sha256(half)])
  }
  return { sign, verify: (account, body, sig) => equalBytes(sign(account, body), sig) }
}

export type DeskOptions = {
  readonly account: Did
  readonly self: PeerId
  readonly relay: string
  readonly time: Timeline
  readonly network: SimNetwork
  readonly directory: SimDirectory
  readonly notary: Notary
  readonly disk: Disk
  readonly person: Person
  readonly seed: number
  /** Clock error of this node against the truth. */
  readonly skewMs: number
  alive(): boolean
  wake(): void
  wrote(writes: readonly Write[]): void
}

const SIGN_MS = 1
const FSYNC_MS = 3

export const simDesk = (options: DeskOptions): Desk => {
  const { account, self, time, network, directory, disk, person } = options
  const random: Prng = prng(options.seed)
  const running = new Map<string, boolean>()
  let last: Uint8Array<ArrayBuffer> | null = null
  let earliest = Number.POSITIVE_INFINITY

  /** Answers later, unless the node has died meanwhile. */
  const later = (delayMs: number, then: () => void): void =>
    time.after(delayMs, () => {
      if (options.alive()) then()
    })

  const apply = (writes: readonly Write[]): void => {
    for (const { table, key, value } of writes) {
      if (value === undefined) disk.delete(`${table} ${key}`)
      else disk.set(`${table} ${key}`, value)
    }
    options.wrote(writes)
  }

  const compute = (task: ComputeTask): { output: Uint8Array<ArrayBuffer>; cost: number } => {
    const kernel = kernelById(task.kernel)!
    const parsed = kernel.parse(task.params)
    if (!parsed.ok) throw new Error('the worker checked the parameters')
    const p = parsed.value
    const type = kernel.output(p)
    const out = allocate(type.dtype, elements(type.shape))
    const inputs = kernel.inputs(p).map((input, i) => viewAs(input.dtype, task.inputs[i]!))
    kernel.reference(p, inputs, 0, kernel.items(p), out)
    const cost = computeCost(flop(kernel.costFlop(p)), byteCount(kernel.costBytes(p)))
    return { output: new Uint8Array(out.buffer as ArrayBuffer, out.byteOffset, out.byteLength), cost }
  }

  const answer = (output: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> => {
    const lies = person.lie !== null && random.below(1000) < person.liesPermille
    const said = lies ? corrupt(output, person.lie!, last, random) : output
    last = output
    return said
  }

  return {
    self,
    account,
    random: {
      bytes(length) {
        const bytes = new Uint8Array(length)
        for (let i = 0; i < length; i++) bytes[i] = random.below(256)
        return bytes
      },
    },
    now: () => time.now(),
    epoch: () => epochMs(SIM_EPOCH_MS + time.now() + options.skewMs),
    wake(at) {
      if (at >= earliest) return
      earliest = at
      later(Math.ceil(at - time.now()), () => {
        // An earlier wake was asked for meanwhile and has come; this one was asked for again if needed.
        if (earliest !== at) return
        earliest = Number.POSITIVE_INFINITY
        options.wake()
      })
    },
    relay: () => (directory.up() ? options.relay : null),
    connect: (peer) => network.connect(self, peer),
    disconnect: (peer) => network.disconnect(self, peer),
    send: (peer, head, body) => network.send(self, peer, head, body),
    announce(advert, capabilities, then) {
      later(20 + random.below(60), () => then(directory.announce(self, advert, capabilities)))
    },
    find(capability, limit, then) {
      later(20 + random.below(60), () => then(directory.find(capability, limit)))
    },
    compute(task, share, beat, then) {
      running.set(task.id, true)
      const { output, cost } = compute(task)
      const durationMs = Math.ceil((cost * 1000) / (person.speed * Math.max(0.05, share())))
      later(durationMs / 2, () => running.has(task.id) && beat(500))
      later(durationMs, () => {
        if (!running.delete(task.id)) return
        const said = answer(output)
        then(ok({ output: said, cid: cidOfBytes(said), computeMs: durationMs }))
      })
    },
    cancelCompute: (id) => void running.delete(id),
    check(task, then) {
      const kernel = kernelById(task.kernel)!
      const parsed = kernel.parse(task.params)
      if (!parsed.ok) return then(err({ code: 'bad-param', detail: parsed.error.param }))
      const inputs = kernel.inputs(parsed.value).map((input, i) => viewAs(input.dtype, task.inputs[i]!))
      const seed = Array.from({ length: 4 }, () => random.u32())
      const verdict = check(kernel, task.params, inputs, task.output, seed, task.rate)
      later(5, () => then(ok(verdict)))
    },
    hash: (bytes, then) => later(0, () => then(cidOfBytes(bytes))),
    sign: (bodies, then) =>
      later(SIGN_MS, () => then(ok(bodies.map((body) => options.notary.sign(account, body))))),
    verify: (claims, then) =>
      later(0, () => then(claims.every(({ account: by, body, sig }) => options.notary.verify(by, body, sig)))),
    write(writes, durability, then) {
      // Strict writes are on the disk before the answer; relaxed ones may die with the node on the way.
      const delay = FSYNC_MS + random.below(FSYNC_MS)
      if (durability === 'strict') {
        later(delay, () => {
          apply(writes)
          then(ok(null))
        })
      } else {
        later(0, () => then(ok(null)))
        later(5 * delay, () => apply(writes))
      }
    },
    read: (table, key, then) => later(1, () => then(ok(disk.get(`${table} ${key}`)))),
    all(table: Table, then) {
      later(2, () => {
        const prefix = `${table} `
        const records = [...disk]
          .filter(([key]) => key.startsWith(prefix))
          .map(([key, value]) => ({ key: key.slice(prefix.length), value }))
          .toSorted((a, b) => (a.key < b.key ? -1 : 1))
        then(ok({ records, corrupt: [] }))
      })
    },
    changed: () => undefined,
  }
}

