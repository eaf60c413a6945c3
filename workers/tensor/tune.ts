/**
 * Which tiles are the fastest for a class of products on an adapter, tried out while nobody waits for it: a
 * trial ends at its next slice when somebody does, and what compiles meanwhile compiles beside everything.
 */
import { lower } from '../../kernels/tensor/lower.ts'
import { classOf, TILES } from '../../kernels/tensor/tiles.ts'
import { shortestRuns, trialOf } from './trial.ts'
import type { Target } from '../../kernels/tensor/draft.ts'
import type { Product, Tile } from '../../kernels/tensor/tiles.ts'
import type { Control } from '../runnable.ts'
import type { PreparedProgram } from './prepared-program.ts'
import type { TensorRunner } from './runner.ts'
import type { Trial } from './trial.ts'

/** A trial has no side that is longer: some ms of a GPU, some tenths of a second of a software adapter. */
const MAX_SIDE = 512
const ROUNDS = 3
/** Less is within what times differ by anyway. */
const WORTH = 0.95
/** Of the windows that stand for convolutions. */
const WINDOW = 3

/** Times by candidate in ms, best of some rounds; null where somebody came in between. */
export type Timed = { readonly tile: Tile; readonly ms: number }

/** The usual tiles unless others are clearly faster; null where it was cut short. */
export const tune = async (
  runner: TensorRunner,
  target: Target,
  product: Product,
  control: Control,
): Promise<Tile | null> => {
  const trials = await tryTiles(runner, target, product, control)
  const [usual] = trials ?? []
  if (trials === null || usual === undefined) return null
  const best = trials.toSorted((a, b) => a.ms - b.ms)[0]!
  return best.ms < usual.ms * WORTH ? best.tile : usual.tile
}

/** The usual ones first. Those that do not compile are left out. */
export const tryTiles = async (
  runner: TensorRunner,
  target: Target,
  product: Product,
  control: Control,
): Promise<readonly Timed[] | null> => {
  const { bound, inputs } = trialFor(product)
  // The trial may be smaller than what it stands for, and of another class.
  const classes = lower(bound, target).products.map(classOf)
  const ready: { readonly tile: Tile; readonly program: PreparedProgram }[] = []
  for (const tile of TILES[target.family]) {
    if (control.cancelled()) break
    const tiles = Object.fromEntries(classes.map((name) => [name, tile]))
    const made = await runner.prepare(lower(bound, { ...target, tiles }))
    if (made.ok) ready.push({ tile, program: made.value })
  }
  const programs = ready.map(({ program }) => program)
  const times = await shortestRuns(programs, inputs, control, ROUNDS)
  for (const { program } of ready) program.close()
  if (ready.length === 0 || times.some(Number.isNaN)) return null
  return ready.map(({ tile }, i) => ({ tile, ms: times[i]! }))
}

/** What the product was met in, of at most `MAX_SIDE` along each side. */
const trialFor = ({ kind, ...sides }: Product): Trial => {
  const [m, n, k] = [sides.m, sides.n, sides.k].map((side) => Math.min(side, MAX_SIDE)) as Sides
  if (kind === 'product')
    return trialOf('MatMul', [
      [m, k],
      [k, n],
    ])
  const channels = Math.max(1, Math.round(k / WINDOW ** 2))
  const lines = Math.max(1, Math.round(MAX_SIDE / n))
  const windows = [m, channels, WINDOW, WINDOW]
  return trialOf('Conv', [[1, channels, lines, n], windows], { pads: [1, 1, 1, 1] })
}

type Sides = [number, number, number]
