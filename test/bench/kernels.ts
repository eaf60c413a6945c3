/** The page in which the tensor engine and other libraries run the same things in turn. */
import { openJax } from './contenders/jax.ts'
import { openOrts, openOrtWasm } from './contenders/ort.ts'
import { openOursOnCpu } from './contenders/ours-on-cpu.ts'
import { openOurs } from './contenders/ours.ts'
import { openTfjs } from './contenders/tfjs.ts'
import { SUBJECTS } from './subjects.ts'
import type { Contender, Prepared } from './contender.ts'

/** Milliseconds of one run, without and with the answer read back. */
export type Times = { readonly computed: number; readonly read: number | null }

/** Short runs are repeated until they take this long: waiting alone is uncertain by some 2 ms. */
const ENOUGH_MS = 40
const MAX_TIMES = 16
/** What takes longer is not run again for the sake of reading back, which would not show. */
const SLOW_MS = 8000

type Described = Pick<Contender, 'name' | 'gpu'>
type Entry = { readonly contender: Contender; readonly prepared: Prepared; readonly warmMs: number }

let contenders: readonly Contender[] = []
let entries: readonly Entry[] = []

const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const began = performance.now()
  await work()
  return performance.now() - began
}

/** Largest difference, as a part of the largest element of `want`. */
const differenceOf = (got: Float32Array, want: Float32Array): number => {
  if (got.length !== want.length) return Infinity
  let [most, largest] = [0, 0]
  for (let i = 0; i < want.length; i++) {
    const away = Math.abs(got[i]! - want[i]!)
    if (!(away <= most)) most = Number.isNaN(away) ? Infinity : away
    largest = Math.max(largest, Math.abs(want[i]!))
  }
  return most / largest
}

const measure = async ({ prepared, warmMs }: Entry): Promise<Times> => {
  const times = Math.max(1, Math.min(MAX_TIMES, Math.ceil(ENOUGH_MS / warmMs)))
  const computed = (await timed(() => prepared.run(times))) / times
  if (computed > SLOW_MS) return { computed, read: null }
  const read = await timed(async () => {
    for (let i = 0; i < times; i++) await prepared.read()
  })
  return { computed, read: read / times }
}

const kernels = {
  names: Object.keys(SUBJECTS),
  /** What they run on. Their names, and which of them are GPU libraries. */
  async open(on: 'gpu' | 'cpu'): Promise<{ adapter: string; contenders: Described[] }> {
    const ours = on === 'gpu' ? await openOurs() : null
    contenders =
      ours === null
        ? [openOursOnCpu(), await openOrtWasm()]
        : [ours.contender, await openJax(), await openTfjs(), ...(await openOrts())]
    const described = contenders.map(({ name, gpu }) => ({ name, gpu }))
    return { adapter: ours?.gpu.adapter.label ?? 'the processor', contenders: described }
  },
  /** Compiles, warms up, and says by how much each answer differs from ours. */
  async prepare(key: string): Promise<{ name: string; differences: Record<string, number> }> {
    const subject = SUBJECTS[key]!()
    const differences: Record<string, number> = {}
    const made: Entry[] = []
    let ours: Float32Array | null = null
    for (const contender of contenders) {
      const prepared = await contender.prepare(subject)
      const began = performance.now()
      const answer = await prepared.read()
      const firstMs = performance.now() - began
      ours ??= answer
      differences[contender.name] = differenceOf(answer, ours)
      const warmMs = firstMs > SLOW_MS ? firstMs : await timed(() => prepared.run(1))
      made.push({ contender, prepared, warmMs })
    }
    entries = made
    return { name: subject.name, differences }
  },
  /** One contender's part of a round. */
  async turn(name: string): Promise<Times> {
    return measure(entries.find(({ contender }) => contender.name === name)!)
  },
  close(): void {
    for (const { prepared } of entries) prepared.close()
    entries = []
  },
}

export type Kernels = typeof kernels
Object.assign(globalThis, { kernels })
