/** Large values in files of their own, beside the journal that names them. */
import { closeSync, fsyncSync, openSync, readdirSync, rmSync } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'

export const syncFolder = (folder: string): void => {
  // Windows has no such thing, and keeps names in its own journal.
  if (process.platform === 'win32') return
  const fd = openSync(folder, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

export const blobPath = (folder: string, name: string): string => join(folder, 'blobs', name)

/** Called before the journal names them, so that no record on the disk lacks its value. */
export const syncBlobs = async (folder: string, names: readonly string[]): Promise<void> => {
  for (const name of names) {
    const file = await open(blobPath(folder, name), 'r+').catch(() => null)
    // Already replaced and deleted.
    if (file === null) continue
    try {
      await file.sync()
    } finally {
      await file.close()
    }
  }
  if (names.length > 0) syncFolder(join(folder, 'blobs'))
}

/** Deletes files whose records were replaced by something that is on the disk by now. */
export const removeBlobs = async (folder: string, names: readonly string[]): Promise<void> => {
  for (const name of names) await rm(blobPath(folder, name), { force: true })
}

/** Files of writes that were cut short, or of records replaced just before a crash. */
export const removeOrphans = (folder: string, named: ReadonlySet<string>): void => {
  for (const name of readdirSync(join(folder, 'blobs'))) {
    if (!named.has(name)) rmSync(blobPath(folder, name), { force: true })
  }
}
