/** What the browser says about the space it gives us, and whether it may take it back. */

/** Asks the browser not to clear our data when the disk gets full; some ask the person. */
export const requestPersistence = async (): Promise<'granted' | 'refused' | 'unknown'> => {
  const storage = manager()
  if (typeof storage?.persist !== 'function') return 'unknown'
  try {
    return (await storage.persisted()) || (await storage.persist()) ? 'granted' : 'refused'
  } catch {
    return 'unknown'
  }
}

/** Null where the browser does not say. */
export const storageEstimate = async (): Promise<{
  usedBytes: number
  quotaBytes: number | null
} | null> => {
  try {
    const { usage, quota } = (await manager()?.estimate()) ?? {}
    return usage === undefined ? null : { usedBytes: usage, quotaBytes: quota ?? null }
  } catch {
    return null
  }
}

/** Absent on pages without https. */
const manager = (): StorageManager | undefined =>
  (globalThis.navigator as Navigator | undefined)?.storage as StorageManager | undefined
