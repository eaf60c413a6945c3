/** The thread that computes for a Node process: the CPU engine, one task after another. */
import { parentPort } from 'node:worker_threads'
import { err, type Result } from '../src/base/result.ts'
import { computeError, type ComputeError } from '../workers/errors.ts'
import { busyTotalMs } from '../workers/pace.ts'
import type { Answer, Ask, Reply } from './node-compute-messages.ts'
import { perform } from './node-compute-work.ts'
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

const answer = async (asked: Ask): Promise<void> => {
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
  const output = reply.ok && 'output' in reply.value ? [reply.value.output.buffer] : []
  port.postMessage({ ask: asked.ask, reply, busyMs: busyTotalMs() } satisfies Answer, output)
}

port.on(
  'message',
  (message: Ask | { kind: 'cancel'; id: string } | { kind: 'share'; value: number }) => {
    if (message.kind === 'share') share = message.value
    else if (message.kind === 'cancel') {
      const flag = present.get(message.id)
      if (flag !== undefined) flag.cancelled = true
    } else void answer(message)
  },
)
