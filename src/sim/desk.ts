/**
 * The desk of a virtual node: the ports made unreal. Time is virtual, the disk may lose what it has not
 * acknowledged, and a computation takes as long as its owner's device would.
 */
import { kernelById } from '../../kernels/index.ts'
import { allocate, elements, tensorBytes, viewAs } from '../../kernels/kernel.ts'
import { equalBytes } from '../base/bytes.ts'
import type { Cid, Did, PeerId } from '../base/ids.ts'
import { assert } from '../base/assert.ts'
import { prng, type Prng } from '../base/prng.ts'
import { err, ok } from '../base/result.ts'
import { bytes as byteCount, epochMs, flop, type MicroCredits } from '../base/units.ts'
import { meteredCost } from '../core/price.ts'
import { check } from '../core/verify.ts'
import type { Desk } from '../peer/desk.ts'
import type { ComputeTask, PortError, Table, Write } from '../ports.ts'
import { cidOfBytes } from '../wire/codec.ts'
import type { SimDirectory } from './directory.ts'
import type { Disk } from './disk.ts'
import { virtualModels } from './models.ts'
import type { SimNetwork } from './network.ts'
import type { Notary } from './notary.ts'
import { corrupt, type Person } from './people.ts'
import type { Timeline } from './time.ts'

/** 2026-11-20 00:00 UTC: adverts and receipts need a plausible date. */
export const SIM_EPOCH_MS = 1_795_132_800_000

/** What a node does that only an onlooker sees. */
export type DeskFacts = {
  computes(): void
  /** The device was lost under a task; a page tells its node so. */
  deviceLost(): void
  said(lease: string, cid: Cid, truth: boolean): void
  wrote(writes: readonly Write[]): void
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
  /** A lost device computes nothing. */
  deviceLost(): boolean
  readonly seed: number
  /** Clock error of this node against the truth. */
  readonly skewMs: number
  readonly facts: DeskFacts
  /** Runs `then` after so long, unless the node has died by then; a frozen node does nothing until it thaws. */
  later(delayMs: number, then: () => void): void
  wake(): void
}

const SIGN_MS = 1
const CHECK_MS = 5
/** A registry answers within this. */
const LOOKUP_MS = [20, 80] as const
/** A worker says how far it is this often while it computes. */
const BEATS = 4

const lost: PortError = { code: 'device-lost', detail: 'the driver has reset the device' }
const full: PortError = { code: 'quota-exceeded', detail: 'the disk is full' }

export const simDesk = (options: DeskOptions): Desk => {
  const { account, self, time, network, directory, disk, notary, later } = options
  const random: Prng = prng(options.seed)
  const computer = virtualComputer(options, random)
  /** One call to wake, as a clock has it, and the moments at which one is already set. */
  let earliest = Number.POSITIVE_INFINITY
  const alarms = new Set<number>()

  const lookup = (then: () => void): void =>
    later(LOOKUP_MS[0] + random.below(LOOKUP_MS[1] - LOOKUP_MS[0]), then)

  return {
    self,
    account,
    random: {
      bytes: (length) => Uint8Array.from({ length }, () => random.below(256)),
    },
    now: () => time.now(),
    epoch: () => epochMs(SIM_EPOCH_MS + time.now() + options.skewMs),
    wake(at) {
      const due = Math.ceil(at)
      if (due >= earliest) return
      earliest = due
      if (alarms.has(due)) return
      alarms.add(due)
      later(due - time.now(), () => {
        alarms.delete(due)
        // An earlier wake was asked for meanwhile and has come; this one was asked for again if needed.
        if (earliest !== due) return
        earliest = Number.POSITIVE_INFINITY
        options.wake()
      })
    },
    relay: () => (directory.up() ? options.relay : null),
    connect: (peer) => network.connect(self, peer),
    disconnect: (peer, reason) => network.disconnect(self, peer, reason),
    send: (peer, head, body) => network.send(self, peer, head, body),
    // A virtual link takes everything at once; it only arrives later.
    queued: () => 0,
    announce: (advert, capabilities, then) =>
      lookup(() => then(directory.announce(self, advert, capabilities))),
    find: (capability, limit, then) => lookup(() => then(directory.find(capability, limit))),
    compute: computer.compute,
    cancelCompute: computer.cancel,
    check(task, then) {
      const kernel = kernelById(task.kernel)!
      const parsed = kernel.parse(task.params)
      if (!parsed.ok) return then(err({ code: 'bad-param', detail: parsed.error.param }))
      const inputs = kernel
        .inputs(parsed.value)
        .map((input, i) => viewAs(input.dtype, task.inputs[i]!))
      const seed = Array.from({ length: 4 }, () => random.u32())
      const verdict = check(kernel, task.params, inputs, task.output, seed, task.rate)
      later(CHECK_MS, () => then(ok(verdict)))
    },
    hash: (bytes, then) => later(0, () => then(cidOfBytes(bytes))),
    sign: (bodies, then) =>
      later(SIGN_MS, () => then(ok(bodies.map((body) => notary.sign(account, body))))),
    verify: (claims, then) =>
      later(0, () =>
        then(claims.every(({ account: by, body, sig }) => notary.verify(by, body, sig))),
      ),
    write(writes, durability, then) {
      const ticket = disk.accept(writes)
      if (ticket === null) return later(1, () => then(err(full)))
      options.facts.wrote(writes)
      const flush = (): void => disk.flush(ticket)
      if (durability === 'strict') {
        later(disk.strictMs(random), () => {
          flush()
          then(ok(null))
        })
      } else {
        later(disk.relaxedMs, flush)
        later(1, () => then(ok(null)))
      }
    },
    read: (table, key, then) => later(1, () => then(ok(disk.read(table, key)))),
    all: (table: Table, then) =>
      later(2, () => then(ok({ records: disk.all(table), corrupt: [] }))),
    ...virtualModels((then) => later(1, then)),
    changed: () => undefined,
  }
}

