/**
 * Sums of many rows, four of them by each invocation or workgroup. Where the same is done a few times, as weights
 * are multiplied with a few rows of numbers, what all of them share is read once.
 */
import { Shader } from '../shader.ts'
import { flopOf, places, scalarFold, tree, walk, WORKGROUP } from './reduce-walk.ts'
import { FEW } from './matmul-row.ts'
import type { Deferred } from '../value.ts'
import type { Flat, Job } from './reduce-walk.ts'

/** Rows from which on there are enough workgroups when each takes four of them. */
const MANY_ROWS = 256

/** [rows], or a few times as many. */
export const hasManyRows = ({ kept }: Flat): boolean => {
  const [rows, ...times] = kept.toReversed() as [number, ...number[]]
  return rows >= MANY_ROWS && rows % 4 === 0 && (kept.length === 1 || isFew(times))
}

const isFew = (times: readonly number[]): boolean => times.length === 1 && times[0]! <= FEW

/** Four rows side by side, so that what is done with the sums may be a formula behind them. Answers [kept]. */
export const alongFour = (job: Job): Deferred => {
  const { build, flat, text, element } = job
  const count = flat.kept.at(-1)! / 4
  const times =
    flat.kept.length === 1 ? [[]] : Array.from({ length: flat.kept[0]! }, (_, i) => [String(i)])
  const { family } = build.target
  const workgroup = WORKGROUP[family]
  return build.deferred(element, flat.kept, [flat.value], (finish, target) => {
    const shader = new Shader(4)
    shader.use(text.functions)
    places(shader, job, count, times.length)
    const ones = [0, 1, 2, 3].map((r) => {
      const row = shader.let(`place * 4 + ${r}`)
      const walked = walk(
        shader,
        job,
        times.map((time) => [...time, row]),
        '0',
        {
          from: family === 'gpu' ? 'local.x * 4' : '0',
          step: family === 'gpu' ? workgroup * 4 : 4,
        },
      )
      return walked.map((one) => shader.let(scalarFold(shader, element, text, one)))
    })
    const own = times.map((_, i) =>
      shader.let(`vec4<${element}>(${ones.map((one) => one[i]).join(', ')})`),
    )
    const all = family === 'gpu' ? tree(shader, text, own, workgroup) : own
    if (family === 'gpu') shader.line('if (local.x == 0) {')
    const first = shader.let('place * 4')
    for (const [i, time] of times.entries()) {
      const at = [...time, first]
      shader.store(target, at, finish(shader, at, all[i]!))
    }
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
