/**
 * A note of where the journal ended when the store was closed. After a crash there is none, and a
 * last write that was cut short is no wonder; with it, a journal that ends earlier was cut by
 * something else.
 */
import { fdatasyncSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import { syncFolder } from './blobs.ts'

type Journal = { readonly folder: string; readonly end: number; readonly nextSeq: number }
const Mark = v.object({ end: v.number(), nextSeq: v.number() })

/** Reads the note and takes it away, since the next write makes it wrong. */
export const checkEnd = (state: Journal & { readonly faults: string[] }): void => {
  const path = join(state.folder, 'closed.json')
  try {
    const mark = v.safeParse(Mark, JSON.parse(readFileSync(path, 'utf8')))
    if (mark.success && mark.output.end > state.end) {
      state.faults.push(`the last ${mark.output.end - state.end} bytes`)
    }
  } catch {
    // No note: the program was killed, or this is the first time.
  }
  rmSync(path, { force: true })
}

export const markEnd = (state: Journal & { readonly handle: { readonly fd: number } }): void => {
  try {
    fdatasyncSync(state.handle.fd)
    const mark = { end: state.end, nextSeq: state.nextSeq }
    writeFileSync(join(state.folder, 'closed.json'), JSON.stringify(mark), { mode: 0o600 })
    syncFolder(state.folder)
  } catch {
    // Without the note the next start takes it for a crash, and checks as much.
  }
}
