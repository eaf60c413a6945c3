/**
 * Starts Playwright where nothing but this machine can be reached: in a namespace with only `lo` if it
 * can be had, else right here, and then the pages announce loopback candidates only.
 */
import { rerunInLoopback } from '../../relay/loopback.ts'

process.env['SWARM_LOOPBACK_ONLY'] = '1'
const code = await rerunInLoopback()
if (code === null) await import('@playwright/test/cli')
else process.exitCode = code
