/** Every table a node keeps has a written limit, and no table is ever beyond its own (I11). */
import type { Journal } from './journal.ts'
import type { SimNode } from './life.ts'

export const overLimits = (log: Journal, node: SimNode): void => {
  if (!node.life) return
  for (const { what, held, limit } of node.life.peer.inspect().sizes) {
    if (held > limit)
      log.violate('I11-limit', `${node.name} holds ${held} ${what}, at most ${limit}`)
    if (held === limit) log.saw(`full: ${what}`)
  }
}
