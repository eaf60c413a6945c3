/**
 * Files that others read: each is there whole or not at all. It is written beside its place and moved
 * there in one step, so that an interrupted program leaves the file of before.
 */
import {
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  realpathSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { err, ok, type Result } from '../src/base/result.ts'
import type { PortError } from '../src/ports.ts'
import { fileTrouble } from './file-trouble.ts'

/** @error not-written */
export const writeWhole = (path: string, content: string | Uint8Array): Result<null, PortError> => {
  const there = statSync(path, { throwIfNoEntry: false })
  // A pipe or a device is written to; moving something into its place would take it away.
  const replaced = there === undefined || there.isFile()
  const place = there?.isFile() ? realpathSync(path) : path
  const draft = `${place}.${process.pid}.new`
  try {
    makeFolder(dirname(place))
    writeFileSync(replaced ? draft : place, content)
    if (replaced) renameSync(draft, place)
    return ok(null)
  } catch (cause) {
    if (replaced) discard(draft)
    return err({ code: 'not-written', detail: `${path}: ${fileTrouble(cause)}` })
  }
}

/** The draft may be what could not be written. */
const discard = (draft: string): void => {
  try {
    rmSync(draft)
  } catch {
    // There is none, then.
  }
}

/** Step by step: asked for a whole path in `/proc`, Node would try for ever. */
const makeFolder = (path: string, mode = 0o777): void => {
  if (existsSync(path)) return
  makeFolder(dirname(path), mode)
  mkdirSync(path, { mode })
}

/** Whether files can be made in a folder, which is made where it is missing; null when they can. */
export const folderProblem = (folder: string, mode?: number): string | null => {
  const probe = join(folder, `.${process.pid}.new`)
  try {
    makeFolder(folder, mode)
    writeFileSync(probe, '')
    rmSync(probe)
    return null
  } catch (cause) {
    return `${folder}: ${fileTrouble(cause)}`
  }
}

/** Whether a file can be put there; null when it can. */
export const fileProblem = (path: string): string | null => {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return `${path} is a folder`
  return statSync(path, { throwIfNoEntry: false })?.isFile() === false
    ? null
    : folderProblem(dirname(path))
}
