/** TopK where ONNX says nothing: what is no number comes last, in both families, however long the line. */
import { describe, expect, it } from 'vitest'
import { list } from '../../kernels/tensor/draw.ts'
import { noise } from '../../kernels/noise.ts'
import { runReference } from '../../kernels/tensor/reference.ts'
import { engine } from './device.ts'
import { bindTrial, trialOf } from './one-node.ts'

/** Numbers, of which one in four is NaN, an infinity, a zero of either sign, or there twice. */
const oddLine = (length: number, seed: number): Float32Array => {
  const next = noise(seed)
  const odd = [NaN, -Infinity, Infinity, 0, -0, 1.5]
  return Float32Array.from({ length }, () =>
    next() < 0.25 ? odd[Math.floor(next() * odd.length)]! : 6 * next() - 3,
  )
}

const LINES = [
  // Held against each other.
  { length: 200, count: 200 },
  { length: 300, count: 256 },
  // In two rounds, and in three.
  { length: 2_500, count: 1 },
  { length: 11_000, count: 100 },
] as const

describe.skipIf(engine === null).each(['software', 'gpu'] as const)('%s', (family) => {
  it.each(LINES)('chooses $count of $length as the reference does', async ({ length, count }) => {
    const x = { element: 'f32', shape: [1, length], data: oddLine(length, count) } as const
    const trial = trialOf('TopK', { inputs: [x, list(count)], outputs: 2 })
    const bound = bindTrial(trial)
    if (!bound.ok) throw new Error(bound.error.detail)
    const [values, places] = runReference(bound.value, trial.inputs)
    const got = await engine!.run(bound.value, trial.inputs, { family })
    expect([...got[1]!.data]).toEqual([...places!.data])
    expect([...got[0]!.data]).toEqual([...values!.data])
  })

  it('chooses no number only where nothing else is left', async () => {
    const data = Float32Array.of(...Array.from({ length: 300 }, () => NaN))
    data.set([-Infinity, 7], 100)
    const x = { element: 'f32', shape: [300], data } as const
    const bound = bindTrial(trialOf('TopK', { inputs: [x, list(4)], outputs: 2 }))
    if (!bound.ok) throw new Error(bound.error.detail)
    const [, places] = await engine!.run(bound.value, [x, list(4)], { family })
    expect([...places!.data]).toEqual([101, 100, 0, 1])
  })
})
