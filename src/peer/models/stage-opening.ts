/**
 * How a stage comes to a node: its manifest, then the leaves of its blocks, then weights on the device. Each is a
 * question that is answered later, by when nobody may want the stage any more.
 */
import type { PortError } from '../../ports.ts'
import { err, ok } from '../../base/result.ts'
import { costedModel, loadWork, type StageWork } from '../../core/stage-cost.ts'
import { blocksOf, type Manifest, type SignedManifest } from '../../wire/manifest.ts'
import type { StageTrouble } from '../../wire/model-heads.ts'
import type { Desk } from '../desk.ts'
import type { Donor } from '../donor.ts'
import type { LeafExchange } from './leaf-exchange.ts'
import type { Served } from './served-stage.ts'
import { stageNeeds } from './stage-needs.ts'

export type OpeningEvents = {
  /** It turned out to take so much; false where there is not so much. */
  sized(stage: Served): boolean
  /** It is further than it was. */
  came(stage: Served): void
  /** Something was done for it, also where nobody wants it any more; false where nothing more is given away. */
  gave(stage: Served, work: StageWork, computeMs: number): boolean
  giveBack(stage: Served, code: StageTrouble): void
}

export const stageOpening = (
  desk: Desk,
  lender: Donor,
  leaves: () => LeafExchange,
  events: OpeningEvents,
) => {
  const isProcessor = (): boolean => {
    const engine = lender.capability()?.graphs.engine
    return engine === 'wasm' || engine === 'reference'
  }

  const load = (stage: Served, model: Manifest): void => {
    const { layers: id, from, to } = stage
    const began = desk.now()
    stage.state = 'loading'
    stage.fetched = { ...stage.fetched, permille: 0 }
    events.came(stage)
    desk.openStage(
      { id, model, from, to },
      (name, then) =>
        desk.readLeaf(name, (read) => {
          if (!read.ok) return then(read)
          return then(read.value === null ? err(lostLeaf(name)) : ok(read.value))
        }),
      (permille) => {
        if (stage.isClosed || stage.state !== 'loading') return
        stage.fetched = { ...stage.fetched, permille }
        events.came(stage)
      },
      (opened) => {
        const isMore = events.gave(stage, loadWork(stage.costed!, stage), desk.now() - began)
        if (stage.isClosed) return
        if (!opened.ok) return events.giveBack(stage, troubleOf(opened.error))
        if (!isMore) return events.giveBack(stage, 'free-tier-used-up')
        stage.state = 'ready'
        stage.fetched = { ...stage.fetched, permille: 1_000 }
        events.came(stage)
      },
    )
  }

  const fetch = (stage: Served, signed: SignedManifest, blocks: readonly number[]): void => {
    const stop = leaves().fetch(
      stage.model,
      signed,
      blocks,
      stage.who.peer,
      (fetched) => {
        if (stage.isClosed || stage.state !== 'fetching') return
        stage.fetched = fetched
        events.came(stage)
      },
      (fetched) => {
        const letGo = (): void => leaves().letGo(stage.model, blocks)
        if (stage.isClosed) return fetched.ok ? letGo() : undefined
        if (!fetched.ok) return events.giveBack(stage, 'no-weights')
        stage.release = letGo
        load(stage, signed.body)
      },
    )
    // It may have been answered at once.
    if (stage.state === 'fetching' && !stage.isClosed) stage.release = stop
  }

  return {
    open(stage: Served): void {
      leaves().manifest(stage.model, stage.who.peer, (found) => {
        if (stage.isClosed) return
        if (!found.ok) return events.giveBack(stage, 'no-weights')
        const manifest = found.value.body
        stage.costed = costedModel(manifest)
        const shape = stage.costed?.shape
        const { from, to, places, top } = stage
        if (!shape || from >= to || to > shape.layers) return events.giveBack(stage, 'bad-model')
        if (places > shape.context || top > shape.vocabulary)
          return events.giveBack(stage, 'bad-model')
        const blocks = blocksOf(stage, manifest)
        Object.assign(stage, stageNeeds(manifest, shape, stage, isProcessor()))
        if (!events.sized(stage)) return events.giveBack(stage, 'no-room')
        fetch(stage, found.value, blocks)
      })
    },
  }
}

const lostLeaf = (name: string): PortError => ({ code: 'no-weights', detail: `${name} is gone` })

/** What the requester is told of an engine's refusal. */
const troubleOf = ({ code }: PortError): StageTrouble => {
  switch (code) {
    case 'out-of-budget':
      return 'no-room'
    case 'bad-model':
    case 'no-weights':
      return code
    default:
      return 'engine'
  }
}
