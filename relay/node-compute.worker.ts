/** The thread that computes for a Node process: the CPU engine, one task after another. */
import { parentPort } from 'node:worker_threads'
import { err, type Result } from '../src/base/result.ts'
import type { Cid } from '../src/base/ids.ts'
import type { LeafReader } from '../workers/stages.ts'
import { computeError, type ComputeError } from '../workers/errors.ts'
import { busyTotalMs } from '../workers/pace.ts'
import type { Answer, Ask, Reply, Word } from './node-compute-messages.ts'
import { openStage, perform, stages } from './node-compute-work.ts'
import type { Control } from '../workers/runnable.ts'

/** Tasks that wait; the node before us holds only its few leases. */
const WAITING_MAX = 16

const port = parentPort!
const present = new Map<string, { cancelled: boolean }>()
let turn: Promise<unknown> = Promise.resolve()
let share = 1

const control = (ask: number, flag: { cancelled: boolean }): Control => {
  let said = 0
  return {
    share: () => share,
    cancelled: () => flag.cancelled,
    progress: (permille) => {
      if (permille <= said) return
      said = permille
      port.postMessage({ ask, progress: permille, busyMs: busyTotalMs() } satisfies Answer)
    },
  }
}

type Found = Awaited<ReturnType<LeafReader>>
/** Leaves that were asked for, by question and name. */
const wanted = new Map<string, (found: Found) => void>()

const wantedAs = (ask: number, name: Cid): string => `${ask} ${name}`

const reader =
  (ask: number): LeafReader =>
  (name) =>
    new Promise((done) => {
      wanted.set(wantedAs(ask, name), done)
      port.postMessage({ ask, wants: name, busyMs: busyTotalMs() } satisfies Answer)
    })

/** That waits for leaves and not for the processor: tasks have their turn meanwhile. */
const open = async (asked: Ask & { kind: 'open-stage' }): Promise<void> => {
  const { progress } = control(asked.ask, { cancelled: false })
  const reply = await openStage(asked, reader(asked.ask), progress)
  port.postMessage({ ask: asked.ask, reply, busyMs: busyTotalMs() } satisfies Answer)
}

const answer = async (asked: Exclude<Ask, { kind: 'open-stage' }>): Promise<void> => {
  const flag = { cancelled: false }
  const { id } = asked
  let reply: Result<Reply, ComputeError>
  if (present.has(id)) reply = err(computeError('bad-param', `${id} is already there`))
  else if (present.size >= WAITING_MAX)
    reply = err(computeError('too-many', `${present.size} tasks wait`))
  else {
    present.set(id, flag)
    const mine = turn.then(() =>
      flag.cancelled
        ? err(computeError('cancelled', id))
        : perform(asked, control(asked.ask, flag)),
    )
    turn = mine.catch(() => undefined)
    reply = await mine.finally(() => present.delete(id))
  }
  const output =
    reply.ok && reply.value !== null && 'output' in reply.value ? [reply.value.output.buffer] : []
  port.postMessage({ ask: asked.ask, reply, busyMs: busyTotalMs() } satisfies Answer, output)
}

const hear = (word: Word): void => {
  switch (word.kind) {
    case 'share':
      share = word.value
      return
    case 'cancel': {
      const flag = present.get(word.id)
      if (flag !== undefined) flag.cancelled = true
      return
    }
    case 'leaf': {
      const key = wantedAs(word.ask, word.name)
      wanted.get(key)?.(word.found)
      wanted.delete(key)
      return
    }
    case 'forget-stage':
      return stages?.forget(word.stage, word.session)
    case 'close-stage':
      return stages?.close(word.stage)
  }
}

port.on('message', (message: Ask | Word) => {
  if (!('id' in message) || message.kind === 'cancel') hear(message)
  else if (message.kind === 'open-stage') void open(message)
  else void answer(message)
})
