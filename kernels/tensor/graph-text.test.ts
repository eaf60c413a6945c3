import { describe, expect, it } from 'vitest'
import { plainName, writeGraphText } from './graph-text.ts'
import { readGraphText } from './read-graph-text.ts'
import type { Attribute, Graph } from './graph.ts'

const odd: Graph = {
  opset: 17,
  values: ['x', 'w', 's', 'y', 'z'],
  nodes: [
    {
      op: 'Anything',
      domain: '',
      name: '/layer.0/some thing',
      inputs: [0, null, 1, null],
      outputs: [3, null],
      attributes: new Map<string, Attribute>([
        ['a', Math.fround(0.1)],
        ['b', -0],
        ['c', Number.NaN],
        ['d', [1, -2, 3]],
        ['e', [0.5, Number.NEGATIVE_INFINITY]],
        ['f', 'say "hello" # \\ \n'],
        ['g', ['a', ',]']],
        ['h', []],
        ['i', { tensor: { element: 'i64', shape: [2], data: Float64Array.of(-7, 2 ** 40) } }],
        ['j', 1e-45],
      ]),
    },
    { op: 'Other', domain: '', name: '', inputs: [], outputs: [4], attributes: new Map() },
  ],
  inputs: [0, 1],
  outputs: [4, 3],
  constants: new Map([[2, { element: 'f32', shape: [2, 1], data: Float32Array.of(-0, 1 / 3) }]]),
}
const inputs = [
  { name: 'x', element: 'f32', shape: null, source: null },
  { name: 'w', element: 'bool', shape: [], source: { tensor: 'weights', at: 12 } },
] as const

describe('a graph as text', () => {
  it('comes back as it was, to the last bit of its numbers', () => {
    const text = writeGraphText(odd, odd.values, inputs)
    const read = readGraphText(text)
    if (!read.ok) throw new Error(JSON.stringify(read.error))
    const { graph } = read.value
    expect(read.value.inputs).toEqual(inputs)
    expect(graph.nodes).toEqual(
      // Nothing behind the last input is nothing.
      odd.nodes,
    )
    const third = graph.constants.get(graph.values.indexOf('s'))!
    expect([...third.data].map((x) => Object.is(x, -0) || x)).toEqual([true, Math.fround(1 / 3)])
    expect(graph.outputs.map((id) => graph.values[id])).toEqual(['z', 'y'])
    expect(writeGraphText(graph, graph.values, read.value.inputs)).toBe(text)
  })

  it('may have empty lines, and comments that name nodes', () => {
    const text = '\n# a graph\ninput x f32\n\n  y = Relu( x )   # bent\noutput y  # that is all\n'
    const read = readGraphText(text)
    expect(read.ok && read.value.graph.nodes[0]!.name).toBe('bent')
  })

  it('may call its values as lines are called', () => {
    const text =
      'input input f32\noutput, const = Split(input)\nopset = Relu(const)\noutput output opset'
    const read = readGraphText(text)
    if (!read.ok) throw new Error(JSON.stringify(read.error))
    expect(read.value.graph.values).toEqual(['input', 'output', 'const', 'opset'])
    const again = writeGraphText(read.value.graph, read.value.graph.values, read.value.inputs)
    expect(readGraphText(again)).toEqual(read)
  })

  it('says in which line it is wrong, and what was expected there', () => {
    expect(readGraphText('input x f32\ny = Relu[x]\noutput y')).toEqual({
      ok: false,
      error: { line: 2, expected: 'an operator and its inputs', found: 'y = Relu[x]' },
    })
  })

  it('makes names that can be read back of whatever a file calls its values', () => {
    for (const name of ['', '1', '/a/b:0', '__proto__', 'ä', '_', 'x'.repeat(1000), 'fine.1']) {
      const plain = plainName(name)
      expect(readGraphText(`input ${plain} f32\noutput ${plain}`).ok || plain === '_').toBe(true)
    }
    expect(plainName('fine.1')).toBe('fine.1')
  })
})
