/** The URL of a relay as a person gives it. */
import { ok, type Result } from '../../src/base/result.ts'
import { isLoopback } from '../host.ts'
import { usage, type Usage } from './args.ts'

/** @error usage */
export const relayUrl = (text: string | undefined): Result<string, Usage> => {
  if (text === undefined) return usage('--relay URL is missing: which relay?')
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || !/^https?:$/.test(url.protocol)) {
    return usage(`--relay: expected an address such as http://127.0.0.1:4100, found "${text}"`)
  }
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (process.env['SWARM_LOOPBACK_ONLY'] === '1' && host !== 'localhost' && !isLoopback(host)) {
    return usage(`--relay: SWARM_LOOPBACK_ONLY=1 keeps to this machine, and ${host} is elsewhere`)
  }
  return ok(url.origin)
}
