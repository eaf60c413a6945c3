/**
 * `swarm bench llm`: a small language model, decoded token by token and fed a prompt, on the tensor engine and on
 * other libraries in one page of one browser, in turn, round by round. All have to say the same before anything
 * is timed.
 */
import { err, ok, type Result } from '../../src/base/result.ts'
import type { PortError } from '../../src/ports.ts'
import { say } from '../terminal.ts'
import { withPeersPage } from './bench-kernels.ts'
import { median, type Row } from './bench-rows.ts'
import type { Page } from 'playwright'

/** Milliseconds of one token behind 127 others, and of a prompt of 64. */
type Times = { readonly decode: number; readonly prefill: number }
type Described = { readonly name: string; readonly gpu: boolean }
type Asked = {
  readonly dispatches: number
  readonly submits: number
  readonly readbacks: number
}
/** What the page can do; see `test/bench/llm.ts`. */
type LlmPage = {
  open(): Promise<{ adapter: string; contenders: Described[] }>
  prepare(): Promise<Record<string, number>>
  turn(name: string): Promise<Times>
  asked(name: string): Promise<Asked | null>
}
declare const llm: LlmPage

/** Of logits that are some units large. */
const AGREED = 1e-3
const WHAT = { decode: 'decode a token after 127', prefill: 'prefill 64 tokens' } as const

export const benchLlm = ({
  rounds,
}: {
  readonly rounds: number
}): Promise<Result<Row[], PortError>> => withPeersPage('llm', (page) => measure(page, rounds))

const measure = async (page: Page, rounds: number): Promise<Result<Row[], PortError>> => {
  const { adapter, contenders } = await page.evaluate(() => llm.open())
  say(`on ${adapter}`)
  const differences = await page.evaluate(() => llm.prepare())
  for (const [name, away] of Object.entries(differences))
    say(`${name}: off by ${away.toExponential(1)}`)
  const odd = Object.entries(differences).find(([, away]) => !(away <= AGREED))
  if (odd !== undefined)
    return err({ code: 'no-agreement', detail: `${odd[0]} is off by ${odd[1]}` })
  const found: Record<string, Times>[] = []
  for (let i = 0; i < rounds; i++) {
    const round: Record<string, Times> = {}
    for (const { name } of contenders)
      round[name] = await page.evaluate((which) => llm.turn(which), name)
    found.push(round)
  }
  const rows: Row[] = []
  const ours = contenders.filter(({ name }) => isOurs(name))
  for (const one of ours)
    for (const what of ['decode', 'prefill'] as const)
      rows.push(rowOf(one, { what, adapter, contenders, found }))
  for (const { name } of ours) {
    const asked = await page.evaluate((which) => llm.asked(which), name)
    for (const [what, count] of Object.entries(asked ?? {}))
      rows.push(countRow(`${what} of a token, ${name}`, count))
  }
  return ok(rows)
}

const isOurs = (name: string): boolean => name.startsWith('ours')

type Measured = {
  readonly what: keyof Times
  readonly adapter: string
  readonly contenders: readonly Described[]
  readonly found: readonly Readonly<Record<string, Times>>[]
}

/** The ratio is that to the best library of the same side; those of all are told too. */
const rowOf = (one: Described, { what, adapter, contenders, found }: Measured): Row => {
  const timesOf = (name: string): number[] => found.map((round) => round[name]![what])
  const others = contenders.filter(({ name }) => !isOurs(name))
  const ratios = others.map(({ name }) => {
    const each = found.map((round) => round[name]![what] / round[one.name]![what])
    return [name, median(each)] as const
  })
  const alike = others.filter(({ gpu }) => gpu === one.gpu).map(({ name }) => name)
  const where = one.gpu ? `${one.name} (${adapter})` : one.name
  return {
    name: `${WHAT[what]}, ${where}`,
    ours: median(timesOf(one.name)),
    peers: Object.fromEntries(others.map(({ name }) => [name, median(timesOf(name))])),
    ratios: Object.fromEntries(ratios),
    ratio: Math.min(...ratios.flatMap(([name, ratio]) => (alike.includes(name) ? [ratio] : []))),
    unit: 'ms',
    runs: found.length,
  }
}

const countRow = (name: string, count: number): Row => ({
  name,
  ours: count,
  peers: {},
  ratio: null,
  unit: 'times',
  runs: 1,
})
