/** Writes that wait for the disk, and which of them go there together. */
import type { Result } from '../../src/base/result.ts'
import type { PortError } from '../../src/ports.ts'
import type { JournalState, Put } from './file.ts'

export type WaitingWrite = {
  readonly puts: readonly Put[] | 'clear'
  readonly strict: boolean
  readonly done: (result: Result<null, PortError>) => void
}

/** What the index takes for a record, about: two hashes' worth, its key and field names. */
const ENTRY_BYTES = 160
/** Frames that go to the disk by one write. */
const BATCH_WRITES = 256
/** More is not put together in memory, however few the frames. */
const BATCH_BYTES = 32 * 1024 * 1024

/** Takes what goes to the disk together; a clearing goes alone. */
export const nextBatch = (waiting: WaitingWrite[]): WaitingWrite[] => {
  let bytes = 0
  const border = waiting.findIndex(({ puts }, i) => {
    if (puts === 'clear' || i === BATCH_WRITES) return true
    bytes += sizeOf([puts])
    return bytes > BATCH_BYTES
  })
  return waiting.splice(0, border < 0 ? waiting.length : Math.max(border, 1))
}

/** With what the index takes for each record. */
export const sizeOf = (groups: readonly (readonly Put[])[]): number =>
  groups.flat().reduce((sum, { stored }) => sum + ENTRY_BYTES + (stored?.bytes.byteLength ?? 0), 0)

/** How large the journal would be with nothing but what is needed. */
export const neededBytes = (state: JournalState): number => {
  const all = [...state.records.values()].flatMap((records) => [...records.values()])
  return all.reduce((sum, { blob, length }) => sum + ENTRY_BYTES + (blob === null ? length : 0), 0)
}

export const bytesOnDisk = (state: JournalState): number => state.end + state.blobBytes
