/** Det: determinants of square matrices, by elimination with the largest pivot of each column. */
import { isFloat, sizeOf } from '../tensor.ts'
import { refuse } from '../outcome.ts'
import { inputOf } from '../op.ts'
import { serial } from '../templates/serial.ts'
import type { Op } from '../op.ts'

/** An invocation takes a whole matrix, and cannot be stopped before it is done. */
const MAX_SIDE = 128

/** Of `side` times `side` numbers, row by row. */
const determinant = (matrix: number[][]): number => {
  const rows = matrix.map((row) => [...row])
  let product = 1
  for (let column = 0; column < rows.length; column++) {
    const size = (row: number): number => Math.abs(rows[row]![column]!)
    let pivot = column
    for (let row = column + 1; row < rows.length; row++) if (size(row) > size(pivot)) pivot = row
    if (rows[pivot]![column] === 0) return 0
    if (pivot !== column) product = -product
    ;[rows[pivot], rows[column]] = [rows[column]!, rows[pivot]!]
    const head = rows[column]!
    product *= head[column]!
    for (const row of rows.slice(column + 1)) {
      const factor = row[column]! / head[column]!
      for (let i = column; i < row.length; i++) row[i]! -= factor * head[i]!
    }
  }
  return product
}

export const det: Op = {
  name: 'Det',
  inputs: [1, 1],
  attributes: {},
  infer(call) {
    const { element, shape } = inputOf(call, 0)
    const side = shape.at(-1) ?? 0
    if (!isFloat(element) || shape.length < 2 || side !== shape.at(-2))
      return refuse('bad-shape', 'no square matrix of floats')
    if (side > MAX_SIDE) return refuse('too-large', `a determinant of ${side} rows`)
    return [{ element, shape: shape.slice(0, -2) }]
  },
  flop: (call) => sizeOf(inputOf(call, 0)) * (inputOf(call, 0).shape.at(-1) ?? 1),
  reference(call, [x]) {
    const side = x!.shape.at(-1)!
    return [
      Float64Array.from({ length: sizeOf(call.outputs[0]!) }, (_, at) =>
        determinant(
          Array.from({ length: side }, (__, row) => {
            const start = (at * side + row) * side
            return [...x!.data.subarray(start, start + side)]
          }),
        ),
      ),
    ]
  },
  lower(call, [x], build) {
    const { shape } = call.outputs[0]!
    const side = x!.shape.at(-1)!
    if (side === 0) return [build.literal('f32', shape, 1)]
    const [product] = serial(build, {
      outer: shape,
      inputs: [],
      results: [
        { element: 'f32', shape },
        { element: 'f32', shape: x!.shape, from: x! },
      ],
      flop: side ** 3,
      body({ shader, at, results }) {
        const cell = (row: string, column: string): string =>
          shader.place(results[1]!, [...at, row, column])
        const found = shader.var('1.0')
        shader.line(`for (var c = 0; c < ${side}; c++) {`)
        shader.line('var pivot = c;')
        shader.line(`for (var r = c + 1; r < ${side}; r++) {`)
        shader.line(`if (abs(${cell('r', 'c')}) > abs(${cell('pivot', 'c')})) { pivot = r; }`)
        shader.line('}')
        shader.line(`if (pivot != c) { ${found} = -${found}; }`)
        shader.line(`for (var i = c; i < ${side}; i++) {`)
        shader.line(`let upper = ${cell('pivot', 'i')};`)
        shader.line(`${cell('pivot', 'i')} = ${cell('c', 'i')};`)
        shader.line(`${cell('c', 'i')} = upper;`)
        shader.line('}')
        shader.line(`let head = ${cell('c', 'c')};`)
        shader.line(`${found} = ${found} * head;`)
        shader.line('if (head == 0.0) { break; }')
        shader.line(`for (var r = c + 1; r < ${side}; r++) {`)
        shader.line(`let factor = ${cell('r', 'c')} / head;`)
        shader.line(`for (var i = c; i < ${side}; i++) {`)
        shader.line(`${cell('r', 'i')} = ${cell('r', 'i')} - factor * ${cell('c', 'i')};`)
        shader.line('}')
        shader.line('}')
        shader.line('}')
        shader.line(`${shader.place(results[0]!, at)} = ${found};`)
      },
    })
    return [product!]
  },
  cases: {
    'some matrices': (draw) => {
      const side = draw.whole(1, 6)
      return { inputs: [draw.floats([...draw.shape(draw.whole(0, 2)), side, side])] }
    },
    'one without an inverse': () => ({
      inputs: [{ element: 'f32', shape: [2, 2], data: Float32Array.of(1, 2, 2, 4) }],
    }),
  },
}
