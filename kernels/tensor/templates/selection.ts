/**
 * The largest few of each line, in order, of equal ones the first: lines are cut into parts, each part keeps as
 * many as are asked for, and what was kept is a line again, until it fits one part. NaN comes last.
 */
import { chunkOfGroup, selectByGroup } from './selection-by-group.ts'
import { chunkOfInvocation, selectByInvocation } from './selection-by-invocation.ts'
import type { Build } from '../build.ts'
import type { Value } from '../value.ts'
import type { View } from '../view.ts'
import type { Order } from './selection-round.ts'

/** Of a line: a workgroup has keys and places of eight times as many, which is all the memory that it has. */
export const MAX_SELECTED = 256

/** Along the last dimension, from which at least one is asked for. Answers values and places. */
export const selection = (
  build: Build,
  asked: Value,
  { count, ...order }: Order & { readonly count: number },
): readonly [View, View] => {
  const x = build.realise(asked)
  const outer = x.shape.slice(0, -1)
  const [chunkOf, select] =
    build.target.family === 'gpu'
      ? ([chunkOfGroup, selectByGroup] as const)
      : ([chunkOfInvocation, selectByInvocation] as const)
  let candidates: View | null = null
  let length = x.shape.at(-1)!
  for (;;) {
    const chunk = chunkOf(count, length)
    const chunks = Math.ceil(length / chunk)
    const round = { build, x, outer, count, order, candidates, length, chunk, chunks }
    const { places, values } = select(round)
    if (values !== null) return [values, places]
    candidates = places
    length = chunks * count
  }
}
