/** The thread that computes for a Node process: the CPU engine, one task after another. */
import { createHash } from 'node:crypto'
import { parentPort } from 'node:worker_threads'
import { words } from '../src/base/bytes.ts'
import { err, ok, type Result } from '../src/base/result.ts'
import { checking, type Verdict } from '../src/core/verify.ts'
import { rawCidFromDigest } from '../src/wire/codec.ts'
import { runOnCpu } from '../workers/cpu.ts'
import { computeError, type ComputeError } from '../workers/errors.ts'
import { breathe, busyTotalMs } from '../workers/pace.ts'
import type { Answer, Ask, Reply } from './node-compute-messages.ts'
import { measureCpu, prepare } from './node-measure.ts'
import type { Control } from '../workers/runnable.ts'

/** Tasks that wait; the node before us holds only its few leases. */
const WAITING_MAX = 16
/** Between two breaths of a check. */
const CHECK_SLICE_MS = 10

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

const perform = async (asked: Ask, controls: Control): Promise<Result<Reply, ComputeError>> => {
  if (asked.kind === 'benchmark') return measureCpu(asked.memoryBytes, controls)
  const work = prepare(asked.task)
  if (!work.ok) return work
  if (asked.kind === 'run') {
    const done = await runOnCpu(work.value, controls, asked.memoryBytes)
    if (!done.ok) return done
    const { output, computeMs } = done.value
    return ok({
      output,
      computeMs,
      cid: rawCidFromDigest(createHash('sha256').update(output).digest()),
    })
  }
  const { params, output, rate } = asked.task
  const seed = words(crypto.getRandomValues(new Uint8Array(32)))
  const steps = checking({
    kernel: work.value.kernel,
    params,
    inputs: work.value.views,
    output,
    seed,
    rate,
  })
  return breathing(steps, controls)
}

const breathing = async (
  steps: ReturnType<typeof checking>,
  controls: Control,
): Promise<Result<Verdict, ComputeError>> => {
  for (let rested = performance.now(); ;) {
    const step = steps.next()
    if (step.done === true) return ok(step.value)
    if (performance.now() - rested < CHECK_SLICE_MS) continue
    await breathe()
    rested = performance.now()
    if (controls.cancelled()) return err(computeError('cancelled', 'check'))
  }
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
