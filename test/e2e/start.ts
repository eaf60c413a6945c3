/**
 * Starts Playwright where nothing but this machine can be reached: in a namespace with only `lo` if it
 * can be had, else right here, and then the pages announce loopback candidates only.
 */
import { pathToFileURL } from 'node:url'
import { script } from '../../relay/local-node.mjs'
import { rerunInLoopback } from '../../relay/loopback.ts'

process.env['SWARM_LOOPBACK_ONLY'] = '1'
const code = await rerunInLoopback()
if (code === null) await import(pathToFileURL(script('@playwright/test', 'playwright')).href)
else process.exitCode = code
