/** Tables that forget: a Map in the order of last use, with a written limit. Change in place. */

/** Puts an entry last. Returns the key that had to go, or null; entries that `keeps` holds go last. */
export const remember = <K, V>(
  table: Map<K, V>,
  key: K,
  value: V,
  limit: number,
  keeps: (value: V) => boolean = () => false,
): K | null => {
  table.delete(key)
  table.set(key, value)
  if (table.size <= limit) return null
  let oldest: K | null = null
  for (const [other, held] of table) {
    if (other === key) break
    oldest ??= other
    if (keeps(held)) continue
    oldest = other
    break
  }
  const gone = oldest ?? key
  table.delete(gone)
  return gone
}
