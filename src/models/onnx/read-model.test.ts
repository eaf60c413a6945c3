import fc from 'fast-check'
import { PbfWriter } from 'pbf'
import { describe, expect, it } from 'vitest'
import { bind } from '../../../kernels/tensor/bind.ts'
import { readModel } from './read-model.ts'
import { readTensorFile } from './read-tensor.ts'

type Write = (at: PbfWriter) => void

const message =
  (tag: number, write: Write): Write =>
  (at) =>
    at.writeMessage(tag, (_: null, inner: PbfWriter) => write(inner), null)
const all =
  (...writes: Write[]): Write =>
  (at) =>
    writes.forEach((write) => write(at))
const text =
  (tag: number, value: string): Write =>
  (at) =>
    at.writeStringField(tag, value)
const whole =
  (tag: number, value: number): Write =>
  (at) =>
    at.writeVarintField(tag, value)
const bytesOf = (write: Write): Uint8Array => {
  const at = new PbfWriter()
  write(at)
  return at.finish()
}

const tensorOf = (name: string, dims: number[], data: number[]): Write =>
  all(...dims.map((size) => whole(1, size)), whole(2, 1), text(8, name), (at) =>
    at.writePackedFloat(4, data),
  )

/** y = Softmax(x + b) with axis -1, and x of 2 rows of any length. */
const model = bytesOf(
  all(
    message(8, whole(2, 21)),
    message(
      7,
      all(
        message(1, all(text(1, 'x'), text(1, 'b'), text(2, 's'), text(4, 'Add'))),
        message(
          1,
          all(
            text(1, 's'),
            text(2, 'y'),
            text(3, 'last'),
            text(4, 'Softmax'),
            message(5, all(text(1, 'axis'), whole(3, -1), whole(20, 2))),
          ),
        ),
        message(5, tensorOf('b', [2, 1], [1, 2])),
        message(
          11,
          all(
            text(1, 'x'),
            message(
              2,
              message(
                1,
                all(
                  whole(1, 1),
                  message(2, all(message(1, whole(1, 2)), message(1, text(2, 'n')))),
                ),
              ),
            ),
          ),
        ),
        message(12, text(1, 'y')),
      ),
    ),
  ),
)

describe('an ONNX model', () => {
  it('becomes a graph with its constants and what it says of its inputs', () => {
    const read = readModel(model)
    if (!read.ok) throw new Error(read.error.detail)
    const { graph, inputs } = read.value
    expect(inputs).toEqual([{ name: 'x', element: 'f32', dimensions: [2, 'n'] }])
    expect(graph.opset).toBe(21)
    expect(graph.nodes.map(({ op }) => op)).toEqual(['Add', 'Softmax'])
    expect(graph.nodes[1]!.attributes.get('axis')).toBe(-1)
    const bound = bind(graph, [{ element: 'f32', shape: [2, 5] }])
    expect(bound.ok && bound.value.types.get(graph.outputs[0]!)?.shape).toEqual([2, 5])
  })

  it('is refused, and nothing worse, when mallory has cut or changed its bytes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(model.length - 1), fc.nat(255)), { maxLength: 4 }),
        fc.integer({ min: 0, max: model.length }),
        (changes, length) => {
          const bytes = model.slice()
          for (const [at, value] of changes) bytes[at] = value
          const read = readModel(bytes.subarray(0, length))
          const bound = read.ok && bind(read.value.graph, [{ element: 'f32', shape: [2, 5] }])
          expect(bound === false || typeof bound.ok === 'boolean').toBe(true)
        },
      ),
      { numRuns: 2000 },
    )
  })

  it('is not believed about the length of a list that is not there', () => {
    const bytes = Uint8Array.of(0x22, 0xff, 0xff, 0xff, 0xff, 0x7f)
    expect(readTensorFile(bytes)).toMatchObject({ ok: false, error: { code: 'bad-graph' } })
  })

  it('holds as many numbers as its shape says, or is refused', () => {
    expect(readTensorFile(bytesOf(tensorOf('t', [3], [1, 2, 3]))).ok).toBe(true)
    expect(readTensorFile(bytesOf(tensorOf('t', [4], [1, 2, 3]))).ok).toBe(false)
  })

  it.each([
    { type: 22, bytes: [0xf1, 0x08], numbers: [1, -1, -8] },
    { type: 21, bytes: [0xf1, 0x08], numbers: [1, 15, 8] },
    { type: 26, bytes: [0b10_11_01], numbers: [1, -1, -2] },
    { type: 25, bytes: [0b10_11_01], numbers: [1, 3, 2] },
  ])('holds several numbers of type $type in a byte, the first one lowest', (given) => {
    const raw = (at: PbfWriter): void => at.writeBytesField(9, Uint8Array.from(given.bytes))
    const head = all(whole(1, 3), whole(2, given.type))
    const listed = all(head, (at) => at.writePackedVarint(5, given.bytes))
    for (const write of [all(head, raw), listed]) {
      const read = readTensorFile(bytesOf(write))
      expect(read.ok && [...read.value.tensor.data]).toEqual(given.numbers)
    }
    const many = all(whole(1, 9), whole(2, given.type), raw)
    expect(readTensorFile(bytesOf(many))).toMatchObject({ error: { code: 'bad-graph' } })
  })

  it.each([
    ['numbers in another file', all(whole(1, 1), whole(2, 1), whole(14, 1))],
    ['texts', all(whole(1, 1), whole(2, 8))],
    ['a type that nobody has heard of', all(whole(1, 1), whole(2, 99))],
  ])('is not covered with %s, and says so', (_, tensor) => {
    expect(readTensorFile(bytesOf(tensor))).toMatchObject({ error: { code: 'unsupported' } })
    const read = readModel(bytesOf(message(7, message(5, tensor))))
    expect(read).toMatchObject({ ok: false, error: { code: 'unsupported' } })
  })

  it('names the node whose attribute is a graph', () => {
    const branch = message(5, all(text(1, 'then_branch'), message(6, text(2, 'g')), whole(20, 5)))
    const read = readModel(
      bytesOf(message(7, message(1, all(text(3, 'choice'), text(4, 'If'), branch)))),
    )
    expect(read).toMatchObject({ error: { code: 'unsupported', node: 'choice If' } })
  })

  it('names an operator that the engine does not have, and its node', () => {
    const node = all(text(2, 'y'), text(3, 'mine'), text(4, 'Fly'), text(7, 'com.mallory'))
    const read = readModel(bytesOf(message(7, all(message(1, node), message(12, text(1, 'y'))))))
    if (!read.ok) throw new Error(read.error.detail)
    const bound = bind(read.value.graph, [])
    expect(bound).toMatchObject({ error: { code: 'unknown-op', node: 'mine com.mallory.Fly' } })
  })
})
