/** What a stage takes on the node that has it, known from the manifest before anything of the model is fetched. */
import { FEED_TOKENS, runBytes, tableBytes, type StageShape } from '../../core/stage-cost.ts'
import { deviceBytes } from '../../models/device-bytes.ts'
import { blocksOf, type Manifest } from '../../wire/manifest.ts'
import { HOST_LIMITS } from './served-stage.ts'

export type StageNeeds = {
  /** Of weights, which talks share. */
  readonly weightBytes: number
  /** Of keys and values of one talk, of rows that wait, and of what a run makes on its way. */
  readonly tableBytes: number
}

type Asked = { readonly from: number; readonly to: number; readonly places: number }

/** @param onProcessor whether graphs run on WebAssembly there, and not on a GPU */
export const stageNeeds = (
  manifest: Pick<Manifest, 'blocks' | 'config'>,
  shape: StageShape,
  asked: Asked,
  onProcessor: boolean,
): StageNeeds => {
  const { from, places } = asked
  const tensors = blocksOf(asked, manifest).flatMap((i) => manifest.blocks[i]?.tensors ?? [])
  const { feeds, feedsPassed } = HOST_LIMITS
  const rows = from === 0 ? 0 : (feeds + feedsPassed) * FEED_TOKENS * shape.width * 4
  const own = tableBytes(shape, asked, places) + runBytes(shape, asked, places, onProcessor)
  return { weightBytes: deviceBytes(tensors, onProcessor), tableBytes: own + rows }
}
