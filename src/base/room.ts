/**
 * Room for things of known sizes, within a quota: who was used longest ago has to go first, and never who is in use.
 * It only counts; where the things lie is not its business.
 */
export type Room<K> = ReturnType<typeof room<K>>

export const room = <K>(quotaBytes: number) => {
  /** The one used longest ago first. */
  const sizes = new Map<K, number>()
  const inUse = new Map<K, number>()
  let usedBytes = 0

  const drop = (name: K): void => {
    usedBytes -= sizes.get(name) ?? 0
    sizes.delete(name)
  }

  return {
    quotaBytes,
    has: (name: K): boolean => sizes.has(name),
    names: (): readonly K[] => [...sizes.keys()],
    usedBytes: (): number => usedBytes,
    /** It is there now, and the one used last. */
    put(name: K, bytes: number): void {
      drop(name)
      sizes.set(name, bytes)
      usedBytes += bytes
    },
    used(name: K): void {
      const bytes = sizes.get(name)
      if (bytes === undefined) return
      sizes.delete(name)
      sizes.set(name, bytes)
    },
    drop,
    /** Who has to go before `name` with so many bytes fits; null where it does not even then. */
    leaving(name: K, bytes: number): readonly K[] | null {
      const going: K[] = []
      let left = usedBytes - (sizes.get(name) ?? 0)
      for (const [other, size] of sizes) {
        if (left + bytes <= quotaBytes) break
        if (other === name || inUse.has(other)) continue
        going.push(other)
        left -= size
      }
      return left + bytes <= quotaBytes ? going : null
    },
    keep(names: readonly K[]): void {
      for (const name of names) inUse.set(name, (inUse.get(name) ?? 0) + 1)
    },
    letGo(names: readonly K[]): void {
      for (const name of names) {
        const left = (inUse.get(name) ?? 0) - 1
        if (left > 0) inUse.set(name, left)
        else inUse.delete(name)
      }
    },
    clear(): void {
      sizes.clear()
      usedBytes = 0
    },
  }
}
