/** Stages of models in the computing thread of a Node process. */
import type { StageAnswer, Stages } from '../src/ports.ts'
import type { Thread } from './node-thread.ts'

export const threadStages = (thread: Thread, memoryBytes: number): Stages => ({
  open: (stage, read, progress) =>
    thread.ask<null>(
      { kind: 'open-stage', id: `open ${stage.id}`, memoryBytes, stage },
      [],
      progress,
      read,
    ),
  step(step, share) {
    const { input } = step
    const copy = input instanceof Uint8Array ? input.slice() : input
    thread.post({ kind: 'share', value: share() })
    return thread.ask<StageAnswer>(
      {
        kind: 'step',
        id: `${step.stage} ${step.session}`,
        memoryBytes,
        step: { ...step, input: copy },
      },
      copy instanceof Uint8Array ? [copy.buffer] : [],
    )
  },
  forget: (stage, session) => thread.post({ kind: 'forget-stage', stage, session }),
  close: (stage) => thread.post({ kind: 'close-stage', stage }),
})
