/** The thread that computes for a Node process: the CPU engine, one task after another. */
import { parentPort } from 'node:worker_threads'
import { busyTotalMs } from '../workers/pace.ts'
import type { Answer, Ask, Reply, Word } from './node-compute-messages.ts'
import { askStage, openStage, perform, stages } from './node-compute-work.ts'
import { wantedLeaves } from './wanted-leaves.ts'
import { Turns, type Flag } from '../workers/turns.ts'
import type { Control } from '../workers/runnable.ts'

const port = parentPort!
const queue = new Turns()
let share = 1

const control = (ask: number, flag: Flag): Control => {
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

const leaves = wantedLeaves((ask, name) =>
  port.postMessage({ ask, wants: name, busyMs: busyTotalMs() } satisfies Answer),
)

/** That waits for leaves and not for the processor: tasks have their turn meanwhile. */
const open = async (asked: Ask & { kind: 'open-stage' }): Promise<void> => {
  const { progress } = control(asked.ask, { cancelled: false })
  const reply = await openStage(asked, leaves.reader(asked.ask), progress)
  port.postMessage({ ask: asked.ask, reply, busyMs: busyTotalMs() } satisfies Answer)
}

const answer = async (asked: Exclude<Ask, { kind: 'open-stage' }>): Promise<void> => {
  const { ask, id } = asked
  const reply =
    asked.kind === 'step'
      ? await queue.share<Reply>(id, (flag) => askStage(asked.step, control(ask, flag)))
      : await queue.take<Reply>(id, (flag) => perform(asked, control(ask, flag)))
  const output =
    reply.ok && reply.value !== null && 'output' in reply.value ? [reply.value.output.buffer] : []
  port.postMessage({ ask, reply, busyMs: busyTotalMs() } satisfies Answer, output)
}

const hear = (word: Word): void => {
  switch (word.kind) {
    case 'share':
      share = word.value
      return
    case 'cancel':
      return queue.cancel(word.id)
    case 'leaf':
      return leaves.came(word)
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
