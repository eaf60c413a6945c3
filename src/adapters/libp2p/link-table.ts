/**
 * Who we are linked with: at most one link per peer, whoever opened it. A stream becomes a link when
 * both sides have said `open`; until then it has no messages, so that when both open one at the same
 * moment, the one of the smaller peer id stays and nothing has been lost on the other.
 */
import type { Connection, Stream } from '@libp2p/interface'
import type { PeerId } from '../../base/ids.ts'
import type { NetworkEvents } from '../../ports.ts'
import type { LinkEvent } from '../../wire/link.ts'
import { PeerLink, type LinkHost } from './peer-link.ts'
import { WorkStream } from './work-stream.ts'

/** A stream must be opened by then: a reader that waits for ever is a reader that can be used up. */
const OPEN_LIMIT_MS = 5_000
/** Two nodes that open at the same moment see each other's stream within this time. */
const RACE_MS = 5_000

export type LinkTable = {
  get(peer: PeerId): PeerLink | undefined
  all(): PeerLink[]
  /** Opens a work stream on a connection and waits until the other side has opened it too. */
  open(peer: PeerId, stream: Stream, connection: Connection, signal: AbortSignal): Promise<boolean>
  /** A stream that the other side has begun. */
  accept(stream: Stream, connection: Connection): void
  closeAll(reason: string): void
}

type Opening = { readonly stream: WorkStream; done(accepted: boolean): void }

export const linkTable = (
  self: PeerId,
  events: NetworkEvents,
  max: number,
  onOver: (peer: PeerId) => void,
): LinkTable => {
  const links = new Map<PeerId, PeerLink>()
  const openings = new Map<PeerId, Opening>()

  /** Links that are over, and nobody has been told yet. */
  const over = new Map<PeerId, string>()
  const tellOver = (peer: PeerId): void => {
    const reason = over.get(peer)
    if (reason === undefined) return
    over.delete(peer)
    events.closed(peer, reason)
  }

  const host: LinkHost = {
    events,
    over(link, reason) {
      if (links.get(link.peer) !== link) return
      links.delete(link.peer)
      onOver(link.peer)
      over.set(link.peer, reason)
      // Later, so that whoever asked for it is not called in the middle of asking.
      queueMicrotask(() => tellOver(link.peer))
    },
  }

  const establish = (peer: PeerId, stream: WorkStream, mine: boolean): void => {
    tellOver(peer)
    const link = new PeerLink(host, peer, stream, mine)
    links.set(peer, link)
    events.opened(link.link)
    link.ping()
  }

  /** Why a new link that `peer` wants to open is not wanted, or null. */
  const refusal = (peer: PeerId): string | null => {
    const link = links.get(peer)
    if (openings.has(peer) && self < peer) return 'ours-was-first'
    if (link && link.mine && self < peer && performance.now() - link.since < RACE_MS)
      return 'ours-was-first'
    return !link && links.size >= max ? 'too-many-links' : null
  }

  /** The other side opened `stream`, as a new link or as a better way for the one there is. */
  const opened = (peer: PeerId, stream: WorkStream, goesOn: boolean): void => {
    const link = links.get(peer)
    if (goesOn) {
      if (!link || link.mine) return stream.close('nothing-to-go-on')
      stream.codec.open(true)
      stream.flush()
      return link.moveTo(stream)
    }
    const code = refusal(peer)
    if (code !== null) return stream.close(code)
    openings.get(peer)?.done(false)
    link?.close('replaced')
    stream.codec.open(false)
    stream.flush()
    establish(peer, stream, false)
  }

  /** A stream with a codec, whose events go to the link it belongs to at the time. */
  const attach = (
    peer: PeerId,
    stream: Stream,
    connection: Connection,
    first: (stream: WorkStream, event: LinkEvent) => void,
    lost: () => void,
  ): WorkStream => {
    const work: WorkStream = new WorkStream(stream, connection, {
      welcome: (head) => events.welcome(peer, head),
      event(event) {
        const link = links.get(peer)
        if (link?.has(work)) link.event(work, event)
        else first(work, event)
      },
      endSent: () => links.get(peer)?.endSent(work),
      closed(reason) {
        lost()
        links.get(peer)?.lost(work, reason)
      },
    })
    return work
  }

  return {
    get: (peer) => links.get(peer),
    all: () => [...links.values()],
    open(peer, stream, connection, signal) {
      return new Promise((resolve) => {
        const goesOn = links.has(peer)
        const timer = setTimeout(() => opening.done(false), OPEN_LIMIT_MS)
        const abort = (): void => opening.done(false)
        const finish = (accepted: boolean): void => {
          if (openings.get(peer) !== opening) return
          openings.delete(peer)
          clearTimeout(timer)
          signal.removeEventListener('abort', abort)
          if (!accepted) opening.stream.close('not-opened')
          resolve(accepted)
        }
        const work = attach(
          peer,
          stream,
          connection,
          (_, event) => {
            const link = links.get(peer)
            if (
              event.kind !== 'opened' ||
              event.goesOn !== goesOn ||
              goesOn !== (link !== undefined)
            )
              return finish(false)
            finish(true)
            if (link) link.moveTo(work)
            else establish(peer, work, true)
          },
          () => finish(false),
        )
        const opening: Opening = { stream: work, done: finish }
        openings.get(peer)?.done(false)
        openings.set(peer, opening)
        signal.addEventListener('abort', abort, { once: true })
        work.codec.open(goesOn)
        work.flush()
      })
    },
    accept(stream, connection) {
      const peer = connection.remotePeer.toString() as PeerId
      const timer = setTimeout(() => work.close('not-opened'), OPEN_LIMIT_MS)
      const work = attach(
        peer,
        stream,
        connection,
        (self_, event) => {
          clearTimeout(timer)
          if (event.kind === 'opened') opened(peer, self_, event.goesOn)
          else self_.close('not-opened')
        },
        () => clearTimeout(timer),
      )
    },
    closeAll(reason) {
      for (const opening of [...openings.values()]) opening.done(false)
      for (const link of [...links.values()]) link.disconnect(reason)
    },
  }
}