/** The device: as quick as its owner's, and as honest. */
const virtualComputer = (
  { person, facts, later, deviceLost }: DeskOptions,
  random: Prng,
): Pick<Desk, 'compute'> & { cancel(id: string): void } => {
  const running = new Map<string, symbol>()
  let last: Uint8Array<ArrayBuffer> | null = null

  const answer = (truth: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> => {
    const lies = person.lie !== null && random.below(1000) < person.liesPermille
    const said = lies ? corrupt(truth, person.lie!, last, random) : truth
    last = truth
    return said
  }

  return {
    compute(task, share, beat, then) {
      const mark = Symbol(task.id)
      running.set(task.id, mark)
      facts.computes()
      const still = (): boolean => running.get(task.id) === mark
      const durationMs = Math.ceil((costOf(task) * 1000) / (person.speed * Math.max(0.05, share())))
      for (let i = 1; i < BEATS; i++) {
        later((durationMs * i) / BEATS, () => still() && beat(Math.floor((1000 * i) / BEATS)))
      }
      later(durationMs, () => {
        if (!still()) return
        running.delete(task.id)
        if (deviceLost()) {
          facts.deviceLost()
          return then(err(lost))
        }
        const truth = referenceOf(task)
        const output = answer(truth)
        const cid = cidOfBytes(output)
        facts.said(task.id, cid, equalBytes(output, truth))
        then(ok({ output, cid, computeMs: durationMs }))
      })
    },
    cancel: (id) => void running.delete(id),
  }
}

const parsedTask = (task: ComputeTask) => {
  const kernel = kernelById(task.kernel)
  assert(kernel, 'the worker knows the kernel')
  const parsed = kernel.parse(task.params)
  assert(parsed.ok, 'the worker has checked the parameters')
  return { kernel, p: parsed.value }
}

const costOf = (task: ComputeTask): MicroCredits => {
  const { kernel, p } = parsedTask(task)
  const wire = [...kernel.inputs(p), kernel.output(p)].reduce(
    (sum, type) => sum + tensorBytes(type),
    0,
  )
  const work = { flop: flop(kernel.costFlop(p)), bytes: byteCount(kernel.costBytes(p)) }
  return meteredCost({ ...work, wireBytes: byteCount(wire), dispatches: 1 })
}

const referenceOf = (task: ComputeTask): Uint8Array<ArrayBuffer> => {
  const { kernel, p } = parsedTask(task)
  const type = kernel.output(p)
  const out = allocate(type.dtype, elements(type.shape))
  const inputs = kernel.inputs(p).map((input, i) => viewAs(input.dtype, task.inputs[i]!))
  kernel.reference(p, inputs, 0, kernel.items(p), out)
  return new Uint8Array(out.buffer as ArrayBuffer, out.byteOffset, out.byteLength)
}
