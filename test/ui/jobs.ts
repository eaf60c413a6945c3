/** Jobs in every state, for the screens that show them. */
import { jobId, type JobId } from '../../src/base/ids.ts'
import { microCredits } from '../../src/base/units.ts'
import type { JobView } from '../../src/peer/view.ts'
import { job, jobView, name, nodes, tiles } from './fixtures.ts'

export const alone = nodes().slice(0, 1)
export const id = (n: number): JobId => jobId(name(n))
export const line = jobView({
  id: id(12),
  title: 'Damped wave',
  job: job({
    name: 'map',
    program: { kind: 'map', length: 4096, program: 'sin(x)' },
    budget: microCredits(0),
  }),
  tasks: tiles(6, 0, 6, 3).map((task) => ({
    ...task,
    kernel: 'map@1',
    tensor: 'y',
    check: 'sampled',
  })),
  outputs: [{ name: 'y', dtype: 'f32', shape: [4096] }],
  state: 'done',
})
export const product = jobView({
  id: id(13),
  title: 'Matrix product, 512 x 512',
  job: job({
    name: 'matmul',
    program: { kind: 'matmul', dtype: 'f32', m: 64, k: 64, n: 64 },
    redundancy: 2,
  }),
  tasks: tiles(16, 0, 16, 4).map((task) => ({
    ...task,
    kernel: 'matmul@1',
    tensor: 'c',
    check: 'freivalds',
  })),
  outputs: [{ name: 'c', dtype: 'f32', shape: [64, 64] }],
  state: 'done',
})
export const running = jobView()
export const finished = jobView({
  id: id(14),
  title: 'Whole set',
  state: 'done',
  tasks: tiles(48, 0),
})
export const failed = jobView({
  id: id(15),
  title: 'Too large a picture',
  state: 'failed',
  tasks: tiles(7, 0),
  problem: { code: 'deadline', text: 'The deadline passed with 41 of 48 tasks open.' },
})
export const waiting = jobView({
  id: id(16),
  title: 'Nobody yet',
  state: 'waiting-for-nodes',
  tasks: tiles(0, 0),
  verified: 0,
})
export const big = jobView({
  id: id(17),
  title: 'Poster, 6400 units',
  tasks: tiles(2200, 300, 6400, 80),
})
export const jobs = [running, finished, line, product, failed, waiting]

/** Bytes of the image job: a smooth field of counts where a tile is verified, zeros elsewhere. */
export const imageBytes = (one: JobView): Uint8Array<ArrayBuffer> => {
  const counts = new Uint32Array(1024 * 768)
  for (const task of one.tasks) {
    if (task.state !== 'verified') continue
    for (let y = task.rect.row; y < task.rect.row + task.rect.rows; y++) {
      for (let x = task.rect.col; x < task.rect.col + task.rect.cols; x++) {
        const [re, im] = [-2.1 + (x / 1024) * 2.9, -1.09 + (y / 768) * 2.18]
        let [a, b, n] = [0, 0, 0]
        while (a * a + b * b < 4 && n < 600) {
          const next: number = a * a - b * b + re
          b = 2 * a * b + im
          a = next
          n += 1
        }
        counts[y * 1024 + x] = n
      }
    }
  }
  return new Uint8Array(counts.buffer)
}
