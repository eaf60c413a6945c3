/** Which part of a node each head is for. */
import type { PortError } from '../ports.ts'
import type { Head } from '../wire/messages.ts'
import type { Desk } from './desk.ts'
import type { Gate } from './gate.ts'
import type { Greeted } from './links.ts'
import type { ModelSide } from './models/model-side.ts'
import type { Recall } from './recall.ts'
import type { Requester } from './requester.ts'
import type { Teller } from './teller.ts'
import type { Worker } from './worker.ts'

type Parts = {
  readonly till: Teller
  readonly past: Recall
  readonly door: Gate
  readonly work: Worker
  readonly jobs: Requester
  readonly models: ModelSide
  trouble(error: PortError): void
}

export const routing = (desk: Desk, { till, past, door, work, jobs, models, trouble }: Parts) => ({
  head(who: Greeted, head: Head, body: Uint8Array<ArrayBuffer> | null): void {
    switch (head.k) {
      case 'tip':
      case 'blocks':
        till.head(who, head)
        return past.head(who, head)
      case 'settle':
        // Whoever does not know its own past cannot judge it; it is sent again when we have asked.
        return past.mustWait() ? undefined : till.head(who, head)
      case 'settled':
        return till.head(who, head)
      case 'probe':
        return desk.send(who.peer, door.load(who.account, head, work.queued()), null)
      case 'offer':
        return work.offer(who, head)
      case 'tensor':
        return work.tensor(who, head, body ?? new Uint8Array(0))
      case 'reveal':
        return work.reveal(who, head.lease)
      case 'cancel':
        return work.cancel(who, head.lease)
      case 'reject':
        // Of somebody who was given nothing it is only words.
        if (!work.rejected(who, head.lease)) return
        return trouble({ code: 'result-rejected', detail: head.code })
      case 'load':
      case 'accept':
      case 'refuse':
      case 'beat':
      case 'commit':
      case 'result':
      case 'failed':
        return jobs.head(who.account, head, body)
      case 'hello':
      case 'bye':
        return
      default:
        return models.head(who, head, body)
    }
  },
  /** How many bytes of a body are welcome from one who has said hello. */
  welcome(who: Greeted, head: Head): number {
    switch (head.k) {
      case 'tensor':
        return work.welcome(who, head)
      case 'result':
        return jobs.welcome(who.account, head)
      default:
        return models.welcome(who, head)
    }
  },
})
