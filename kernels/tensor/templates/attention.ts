/** Attention in one kernel: the one that fits the adapter. */
import { attentionRows } from './attention-rows.ts'
import { attentionTiles, SUBGROUP } from './attention-tiles.ts'
import { sizeOf } from '../tensor.ts'
import type { Build } from '../build.ts'
import type { Deferred } from '../value.ts'
import type { Attention } from './attention-keys.ts'

/** Heads of more numbers do not fit the registers of an invocation. */
export const MAX_SIZE = 256

/** Operations from which on tiles are worth the second that SwiftShader takes to compile them. */
const MIN_TILED_FLOP = 2 ** 17

export const attention = (build: Build, asked: Attention): Deferred => {
  const { family, subgroup } = build.target
  const inFours = asked.q.shape[4]! % 4 === 0 && asked.v.shape[3]! % 4 === 0
  const flop = 2 * sizeOf(asked.q) * asked.k.shape[2]!
  return family === 'software' && subgroup === SUBGROUP && inFours && flop >= MIN_TILED_FLOP
    ? attentionTiles(build, asked)
    : attentionRows(build, asked)
}
