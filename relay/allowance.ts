/** How often one node may ask: a token bucket each. When there are too many to remember, all start anew. */

const NODES_REMEMBERED_MAX = 10_000

export type Allowance = { take(node: string): boolean }

export const allowances = (burst: number, perSecond: number): Allowance => {
  const buckets = new Map<string, { tokens: number; at: number }>()
  return {
    take(node) {
      if (buckets.size > NODES_REMEMBERED_MAX) buckets.clear()
      const now = performance.now()
      const bucket = buckets.get(node) ?? { tokens: burst, at: now }
      bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) / 1_000) * perSecond)
      bucket.at = now
      buckets.set(node, bucket)
      if (bucket.tokens < 1) return false
      bucket.tokens -= 1
      return true
    },
  }
}
