/**
 * How many RTCPeerConnections may still be made. A browser counts closed ones until it collects
 * garbage and stops at 500, so constructions are rationed, not live connections.
 */
export type Budget = {
  /** `own`: for a call of ours. Calls of others leave a part, so that nobody can use up ours. */
  take(now: number, own: boolean): boolean
}

export type BudgetLimits = {
  readonly perMinute: number
  readonly burst: number
  /** Of one page, from load to reload. */
  readonly perLife: number
}

/** Six a minute and twelve at once suffice for 20 links; 400 leaves room below the browser's 500. */
export const BROWSER_BUDGET: BudgetLimits = { perMinute: 6, burst: 12, perLife: 400 }
/** What calls of others leave of each limit. */
const KEPT_FOR_US = 1 / 4

export const constructionBudget = (limits: BudgetLimits, from: number): Budget => {
  let tokens = limits.burst
  let left = limits.perLife
  let last = from
  return {
    take(now, own) {
      tokens = Math.min(limits.burst, tokens + ((now - last) / 60_000) * limits.perMinute)
      last = now
      const kept = own ? 0 : KEPT_FOR_US
      if (tokens < 1 + kept * limits.burst || left < 1 + kept * limits.perLife) return false
      tokens -= 1
      left -= 1
      return true
    },
  }
}
