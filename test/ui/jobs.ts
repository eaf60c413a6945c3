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
  title: 'Poster, ten thousand units',
  tasks: tiles(2200, 300, 10_000, 100).map((task) => ({
    ...task,
    rect: {
      row: Math.floor(task.index / 100) * 16,
      rows: 16,
      col: (task.index % 100) * 16,
      cols: 16,
    },
  })),
  outputs: [{ name: 'image', dtype: 'u32', shape: [1600, 1600] }],
})
const cut = (columns: number, rows: number, done: number): JobView['tasks'] =>
  tiles(done, 3, columns * rows, columns)
const strip = (jobNumber: number, title: string, columns: number, rows: number): JobView =>
  jobView({
    id: id(jobNumber),
    title,
    tasks: cut(columns, rows, columns * rows - 5),
    outputs: [{ name: 'image', dtype: 'u32', shape: [rows * 128, columns * 128] }],
  })
export const wide = strip(18, 'A panorama', 40, 1)
export const tall = strip(19, 'A scroll', 1, 40)
/** A row of numbers with a hole in it. */
export const partly = jobView({
  ...line,
  id: id(20),
  title: 'Damped wave, in the making',
  state: 'running',
  tasks: line.tasks.map((task, i) => ({
    ...task,
    state: i === 2 || i > 3 ? 'computing' : 'verified',
    rect: { row: 0, rows: 1, col: i * 683, cols: Math.min(683, 4096 - i * 683) },
  })),
})
export const wordy = jobView({
  id: id(21),
  title: `A title nobody cut short: ${'Donaudampfschifffahrtsgesellschaftskapitän'.repeat(3)}`,
  state: 'failed',
  problem: {
    code: 'task-failed',
    text: `task 3 failed 16 times; last: ${'out-of-budget, '.repeat(12)}and nobody could take it`,
  },
})
export const jobs = [running, finished, line, product, failed, waiting]

/** Bytes of an image job: a smooth field of counts where a tile is verified, zeros elsewhere. */
export const imageBytes = (one: JobView): Uint8Array<ArrayBuffer> => {
  const [height = 0, width = 0] = one.outputs[0]?.shape ?? []
  const counts = new Uint32Array(width * height)
  const side = Math.max(width, height)
  for (const task of one.tasks) {
    if (task.state !== 'verified') continue
    const { row, rows, col, cols } = task.rect
    for (let y = row; y < Math.min(height, row + rows); y++) {
      for (let x = col; x < Math.min(width, col + cols); x++) {
        const [re, im] = [-2.1 + (x / side) * 2.9, -1.09 + (y / side) * 2.9]
        let [a, b, n] = [0, 0, 0]
        while (a * a + b * b < 4 && n < 100) {
          const next: number = a * a - b * b + re
          b = 2 * a * b + im
          a = next
          n += 1
        }
        counts[y * width + x] = n * 6
      }
    }
  }
  return new Uint8Array(counts.buffer)
}
