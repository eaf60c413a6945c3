/** The Mandelbrot set in square tiles. Tiles of one picture share its pixels' exact places. */
import { mandelbrotTile, mandelbrotView } from '../../../kernels/fixed-point.ts'
import { ok } from '../../base/result.ts'
import type { Job, Program } from '../job.ts'
import { chosenTile, nearestTile, refuse, tileAt, tileCount, takeInputs, unlike } from './draft.ts'
import type { Drafted } from './draft.ts'

/** The kernel's limit on a tile is 4096; a picture has as many as its job may have tasks. */
const SIDE_MAX = 16_384
/** Small enough to come in visibly, large enough to keep a GPU busy. */
const TILES = [256, 192, 128, 96, 64]

export const draftMandelbrot = (
  job: Job,
  program: Extract<Program, { kind: 'mandelbrot' }>,
): Drafted => {
  const { width, height, iterations } = program
  const wrong = unlike({ width, height }, SIDE_MAX) ?? unlike({ iterations }, 65_535)
  if (wrong) return wrong
  const view = mandelbrotView(program)
  if (!view.ok) {
    const { param, expected, found } = view.error
    return refuse('bad-param', `program.${param}`, expected, found)
  }
  const inputs = takeInputs(job, {})
  if (!inputs.ok) return inputs
  const tile = chosenTile(job, 16, 2048, () => nearestTile(width, height, TILES))
  if (!tile.ok) return tile
  const task = (index: number) => {
    const at = tileAt(width, height, tile.value, index)
    return {
      kernel: 'mandelbrot@1',
      params: {
        ...mandelbrotTile(view.value, at.left, at.top),
        width: at.width,
        height: at.height,
        iterations,
      },
      reads: [],
      writes: {
        tensor: 'image',
        rect: { row: at.top, rows: at.height, col: at.left, cols: at.width },
      },
    }
  }
  return ok({
    tensors: { image: { dtype: 'u32', shape: [height, width] } },
    stages: [{ count: tileCount(width, height, tile.value), task }],
    outputs: ['image'],
  })
}
