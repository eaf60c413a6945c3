/** `swarm bench swarm`: what it costs to have a task done by somebody else, on a swarm of our own. */
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { err, ok, type Result } from '../../src/base/result.ts'
import type { JobView, NodeHandle, View } from '../../src/peer/view.ts'
import type { PortError } from '../../src/ports.ts'
import { openBrowser } from '../browser.ts'
import { ensureApp } from '../built-app.mjs'
import { startLocalSwarm } from '../local-swarm.ts'
import { root } from '../local-node.mjs'
import { prepareJob, type PreparedJob } from '../prepare-job.ts'
import { note, say } from '../terminal.ts'
import { benchLinks } from './bench-links.ts'
import { median, row, type Row } from './bench-rows.ts'

const SPEC = join(root, 'public/jobs/mandelbrot.swarm.md')
const SINGLE_RUNS = 20
const MANY_RUNS = 3
const MANY = 256
const CLICK_RUNS = 3
const TILE = 16
/** A job of tiny tasks that takes longer than this hangs. */
const JOB_MS = 180_000

export const benchSwarm = async (nodes: number): Promise<Result<Row[], PortError>> => {
  const built = await ensureApp(process.execPath)
  if (!built.ok) return err({ code: 'build-failed', detail: built.output.slice(0, 500) })
  const dataDir = mkdtempSync(join(tmpdir(), 'swarm-bench-'))
  const local = await startLocalSwarm({
    dataDir,
    port: 0,
    nodes,
    log: say,
    serving: () => undefined,
  })
  if (!local.ok) return local
  const rows: Row[] = []
  try {
    const ready = await local.value.ready
    if (!ready.ok) return ready
    const { handle } = local.value.node
    for (const part of [
      () => single(handle),
      () => many(handle, nodes),
      () => click(handle, local.value.url),
    ]) {
      const measured = await part()
      if (!measured.ok) return measured
      rows.push(...measured.value)
    }
  } finally {
    await local.value.close()
    await rm(dataDir, { recursive: true, force: true })
  }
  const links = await benchLinks()
  return links.ok ? ok([...rows, ...links.value]) : links
}

let places = 0
/** Tiny tasks: 16 x 16 pixels that leave at once. No two jobs are the same one. */
const tinyJob = async (tasks: number): Promise<PreparedJob> => {
  const side = TILE * Math.ceil(Math.sqrt(tasks))
  const sets = [
    `width=${side}`,
    `height=${side}`,
    `tile=${TILE}`,
    'iterations=1',
    'zoom=1',
    `centerX=1.9${String(++places).padStart(4, '0')}`,
  ]
  const prepared = await prepareJob(SPEC, sets, {})
  if (!prepared.ok) throw new Error(prepared.error.text)
  return prepared.value
}

/**
 * What `found` gives as soon as it gives something; null when that takes too long. Several changes at
 * once are looked at once: a view of everything is work too, and not what is measured.
 */
const watchFor = <T>(handle: NodeHandle, found: (view: View) => T | null): Promise<T | null> =>
  new Promise((resolve) => {
    let due: NodeJS.Immediate | null = null
    const end = (value: T | null): void => {
      unwatch()
      clearTimeout(timer)
      if (due) clearImmediate(due)
      resolve(value)
    }
    const timer = setTimeout(() => end(null), JOB_MS)
    const look = (): void => {
      due = null
      const value = found(handle.view())
      if (value !== null) end(value)
    }
    const unwatch = handle.watch(() => void (due ??= setImmediate(look)))
    look()
  })

const runToEnd = async (
  handle: NodeHandle,
  { job, spec, inputs }: PreparedJob,
): Promise<Result<{ done: JobView; ms: number }, PortError>> => {
  const began = performance.now()
  const id = handle.submit(job, spec.title, inputs)
  const done = await watchFor(
    handle,
    ({ jobs }) =>
      jobs.find((each) => each.id === id && ['done', 'failed', 'cancelled'].includes(each.state)) ??
      null,
  )
  const ms = performance.now() - began
  handle.forgetJob(id)
  if (done?.state === 'done') return ok({ done, ms })
  return err({
    code: done?.problem?.code ?? 'too-slow',
    detail: done?.problem?.text ?? `no end within ${JOB_MS} ms`,
  })
}

/** One task at a time. It computes for less than a millisecond: all else is overhead, the disks included. */
const single = async (handle: NodeHandle): Promise<Result<Row[], PortError>> => {
  note('one tiny task at a time ...')
  const times: number[] = []
  const trips: number[] = []
  // The first finds the nodes and links to them.
  for (let i = -1; i < SINGLE_RUNS; i++) {
    const ran = await runToEnd(handle, await tinyJob(1))
    if (!ran.ok) return ran
    if (i < 0) continue
    times.push(ran.value.ms)
    trips.push(...handle.view().nodes.flatMap(({ rttMs }) => (rttMs === null ? [] : [rttMs])))
  }
  const peers = trips.length > 0 ? { 'one round trip of the link': [median(trips)] } : {}
  return ok([row('one tiny task, submitted to verified', 'ms', times, peers)])
}

const many = async (handle: NodeHandle, nodes: number): Promise<Result<Row[], PortError>> => {
  note(`${MANY} tiny tasks at once ...`)
  const rates: number[] = []
  const shares: number[] = []
  for (let i = 0; i < MANY_RUNS; i++) {
    const ran = await runToEnd(handle, await tinyJob(MANY))
    if (!ran.ok) return ran
    const { done, ms } = ran.value
    rates.push(done.tasks.length / (ms / 1_000))
    shares.push((ms * nodes) / done.tasks.length)
  }
  return ok([
    row(`tiny tasks through one requester, ${nodes} nodes`, 'tasks/s', rates),
    row(`a node's time per tiny task, ${nodes} nodes`, 'ms', shares),
  ])
}

/** A newcomer to a swarm with work for everybody: measured from the click on Start, benchmark included. */
const click = async (handle: NodeHandle, url: string): Promise<Result<Row[], PortError>> => {
  note('from a click to the first paid task ...')
  const browser = await openBrowser()
  if (!browser.ok) return browser
  const times: number[] = []
  try {
    for (let i = 0; i < CLICK_RUNS; i++) {
      const { job, spec, inputs } = await tinyJob(4_096)
      const id = handle.submit(job, spec.title, inputs)
      const page = await browser.value.newPage()
      await page.goto(url)
      const start = page.getByRole('button', { name: 'Start', exact: true })
      await start.waitFor()
      const account = await page.locator('[data-account]').getAttribute('data-account')
      const began = performance.now()
      await start.click()
      const paid = await watchFor(handle, ({ wallet, jobs }) =>
        wallet.receipts.some(
          ({ signed: { body, workerSig } }) => body.worker === account && workerSig !== null,
        ) ||
        jobs.some(
          (each) =>
            each.id === id &&
            each.state !== 'running' &&
            each.state !== 'waiting-for-nodes' &&
            each.state !== 'planning',
        )
          ? performance.now()
          : null,
      )
      const ended = handle.view().jobs.find((each) => each.id === id)?.state
      handle.cancel(id)
      if (paid === null || ended === 'done' || ended === 'failed')
        return err({
          code: 'not-paid',
          detail: `a newcomer was not paid before the job was ${ended ?? 'over'}`,
        })
      times.push((paid - began) / 1_000)
      await page.locator('footer').getByRole('button', { name: 'Stop' }).click()
    }
  } finally {
    await browser.value.close()
  }
  return ok([row('from the click on Start to the first paid task', 's', times)])
}
