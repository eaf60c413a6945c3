/**
 * `swarm bench kernels` and `swarm bench cpu`: the tensor engine beside other libraries in one page of one
 * browser, each in turn, round by round. What is told is the median of the rounds' ratios, as a busy machine slows all of them down.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright'
import { err, ok, type Result } from '../../src/base/result.ts'
import type { PortError } from '../../src/ports.ts'
import { openBrowser } from '../browser.ts'
import { say } from '../terminal.ts'
import { buildPages } from './bench-page.ts'
import { PEER_MODULES } from './bench-peers.ts'
import { median, type Row } from './bench-rows.ts'
import { serveFolders } from './bench-server.ts'

/** Milliseconds of one run, without and with the answer read back. */
type Times = { readonly computed: number; readonly read: number | null }
type Round = Readonly<Record<string, Times>>
/** Which of our engines; it is compared with libraries of the same side. */
type Side = 'gpu' | 'cpu'
/** What the page can do; see `test/bench/kernels.ts`. */
type KernelsPage = {
  readonly names: readonly string[]
  open(on: Side): Promise<{ adapter: string; contenders: { name: string; gpu: boolean }[] }>
  prepare(key: string): Promise<{ name: string; differences: Record<string, number> }>
  turn(contender: string): Promise<Times>
  close(): void
}
declare const kernels: KernelsPage

export type KernelOptions = {
  /** Keys of rows; all if there are none. */
  readonly only: readonly string[]
  readonly rounds: number
}

const OURS = 'ours'
/** Libraries add up in different orders: of 16M numbers they differ by 3e-4 of the sum. */
const AGREED = 1e-3

export const benchKernels = (
  options: KernelOptions,
  side: Side = 'gpu',
): Promise<Result<Row[], PortError>> =>
  withPeersPage('kernels', (page) => measure(page, options, side))

/** A page of `test/bench` that finds the peers' packages. It names what it can do after itself. */
export const withPeersPage = async (
  name: string,
  work: (page: Page) => Promise<Result<Row[], PortError>>,
): Promise<Result<Row[], PortError>> => {
  const folder = mkdtempSync(join(tmpdir(), 'swarm-bench-'))
  const opened: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })]
  try {
    const built = await buildPages(folder)
    if (!built.ok) return built
    const server = await serveFolders([
      { at: '/peers', folder: PEER_MODULES },
      { at: '/', folder },
    ])
    opened.push(() => server.close())
    const browser = await openBrowser()
    if (!browser.ok) return browser
    opened.push(() => browser.value.close())
    const page = await browser.value.newPage()
    await page.goto(`${server.url}/${name}.html`)
    await page.waitForFunction((which) => which in globalThis, name)
    return await work(page)
  } catch (cause) {
    return err({ code: 'page-failed', detail: String(cause).slice(0, 500) })
  } finally {
    for (const close of opened.toReversed()) await close()
  }
}

const measure = async (
  page: Page,
  { only, rounds }: KernelOptions,
  side: Side,
): Promise<Result<Row[], PortError>> => {
  const names = await page.evaluate(() => kernels.names)
  const strange = only.find((key) => !names.includes(key))
  if (strange !== undefined)
    return err({
      code: 'no-such-row',
      detail: `there is no row "${strange}"; one of ${names.join(', ')}`,
    })
  const { adapter, contenders } = await page.evaluate((on) => kernels.open(on), side)
  say(`on ${adapter}`)
  const rows: Row[] = []
  for (const key of only.length === 0 ? names : only) {
    const { name, differences } = await page.evaluate((which) => kernels.prepare(which), key)
    const odd = Object.entries(differences).find(([, away]) => !(away <= AGREED))
    if (odd !== undefined)
      return err({ code: 'no-agreement', detail: `${name}: ${odd[0]} is off by ${odd[1]}` })
    const found: Round[] = []
    for (let i = 0; i < rounds; i++) {
      const round: Record<string, Times> = {}
      for (const one of contenders)
        round[one.name] = await page.evaluate((which) => kernels.turn(which), one.name)
      found.push(round)
    }
    await page.evaluate(() => kernels.close())
    for (const [what, told] of [
      ['computed', name],
      ['read', `${name}, read back`],
    ] as const) {
      const row = rowOf(told, found, what, contenders)
      say(`${row.name}: ${row.ours.toPrecision(3)} ms, ratio ${row.ratio?.toPrecision(3)}`)
      rows.push(row)
    }
  }
  return ok(rows)
}

/** The ratio is that to the best library of the same side; those of all are told too. */
const rowOf = (
  name: string,
  rounds: readonly Round[],
  what: keyof Times,
  contenders: readonly { readonly name: string; readonly gpu: boolean }[],
): Row => {
  const timesOf = (contender: string): number[] =>
    rounds.flatMap((round) => round[contender]![what] ?? [])
  const ours = timesOf(OURS)
  const others = contenders.filter((one) => one.name !== OURS && timesOf(one.name).length > 0)
  const ratios = others.map((one) => {
    // What is too slow is not read back in each round.
    const both = rounds.flatMap((round) => {
      const [theirs, mine] = [round[one.name]![what], round[OURS]![what]]
      return theirs === null || mine === null ? [] : [theirs / mine]
    })
    return [one.name, median(both)] as const
  })
  const { gpu: onGpu } = contenders.find((one) => one.name === OURS)!
  const alike = new Set(others.filter(({ gpu }) => gpu === onGpu).map((one) => one.name))
  return {
    name,
    ours: median(ours),
    peers: Object.fromEntries(others.map((one) => [one.name, median(timesOf(one.name))])),
    ratios: Object.fromEntries(ratios),
    ratio: Math.min(...ratios.flatMap(([peer, ratio]) => (alike.has(peer) ? [ratio] : []))),
    unit: 'ms',
    runs: rounds.length,
  }
}
