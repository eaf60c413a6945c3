/** InstanceNormalization and GroupNormalization: a row is an image of one channel, or of a group of them. */
import { isFloat, sizeOf } from '../tensor.ts'
import { refuse } from '../outcome.ts'
import { floatOf, inputOf, intOf } from '../op.ts'
import { normalise, rowMoments } from './moments.ts'
import type { Call, Op } from '../op.ts'
import type { Tensor } from '../tensor.ts'

/** Before opset 21 a group had one scale, since then every channel has. */
const scaleSize = (call: Call, groups: number): number =>
  call.opset < 21 && groups !== inputOf(call, 0).shape[1] ? groups : inputOf(call, 0).shape[1]!

const channelNorm = (name: string, groupsOf: (call: Call) => number, cases: Op['cases']): Op => ({
  name,
  inputs: [3, 3],
  attributes: {
    epsilon: 'float',
    ...(name === 'GroupNormalization' ? { num_groups: 'int', stash_type: 'int' } : {}),
  },
  infer(call) {
    const { element, shape } = inputOf(call, 0)
    if (!isFloat(element)) return refuse('unsupported', `elements of type ${element}`)
    const groups = groupsOf(call)
    const channels = shape[1] ?? 0
    const fits =
      shape.length >= 2 &&
      groups >= 1 &&
      channels % groups === 0 &&
      [1, 2].every((i) => inputOf(call, i).shape.join() === String(scaleSize(call, groups)))
    return fits ? [{ element, shape }] : refuse('bad-shape', 'groups or scales do not fit')
  },
  flop: (call) => 8 * sizeOf(inputOf(call, 0)),
  reference(call, [x, scale, bias]) {
    const groups = groupsOf(call)
    const [channels, image] = [x!.shape[1]!, sizeOf({ shape: x!.shape.slice(2) })]
    const length = (channels / groups) * image
    const each = channels / scale!.data.length
    const out = new Float64Array(x!.data.length)
    for (let start = 0; start < out.length; start += length) {
      const row = Array.from({ length }, (_, i) => start + i)
      const { mean, variance } = rowMoments(x!, row)
      const inverse = 1 / Math.sqrt(variance + floatOf(call, 'epsilon', 1e-5))
      for (const i of row) {
        const at = Math.floor((Math.floor(i / image) % channels) / each)
        out[i] = (x!.data[i]! - mean) * inverse * scale!.data[at]! + bias!.data[at]!
      }
    }
    return [out]
  },
  lower(call, [x, scale, bias], build) {
    const groups = groupsOf(call)
    const [n, channels, ...spatial] = x!.shape as [number, number, ...number[]]
    const ones = spatial.map(() => 1)
    const apart = [n, groups, channels / groups, ...spatial]
    const each = scale!.shape[0]! === channels ? channels / groups : 1
    const norm = {
      rank: apart.length - 2,
      epsilon: floatOf(call, 'epsilon', 1e-5),
      centred: true,
    }
    const affine = {
      scale: build.reshape(scale!, [1, groups, each, ...ones]),
      bias: build.reshape(bias!, [1, groups, each, ...ones]),
    }
    const found = normalise(build, build.reshape(x!, apart), norm, affine)
    return [build.reshape(found, x!.shape)]
  },
  cases,
})

const pair = (first: Tensor, second: Tensor): readonly [Tensor, Tensor] => [first, second]

export const CHANNEL_NORMS: readonly Op[] = [
  channelNorm('InstanceNormalization', (call) => inputOf(call, 0).shape[1] ?? 0, {
    'images of any rank': (draw) => {
      const shape = draw.shape(draw.whole(3, 5))
      const affine = pair(draw.floats([shape[1]!]), draw.floats([shape[1]!]))
      const attributes = { epsilon: draw.pick([1e-5, 0.01]) }
      return { attributes, inputs: [draw.floats(shape), ...affine] }
    },
    'large images': (draw) => ({
      inputs: [draw.floats([1, 2, 130, 131]), draw.floats([2]), draw.floats([2])],
    }),
  }),
  channelNorm('GroupNormalization', (call) => intOf(call, 'num_groups', 0), {
    'a scale for each channel': (draw) => {
      const [groups, each] = [draw.whole(1, 3), draw.whole(1, 3)]
      const shape = [draw.whole(1, 3), groups * each, ...draw.shape(draw.whole(1, 2))]
      const affine = pair(draw.floats([groups * each]), draw.floats([groups * each]))
      return { attributes: { num_groups: groups }, inputs: [draw.floats(shape), ...affine] }
    },
    'a scale for each group, as in opset 18': (draw) => ({
      opset: 18,
      attributes: { num_groups: 2, epsilon: 0.01 },
      inputs: [draw.floats([3, 4, 2, 2]), ...pair(draw.floats([2]), draw.floats([2]))],
    }),
  }),
]
