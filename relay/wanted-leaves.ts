/** Leaves that a computing thread has asked its process for, by question and name. */
import type { Cid } from '../src/base/ids.ts'
import type { LeafReader } from '../workers/stages.ts'
import type { Word } from './node-compute-messages.ts'

type Found = Awaited<ReturnType<LeafReader>>

export const wantedLeaves = (want: (ask: number, name: Cid) => void) => {
  const waiting = new Map<string, (found: Found) => void>()
  const keyOf = (ask: number, name: Cid): string => `${ask} ${name}`
  return {
    reader:
      (ask: number): LeafReader =>
      (name) =>
        new Promise((done) => {
          waiting.set(keyOf(ask, name), done)
          want(ask, name)
        }),
    came({ ask, name, found }: Word & { kind: 'leaf' }): void {
      const key = keyOf(ask, name)
      waiting.get(key)?.(found)
      waiting.delete(key)
    },
  }
}
