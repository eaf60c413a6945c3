import { describe, expect, it } from 'vitest'
import { graphKernel } from '../../kernels/graph.ts'
import { nodeLabel } from '../../kernels/tensor/graph.ts'
import { unpack } from '../../kernels/tensor/packing.ts'
import { isFloat, type Tensor } from '../../kernels/tensor/tensor.ts'
import { check } from '../../src/core/verify.ts'
import { askedOf, type Asked } from './graph-job.ts'
import { onRoughDevice, taskOf } from './rough-device.ts'
import type { Verdict } from '../../src/core/verify.ts'
import type { ValueId } from '../../kernels/tensor/graph.ts'

const verdictOf = ({ params, reads }: Asked, output: Uint8Array, seed: number): Verdict =>
  check(graphKernel, params, reads, output, [seed, 2, 3, 4])

/** By as much as nobody would miss who looks at the numbers. */
const wrong = (tensor: Tensor, at: number): Tensor => {
  const peak = [...tensor.data].reduce((most, x) => Math.max(most, Math.abs(x)), 0)
  const by = isFloat(tensor.element) ? 0.01 * peak + 0.01 : 1
  return { ...tensor, data: Float64Array.from(tensor.data, (x, i) => (i === at ? x + by : x)) }
}

const nameOf = ({ params }: Asked, id: ValueId): string => {
  const { nodes } = taskOf(params).bound
  return nodeLabel(nodes.find(({ node }) => node.outputs.includes(id))!.node)
}

/** Zeros are what is right: a number less itself, or the logarithm of a chance of one. */
const isNothing = ({ params }: Asked, output: Uint8Array<ArrayBuffer>): boolean => {
  const { bound, packing } = taskOf(params)
  const words = new Uint32Array(output.buffer)
  return bound.graph.outputs.every((id, i) => {
    const { data, element } = unpack(words, packing.starts[i]!, bound.types.get(id)!)
    return [...data].every((x) => Math.abs(x) <= (isFloat(element) ? 1e-6 : 0))
  })
}

const SEEDS = Array.from({ length: 40 }, (_, seed) => seed)

describe.each(SEEDS)('a part of graph %i', (seed) => {
  const tasks = [...askedOf(seed, 1), ...askedOf(seed, 3)]

  it('passes when a rough device was honest, whatever is asked', () => {
    for (const task of tasks)
      for (const salt of [1, 2, 3]) {
        const output = onRoughDevice(taskOf(task.params), task.reads, salt + seed)
        expect(verdictOf(task, output, salt)).toEqual({ kind: 'accepted', check: 'op-by-op' })
      }
  })

  it('is refused when one element of any operator was wrong, though all that follows fits it', () => {
    for (const task of tasks) {
      const { bound } = taskOf(task.params)
      for (const id of bound.graph.outputs) {
        const output = onRoughDevice(taskOf(task.params), task.reads, seed, (made, of) =>
          of === id ? wrong(made, (7 * seed) % made.data.length) : made,
        )
        const verdict = verdictOf(task, output, seed)
        expect(verdict).toMatchObject({ kind: 'rejected', check: 'op-by-op' })
        // It says which one.
        expect(verdict).toHaveProperty('detail', expect.stringContaining(nameOf(task, id)))
      }
    }
  })

  it('is refused with NaN or infinity where numbers were to be', () => {
    for (const task of tasks) {
      const { bound, packing } = taskOf(task.params)
      for (const [i, id] of bound.graph.outputs.entries()) {
        if (!isFloat(bound.types.get(id)!.element)) continue
        for (const odd of [Number.NaN, Infinity, -Infinity]) {
          const output = onRoughDevice(taskOf(task.params), task.reads, seed)
          new Float32Array(output.buffer)[packing.starts[i]!] = odd
          expect(verdictOf(task, output, seed).kind).toBe('rejected')
        }
      }
    }
  })

  it('is refused when it is all zeros, cut short, or the answer to another question', () => {
    for (const task of tasks) {
      const output = onRoughDevice(taskOf(task.params), task.reads, seed)
      expect(verdictOf(task, output.slice(4), seed)).toMatchObject({ code: 'wrong-shape' })
      if (isNothing(task, output)) continue
      expect(verdictOf(task, new Uint8Array(output.length), seed).kind).toBe('rejected')
    }
  })
})
