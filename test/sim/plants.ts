/** Faults put into nodes on purpose. Each is a bug somebody could write; each names the promise it breaks. */
import { ok } from '../../src/base/result.ts'
import type { KeptReceipt } from '../../src/peer/books-on-disk.ts'
import type { Plant } from '../../src/sim/life.ts'
import type { Write } from '../../src/ports.ts'
import { cidOfBytes } from '../../src/wire/codec.ts'
import { nameOf } from '../../src/wire/signed.ts'
import type { Head } from '../../src/wire/messages.ts'

export type Planted = {
  readonly name: string
  readonly scenario: string
  /** What must be reported, among whatever else follows from it. */
  readonly breaks: string
  readonly plant: Plant
}

const saying =
  (change: (head: Head) => Head): Plant =>
  (desk) => ({ ...desk, send: (to, head, body) => desk.send(to, change(head), body) })

const writing =
  (change: (writes: readonly Write[]) => readonly Write[]): Plant =>
  (desk) => ({
    ...desk,
    write: (writes, durability, then) => desk.write(change(writes), durability, then),
  })

/** A second receipt for every result that is paid for. */
const twice = (write: Write): Write[] => {
  const kept = write.value as KeptReceipt | undefined
  if (write.table !== 'receipts' || kept?.role !== 'requester') return [write]
  const body = { ...kept.signed.body, attempt: kept.signed.body.attempt + 1 }
  return [
    write,
    { ...write, key: nameOf(body), value: { ...kept, signed: { ...kept.signed, body } } },
  ]
}

export const PLANTS: readonly Planted[] = [
  {
    name: 'a requester that takes every result for right',
    scenario: 'lying-nodes',
    breaks: 'I6-wrong-accepted',
    plant: (desk) => ({
      ...desk,
      check: (task, then) =>
        desk.check(task, () => then(ok({ kind: 'accepted', check: 'freivalds' }))),
    }),
  },
  {
    name: 'a requester that pays for lies',
    scenario: 'lying-nodes',
    breaks: 'I6-lie-paid',
    plant: (desk) => ({
      ...desk,
      check: (task, then) =>
        desk.check(task, () => then(ok({ kind: 'accepted', check: 'freivalds' }))),
    }),
  },
  {
    name: 'a requester that takes right results for wrong',
    scenario: 'calm',
    breaks: 'I13-honest-barred',
    plant: (desk) => ({
      ...desk,
      check: (task, then) =>
        desk.check(task, () =>
          then(ok({ kind: 'rejected', check: 'sampled', code: 'bits-differ', detail: 'planted' })),
        ),
    }),
  },
  {
    name: 'a wallet that pays for everything twice',
    scenario: 'calm',
    breaks: 'I2-paid-twice',
    plant: writing((writes) => writes.flatMap(twice)),
  },
  {
    name: 'a disk that answers before it has written',
    scenario: 'crashing-requesters',
    breaks: 'I3-unsigned',
    plant: (desk) => ({
      ...desk,
      write: (writes, _durability, then) => desk.write(writes, 'relaxed', then),
    }),
  },
  {
    name: 'a wallet whose cheques never leave',
    scenario: 'calm',
    breaks: 'I16-settled',
    plant: (desk) => ({
      ...desk,
      send: (to, head, body) => head.k !== 'settle' && desk.send(to, head, body),
    }),
  },
  {
    name: 'a shelf that loses pieces of results',
    scenario: 'calm',
    breaks: 'I1-not-durable',
    plant: writing((writes) => writes.filter(({ table }) => table !== 'job-outputs')),
  },
  {
    name: 'a requester that offers other inputs than the plan says',
    scenario: 'calm',
    breaks: 'I7-inputs',
    plant: saying((head) =>
      head.k === 'offer'
        ? {
            ...head,
            reads: head.reads.map((read) => ({ ...read, cid: cidOfBytes(new Uint8Array(1)) })),
          }
        : head,
    ),
  },
  {
    name: 'a worker that answers no offer',
    scenario: 'calm',
    breaks: 'I16-liveness',
    plant: (desk) => ({
      ...desk,
      send: (to, head, body) => head.k !== 'accept' && desk.send(to, head, body),
    }),
  },
  {
    name: 'a node that begins to compute after its owner has said no',
    scenario: 'moody-donors',
    breaks: 'I20-consent',
    plant: (desk, _node, time) => ({
      ...desk,
      compute: (...asked) => time.after(4_000, () => desk.compute(...asked)),
    }),
  },
  {
    name: 'a node that says more than fits into one head',
    scenario: 'calm',
    breaks: 'I10-size',
    plant: saying((head) => (head.k === 'hello' ? { ...head, agent: 'x'.repeat(70_000) } : head)),
  },
  {
    name: 'a node that says what no schema allows',
    scenario: 'calm',
    breaks: 'I10-malformed',
    plant: saying((head) => (head.k === 'beat' ? { ...head, permille: -1 } : head)),
  },
  {
    name: 'a node that wakes ten times a second for nothing',
    scenario: 'calm',
    breaks: 'I19-restless',
    plant: (desk) => ({
      ...desk,
      wake: (at) => desk.wake(at < desk.now() + 100 ? at : ((desk.now() + 100) as typeof at)),
    }),
  },
  {
    name: 'a node that breaks in the middle of an event',
    scenario: 'calm',
    breaks: 'crash',
    plant: (desk) => ({
      ...desk,
      hash: () => {
        throw new Error('planted')
      },
    }),
  },
]
