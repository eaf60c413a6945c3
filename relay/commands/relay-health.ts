/** What a relay says of its own state at `/health`, in figures and in words. */
import * as v from 'valibot'
import { err, ok, type Result } from '../../src/base/result.ts'
import type { PortError } from '../../src/ports.ts'
import { networkTrouble } from '../network-trouble.ts'

const Health = v.object({
  status: v.string(),
  version: v.string(),
  /** A relay of before did not say it. */
  commit: v.optional(v.nullable(v.string()), null),
  uptimeSeconds: v.number(),
  connections: v.number(),
  reservations: v.number(),
})
export type RelayHealth = v.InferOutput<typeof Health>

/** A relay answers at once or is not there. */
const LIMIT_MS = 10_000

/** @error no-relay, not-a-relay */
export const healthOf = async (url: string): Promise<Result<RelayHealth, PortError>> => {
  try {
    const answer = await fetch(new URL('/health', url), { signal: AbortSignal.timeout(LIMIT_MS) })
    const parsed = v.safeParse(Health, await answer.json())
    if (parsed.success) return ok(parsed.output)
    return err({ code: 'not-a-relay', detail: `${url} answers ${answer.status}` })
  } catch (cause) {
    return err({ code: 'no-relay', detail: `${url}: ${networkTrouble(cause)}` })
  }
}

export const healthWords = ({
  status,
  version,
  commit,
  uptimeSeconds,
  connections,
  reservations,
}: RelayHealth): string =>
  `relay ${status}, ${buildWords(version, commit)}, up ${duration(uptimeSeconds)}, ${connections} connections, ${reservations} nodes can be called`

/** `0.1.0 (25fd2b8e1c)`, or the version alone where nobody knows the commit. */
export const buildWords = (version: string, commit: string | null): string =>
  commit === null ? version : `${version} (${commit})`

/** The two largest units: "3 h 20 min". */
export const duration = (seconds: number): string => {
  const whole = Math.max(0, Math.floor(seconds))
  if (whole < 60) return `${whole} s`
  if (whole < 3_600) return `${Math.floor(whole / 60)} min ${whole % 60} s`
  if (whole < 86_400)
    return `${Math.floor(whole / 3_600)} h ${Math.floor((whole % 3_600) / 60)} min`
  return `${Math.floor(whole / 86_400)} d ${Math.floor((whole % 86_400) / 3_600)} h`
}
