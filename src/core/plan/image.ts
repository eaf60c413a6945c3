/** A filter over a picture: square tiles, each read with a halo of its neighbours' pixels. */
import { ok } from '../../base/result.ts'
import type { Job, Program } from '../job.ts'
import {
  chosenTile,
  nearestTile,
  refuse,
  takeInputs,
  tileAt,
  tileCount,
  unlike,
  type Drafted,
} from './draft.ts'

/** 1024 with the widest halo reads 4.3 MiB; smaller ones for small pictures. */
const TILES = [1024, 768, 512, 384, 256, 192, 128, 96, 64]
/** The kernel's own limit on a side, and on how far a filter reaches. */
const SIDE_MAX = 16_384
const RADIUS_MAX = 16
const CHANNELS = 4

export const draftImage = (job: Job, program: Extract<Program, { kind: 'image' }>): Drafted => {
  const inputs = takeInputs(job, { image: { dtype: 'u8', shape: [null, null, CHANNELS] } })
  if (!inputs.ok) return inputs
  const image = inputs.value['image']!
  const [height, width] = [image.shape[0]!, image.shape[1]!]
  const tooLarge = Math.max(width, height) > SIDE_MAX
  if (tooLarge)
    return refuse('too-large', 'inputs.image', `sides up to ${SIDE_MAX}`, `${width}x${height}`)
  const wrong = unlike({ radius: program.radius }, RADIUS_MAX)
  if (wrong) return wrong
  const tile = chosenTile(job, 16, 4096, () => nearestTile(width, height, TILES))
  if (!tile.ok) return tile
  const task = (index: number) => {
    const at = tileAt(width, height, tile.value, index)
    const left = Math.min(program.radius, at.left)
    const top = Math.min(program.radius, at.top)
    const right = Math.min(program.radius, width - at.left - at.width)
    const bottom = Math.min(program.radius, height - at.top - at.height)
    const [readWidth, readHeight] = [at.width + left + right, at.height + top + bottom]
    return {
      kernel: 'image-filter@1',
      params: {
        filter: program.filter,
        radius: program.radius,
        sigma: program.sigmaMilli,
        amount: program.amountMilli,
        width: readWidth,
        height: readHeight,
        left,
        top,
        right,
        bottom,
      },
      reads: [
        { tensor: 'image', rect: pixels(at.left - left, at.top - top, readWidth, readHeight) },
      ],
      writes: { tensor: 'filtered', rect: pixels(at.left, at.top, at.width, at.height) },
    }
  }
  return ok({
    tensors: { image, filtered: image },
    stages: [{ count: tileCount(width, height, tile.value), task }],
    outputs: ['filtered'],
  })
}

const pixels = (left: number, top: number, width: number, height: number) => ({
  row: top,
  rows: height,
  col: left * CHANNELS,
  cols: width * CHANNELS,
})
