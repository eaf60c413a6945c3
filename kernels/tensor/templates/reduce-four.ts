/** Sums of many rows, four of them by each invocation or workgroup. */
import { Shader } from '../shader.ts'
import { flopOf, places, scalarFold, tree, walk, WORKGROUP } from './reduce-walk.ts'
import type { Deferred } from '../value.ts'
import type { Flat, Job } from './reduce-walk.ts'

/** Rows from which on there are enough workgroups when each takes four of them. */
const MANY_ROWS = 256

export const hasManyRows = ({ kept }: Flat): boolean =>
  kept.length === 1 && kept[0]! >= MANY_ROWS && kept[0]! % 4 === 0

/** Four rows side by side, so that what is done with the sums may be a formula behind them. Answers [kept]. */
export const alongFour = (job: Job): Deferred => {
  const { build, flat, text, element } = job
  const count = flat.kept[0]! / 4
  const { family } = build.target
  const workgroup = WORKGROUP[family]
  return build.deferred(element, flat.kept, [flat.value], (finish, target) => {
    const shader = new Shader(4)
    shader.use(text.functions)
    places(shader, job, count)
    const ones = [0, 1, 2, 3].map((r) => {
      const walked = walk(shader, job, [shader.let(`place * 4 + ${r}`)], '0', {
        from: family === 'gpu' ? 'local.x * 4' : '0',
        step: family === 'gpu' ? workgroup * 4 : 4,
      })
      return shader.let(scalarFold(shader, element, text, walked))
    })
    const own = shader.let(`vec4<${element}>(${ones.join(', ')})`)
    if (family === 'gpu') tree(shader, text, own, workgroup)
    const all = family === 'gpu' ? shader.let('found[0]') : own
    if (family === 'gpu') shader.line('if (local.x == 0) {')
    const at = [shader.let('place * 4')]
    shader.store(target, at, finish(shader, at, all))
    if (family === 'gpu') shader.line('}')
    build.emit({
      template: 'reduce',
      shader,
      workgroup: [workgroup, 1, 1],
      grid: [family === 'gpu' ? count : Math.ceil(count / workgroup), 1, 1],
      flop: flopOf(job),
    })
  })
}
