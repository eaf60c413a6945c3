/**
 * A spec's own shader over a number of items, in chunks. An input whose leading dimensions make up the
 * number of items (elements of a line, rows of a table, pixels of a picture) is cut along with them; any
 * other is read whole by every task.
 */
import { dtypeBytes, elements, type DType, type TensorType } from '../../../kernels/kernel.ts'
import { ok } from '../../base/result.ts'
import type { Job, Program } from '../job.ts'
import { inputLine, OWN_SHADER, ownShader } from '../own-shader.ts'
import type { Rect } from '../rect.ts'
import { chosenTile, READ_BYTES_AIM, refuse, takeInputs, TASKS_AIM, unlike } from './draft.ts'
import type { Drafted } from './draft.ts'

const ITEMS_MAX = 2 ** 28
/** What a shader can read; u8 are the bytes of a picture, four to a word. */
const DTYPES: readonly DType[] = ['f32', 'i32', 'u32', 'u8']

export const draftWgsl = (job: Job, program: Extract<Program, { kind: 'wgsl' }>): Drafted => {
  const { items, itemLength } = program
  const wrong = unlike({ items, itemLength }, ITEMS_MAX)
  if (wrong) return wrong
  const wanted = job.inputs.map(({ name, dtype, shape }) => {
    const known = DTYPES.find((each) => each === dtype) ?? 'f32'
    return [name, { dtype: known, shape: shape.map(() => null) }] as const
  })
  const inputs = takeInputs(job, Object.fromEntries(wanted))
  if (!inputs.ok) return inputs
  if (inputs.value['result']) return refuse('bad-input', 'inputs.result', 'another name', 'result')
  const names = job.inputs.map(({ name }) => name)
  const rows = names.map((name) => {
    const type = inputs.value[name]!
    return dtypeBytes(type.dtype) * (rowLength(type, items) ?? 1)
  })
  const most = Math.max(1, Math.floor(READ_BYTES_AIM / Math.max(4 * itemLength, ...rows)))
  const tile = chosenTile(job, 1, ITEMS_MAX, () => Math.min(most, Math.ceil(items / TASKS_AIM)))
  if (!tile.ok) return tile
  const paramsOf = (first: number, count: number) => ({
    source: program.source,
    items: count,
    itemLength,
    iterations: program.iterations,
    output: program.output,
    inputs: names.map((name) => inputLine(name, inputs.value[name]!.dtype)).join('\n'),
    lengths: names.map((name) => pieceOf(inputs.value[name]!, items, first, count).cols),
    constants: program.constants.join('\n'),
    first,
  })
  // Admitted once here; the tasks differ only in where they begin and how many items they have.
  const admitted = ownShader(paramsOf(0, Math.min(items, tile.value)), 'planning')
  if (!admitted.ok) {
    const { line, column, expected, found } = admitted.error
    return refuse('bad-param', `program.source, line ${line} column ${column}`, expected, found)
  }
  const { kernel, params } = admitted.value
  const task = (index: number) => {
    const first = index * tile.value
    const count = Math.min(tile.value, items - first)
    const own = paramsOf(first, count)
    const sized = { ...params, items: count, lengths: own.lengths }
    return {
      kernel: OWN_SHADER,
      params: own,
      reads: names.map((tensor) => ({
        tensor,
        rect: pieceOf(inputs.value[tensor]!, items, first, count),
      })),
      writes: {
        tensor: 'result',
        rect: { row: 0, rows: 1, col: first * itemLength, cols: count * itemLength },
      },
      sizes: {
        inputs: kernel.inputs(sized),
        output: kernel.output(sized),
        flop: kernel.costFlop(sized),
        bytes: kernel.costBytes(sized),
      },
    }
  }
  const tensors = Object.fromEntries(names.map((name) => [name, asLine(inputs.value[name]!)]))
  return ok({
    tensors: { ...tensors, result: { dtype: program.output, shape: [items * itemLength] } },
    stages: [{ count: Math.ceil(items / tile.value), task }],
    outputs: ['result'],
  })
}

/** A shader sees its tensors as lines of elements, and so does the plan. */
const asLine = ({ dtype, shape }: TensorType): TensorType => ({
  dtype,
  shape: [elements(shape)],
})

/** Elements per item, where the leading dimensions are those of the items. */
const rowLength = ({ shape }: TensorType, items: number): number | null => {
  let leading = 1
  for (const [i, n] of shape.entries()) {
    leading *= n
    if (leading === items) return elements(shape.slice(i + 1))
  }
  return null
}

const pieceOf = (type: TensorType, items: number, first: number, count: number): Rect => {
  const row = rowLength(type, items)
  return row === null
    ? { row: 0, rows: 1, col: 0, cols: asLine(type).shape[0]! }
    : { row: 0, rows: 1, col: first * row, cols: count * row }
}
