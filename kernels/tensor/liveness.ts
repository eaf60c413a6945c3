/** Which temporaries can share memory: those that are never needed at the same time. */
import type { Program } from './program.ts'

export type Placement = {
  /** Bytes of each slot. */
  readonly slots: readonly number[]
  /** Slot of each buffer of the program, -1 for constants and states, which lie elsewhere. Only temporaries share. */
  readonly slotOf: readonly number[]
}

type Slot = { bytes: number; freeFrom: number }

/** Greedy: a temporary takes the free slot that wastes least, grown if need be; else a new one. */
export const place = ({ buffers, steps }: Program): Placement => {
  const first = new Map<number, number>()
  const last = new Map<number, number>()
  for (const [at, { bindings }] of steps.entries()) {
    for (const { buffer } of bindings) {
      if (!first.has(buffer)) first.set(buffer, at)
      last.set(buffer, at)
    }
  }
  const slots: Slot[] = []
  const slotOf: number[] = buffers.map(() => -1)
  const order = [...buffers.keys()].toSorted((a, b) => (first.get(a) ?? 0) - (first.get(b) ?? 0))
  for (const buffer of order) {
    const { bytes, role } = buffers[buffer]!
    if (role === 'constant' || role === 'state') continue
    const begins = first.get(buffer) ?? 0
    const free = slots.filter(({ freeFrom }) => role === 'temporary' && freeFrom <= begins)
    const best = free.toSorted((a, b) => waste(a, bytes) - waste(b, bytes))[0]
    const slot = best ?? { bytes: 0, freeFrom: 0 }
    if (best === undefined) slots.push(slot)
    slot.bytes = Math.max(slot.bytes, bytes)
    slot.freeFrom = role === 'temporary' ? (last.get(buffer) ?? begins) + 1 : Infinity
    slotOf[buffer] = slots.indexOf(slot)
  }
  return { slots: slots.map(({ bytes }) => bytes), slotOf }
}

const waste = (slot: Slot, bytes: number): number => Math.abs(slot.bytes - bytes)
