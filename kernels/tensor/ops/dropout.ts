/** Dropout where nothing is dropped: outside of training. Chance has no place in what is checked. */
import { sizeOf } from '../tensor.ts'
import { refuse } from '../outcome.ts'
import { floatOf, inputOf, intOf, knownInts } from '../op.ts'
import type { Call, Op } from '../op.ts'

/** Up to opset 6 an attribute says so, since 12 an input; in between there was no training. */
const drops = (call: Call): boolean => {
  const training = call.opset < 7 ? intOf(call, 'is_test', 0) === 0 : knownInts(call, 2)?.[0] === 1
  return training && (knownInts(call, 1)?.[0] ?? floatOf(call, 'ratio', 0.5)) !== 0
}

export const dropout: Op = {
  name: 'Dropout',
  inputs: [1, 3],
  attributes: { ratio: 'float', seed: 'int', is_test: 'int' },
  shapeInputs: [1, 2],
  infer(call) {
    if (drops(call)) return refuse('unsupported', 'dropping by chance')
    const { element, shape } = inputOf(call, 0)
    return [
      { element, shape },
      { element: call.opset < 10 ? element : 'bool', shape },
    ]
  },
  reference: (_, [x]) => [x!.data, new Float64Array(sizeOf(x!)).fill(1)],
  lower: (call, [x], build) => [
    x!,
    build.literal(call.opset < 10 ? x!.element : 'i32', call.outputs[1]!.shape, 1),
  ],
  cases: {
    'with a mask': (draw) => ({ inputs: [draw.floats(draw.shape(3))], outputs: draw.whole(1, 2) }),
  },
}
