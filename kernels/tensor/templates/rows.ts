/**
 * Rows: some statistics of each row, one after another, then a formula for each element of it (softmax,
 * norms). A software adapter has a row walked by one invocation, a GPU by many.
 */
import { sizeOf } from '../tensor.ts'
import { Shader } from '../shader.ts'
import { rowsByGroup } from './rows-by-group.ts'
import { rowsByInvocation } from './rows-by-invocation.ts'
import type { Build } from '../build.ts'
import type { Deferred } from '../value.ts'
import type { Rows } from './row-kernel.ts'

/** Formulas that are cheaper to compute again than to store. */
const MAX_AGAIN = 2

export const rows = (build: Build, asked: Rows): Deferred => {
  // A row is walked once for each statistic and once more: what costs something is computed before.
  const ready = asked.inputs.map((input) =>
    input.kind === 'pointwise' && input.size > MAX_AGAIN ? build.realise(input) : input,
  )
  const inputs = build.readables(ready)
  const { shape, rowRank, element } = asked
  const first = shape.length - rowRank
  const [outer, inner] = [shape.slice(0, first), shape.slice(first)]
  return build.deferred(element, shape, inputs, (finish, out) => {
    const shader = new Shader(shape.at(-1)! % 4 === 0 ? 4 : 1)
    shader.use(asked.functions ?? [])
    const store = (at: readonly string[], found: string): void =>
      shader.store(out, at, finish(shader, at, found))
    const kernel = { shader, asked, inputs, outer, inner, store }
    const laid = build.target.family === 'gpu' ? rowsByGroup(kernel) : rowsByInvocation(kernel)
    const flop = sizeOf({ shape }) * 4 * (1 + asked.statistics.length)
    build.emit({ template: 'rows', shader, ...laid, flop })
  })
}
