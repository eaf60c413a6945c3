/** What is wrong right now, in words. What passes by itself is shown for a while and then forgotten. */
import { ms, type Ms } from '../base/units.ts'
import type { PortError } from '../ports.ts'
import type { Problem } from './view.ts'

const SHOWN_MS = 60_000
/** These stay until their cause is gone or the node starts anew. */
const LASTING = new Set([
  'storage-corrupt',
  'chain-corrupt',
  'own-fork',
  'own-chain-incomplete',
  'quota-full',
  'no-storage',
  'not-announced',
  'no-path',
  'no-direct-path',
])
/** More at once say nothing more. */
const KEPT_MAX = 20

export type Troubles = ReturnType<typeof troubleList>

export const troubleList = (now: () => Ms) => {
  const noted = new Map<string, { readonly problem: Problem; readonly until: Ms }>()
  return {
    note({ code, detail }: PortError): void {
      const until = ms(LASTING.has(code) ? Number.MAX_SAFE_INTEGER : now() + SHOWN_MS)
      noted.delete(code)
      noted.set(code, { problem: { code, text: detail }, until })
      if (noted.size > KEPT_MAX) noted.delete(noted.keys().next().value!)
    },
    clear(code: string): void {
      noted.delete(code)
    },
    list(): readonly Problem[] {
      for (const [code, { until }] of noted) if (until <= now()) noted.delete(code)
      return [...noted.values()].map(({ problem }) => problem)
    },
  }
}
