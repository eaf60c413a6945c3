/**
 * What is the fastest on an adapter: one of two families of kernels, or WebAssembly where the adapter is a CPU
 * that plays GPU. Told by a product that is short for any of them, each in turn, some times over. An
 * adapter's name says less: drivers differ, and new ones come.
 */
import { lower } from '../../kernels/tensor/lower.ts'
import { labelOf } from '../gpu/device.ts'
import { FREE } from '../runnable.ts'
import { targetOf } from './target.ts'
import { shortestRuns, trialOf } from './trial.ts'
import type { Target } from '../../kernels/tensor/draft.ts'
import type { Tensor } from '../../kernels/tensor/tensor.ts'
import type { Choice, Choices } from './choices.ts'
import type { CpuRunner } from './cpu-runner.ts'
import type { TensorRunner } from './runner.ts'
import type { Runs } from './trial.ts'

/** Changes with kernels that change which of them is the fastest. */
const VERSION = 3
/** Long enough to tell families apart, and some ms on the slowest adapter. */
const SIDE = 256
const ROUNDS = 3

const nameOf = (target: Target | null): string => {
  if (target === null) return 'WebAssembly'
  if (target.family === 'gpu') return 'gpu'
  return target.subgroup === null ? 'software' : `software, subgroups of ${target.subgroup}`
}

/** What the choice is kept under. */
export const adapterKey = ({ adapterInfo }: GPUDevice): string => {
  const { vendor, architecture, device, description } = adapterInfo
  return [VERSION, labelOf(adapterInfo).kind, vendor, architecture, device, description].join('/')
}

/** What may win. How dear barriers are to a software adapter, and that its subgroups help, is known. */
const candidatesOf = (device: GPUDevice): readonly (Target | null)[] => {
  const found = targetOf(device)
  return [found, found.family === 'gpu' ? { family: 'software', subgroup: null } : null]
}

/** Looks it up, or measures it and keeps it. `openCpu` is asked only where the CPU is among what is tried. */
export const choose = async (
  runner: TensorRunner,
  openCpu: () => Promise<CpuRunner>,
  choices: Choices,
): Promise<Choice> => {
  const { device } = runner.gpu
  const key = adapterKey(device)
  const known = await choices.get(key)
  if (known !== undefined) return known
  const { bound, inputs } = trialOf('MatMul', [
    [SIDE, SIDE],
    [SIDE, SIDE],
  ])
  const ready: Ready[] = []
  for (const target of candidatesOf(device)) {
    const made =
      target === null
        ? await (await openCpu()).prepare(bound)
        : await runner.prepare(lower(bound, target))
    if (made.ok) ready.push({ target, prepared: made.value })
  }
  const measured = await measure(ready, inputs)
  for (const { prepared } of ready) prepared.close()
  const best = measured.toSorted((a, b) => a.ms - b.ms)[0]
  const choice: Choice = {
    target: best?.target ?? null,
    measured: Object.fromEntries(measured.map(({ target, ms }) => [nameOf(target), ms])),
  }
  await choices.set(key, choice)
  return choice
}

type Ready = { readonly target: Target | null; readonly prepared: Runs & { close(): void } }

/** What fails is no candidate. */
const measure = async (
  ready: readonly Ready[],
  inputs: readonly Tensor[],
): Promise<readonly { readonly target: Target | null; readonly ms: number }[]> => {
  const all = ready.map(({ prepared }) => prepared)
  const times = await shortestRuns(all, inputs, FREE, ROUNDS)
  return ready.flatMap(({ target }, i) =>
    Number.isFinite(times[i]) ? [{ target, ms: times[i]! }] : [],
  )
}
