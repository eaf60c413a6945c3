/** `swarm bench tasks`: each pinned kernel on the adapter of this machine, beside its CPU reference in the same page. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright'
import { err, ok, type Result } from '../../src/base/result.ts'
import type { PortError } from '../../src/ports.ts'
import { encodePng } from '../../src/spec/png.ts'
import { root } from '../local-node.mjs'
import { prepareJob } from '../prepare-job.ts'
import { benchPages, type BenchTab } from './bench-page.ts'
import { inTurn, row, type Row } from './bench-rows.ts'

declare const tab: BenchTab

const RUNS = 5
/** Side of the picture that the image filter gets. */
const SIDE = 512

/** Jobs of one task (the sum has a second one, for the total), large enough to keep a device busy. */
const SUBJECTS: readonly (readonly [name: string, template: string, sets: readonly string[]])[] = [
  ['matrix product, f32, 512 × 512 × 512', 'matmul', ['m=512', 'k=512', 'n=512', 'tile=512']],
  [
    'matrix product, i8, 512 × 512 × 512',
    'matmul',
    ['m=512', 'k=512', 'n=512', 'tile=512', 'dtype=i8'],
  ],
  [
    'Mandelbrot, 256 × 256, 500 steps',
    'mandelbrot',
    ['width=256', 'height=256', 'iterations=500', 'tile=256'],
  ],
  [`unsharp mask, ${SIDE} × ${SIDE}, radius 6`, 'image', [`tile=${SIDE}`]],
  ['map, 2^20 elements', 'map', ['length=1048576', 'tile=1048576']],
  ['sum, 2^21 elements', 'sum', ['length=2097152', 'tile=2097152']],
]

export const benchTasks = async (): Promise<Result<Row[], PortError>> => {
  const pages = await benchPages()
  if (!pages.ok) return pages
  const folder = mkdtempSync(join(tmpdir(), 'swarm-bench-'))
  try {
    const picture = join(folder, 'image.png')
    writeFileSync(picture, encodePng(new Uint8Array(SIDE * SIDE * 4).fill(255), SIDE, SIDE))
    return await measure(await pages.value.newPage(), picture)
  } finally {
    rmSync(folder, { recursive: true, force: true })
    await pages.value.close()
  }
}

const measure = async (page: Page, picture: string): Promise<Result<Row[], PortError>> => {
  const adapter = await page.evaluate(() => tab.adapter())
  const rows: Row[] = []
  for (const [name, template, sets] of SUBJECTS) {
    const file = join(root, 'public/jobs', `${template}.swarm.md`)
    const prepared = await prepareJob(file, sets, template === 'image' ? { image: picture } : {})
    if (!prepared.ok) return err({ code: 'bad-template', detail: prepared.error.text })
    const { job, plan } = prepared.value
    const rate = async (engine: 'gpu' | 'cpu'): Promise<number> => {
      const ms = await page.evaluate(([what, on]) => tab.task(what, 0, on), [job, engine] as const)
      return plan.tasks[0]!.flop / 1e6 / ms
    }
    const contenders = { ours: () => rate('gpu'), reference: () => rate('cpu') }
    // The first compiles pipelines and warms the code up.
    await inTurn(1, contenders)
    const { ours, reference } = await inTurn(RUNS, contenders)
    rows.push(row(`${name}, on ${adapter}`, 'GFLOP/s', ours, { 'CPU reference': reference }))
  }
  return ok(rows)
}
