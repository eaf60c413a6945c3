/** AffineGrid: where an affine matrix moves each place of a picture to, for GridSample. */
import { isFloat, sizeOf } from '../tensor.ts'
import { refuse } from '../outcome.ts'
import { inputOf, intOf, knownInts } from '../op.ts'
import { nest } from '../templates/nest.ts'
import { list } from '../draw.ts'
import { fill, placeOf } from './coordinates.ts'
import type { Draw } from '../draw.ts'
import type { Call, Op, Sample } from '../op.ts'
import type { Shape } from '../tensor.ts'

type Plan = {
  readonly spatial: Shape
  /** [batch, spatial..., coordinates] */
  readonly shape: Shape
}

const planOf = (call: Call): Plan | null => {
  const theta = inputOf(call, 0).shape
  const [n, , ...spatial] = knownInts(call, 1) ?? []
  const rank = spatial.length
  const fits = (rank === 2 || rank === 3) && theta.join() === [n, rank, rank + 1].join()
  return fits ? { spatial, shape: [n!, ...spatial, rank] } : null
}

/** Place i of an axis, where -1 and 1 are its ends: the centres of its corner elements, or their outer edges. */
const scaleOf = (call: Call, size: number): { readonly scale: number; readonly offset: number } => {
  if (intOf(call, 'align_corners', 0) === 0) return { scale: 2 / size, offset: 1 / size - 1 }
  return { scale: size === 1 ? 0 : 2 / (size - 1), offset: -1 }
}

export const affineGrid: Op = {
  name: 'AffineGrid',
  inputs: [2, 2],
  attributes: { align_corners: 'int' },
  shapeInputs: [1],
  infer(call) {
    const { element } = inputOf(call, 0)
    if (!isFloat(element)) return refuse('unsupported', `matrices of ${element}`)
    const plan = planOf(call)
    return plan === null
      ? refuse('bad-shape', 'the matrices and the size do not fit')
      : [{ element, shape: plan.shape }]
  },
  flop: (call) => 8 * sizeOf(call.outputs[0]!),
  reference(call, [theta]) {
    const { spatial, shape } = planOf(call)!
    return [
      fill(shape, (at) => {
        const [n, row] = [at[0]!, at.at(-1)!]
        // The last axis is x, the first coordinate.
        const position = spatial
          .map((size, axis) => {
            const { scale, offset } = scaleOf(call, size)
            return at[axis + 1]! * scale + offset
          })
          .toReversed()
        return [...position, 1].reduce((sum, x, column) => {
          return sum + x * theta!.data[placeOf(theta!.shape, [n, row, column])]!
        }, 0)
      }),
    ]
  },
  lower(call, [theta], build) {
    const { spatial, shape } = planOf(call)!
    const found = nest(build, {
      element: 'f32',
      shape,
      inputs: [theta!],
      flop: 8,
      body({ shader, out, inputs }) {
        const [n, row] = [out[0]!, out.at(-1)!]
        const position = spatial
          .map((size, axis) => {
            const { scale, offset } = scaleOf(call, size)
            return `(f32(${out[axis + 1]!}) * ${Math.fround(scale)}f + ${Math.fround(offset)}f)`
          })
          .toReversed()
        const terms = [...position, '1.0'].map((x, column) => {
          return `${x} * ${shader.read(inputs[0]!, [n, row, String(column)])}`
        })
        return terms.join(' + ')
      },
    })
    return [found]
  },
  cases: {
    'two dimensions': (draw) => drawAffine(draw, 2),
    'three dimensions': (draw) => drawAffine(draw, 3),
  },
}

const drawAffine = (draw: Draw, rank: number): Sample => {
  const n = draw.whole(1, 3)
  const size = list(n, draw.whole(1, 3), ...draw.shape(rank))
  const attributes = { align_corners: draw.whole(0, 1) }
  return { attributes, inputs: [draw.floats([n, rank, rank + 1]), size] }
}
