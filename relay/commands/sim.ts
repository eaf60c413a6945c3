/** `swarm sim`: a whole swarm in one thread, its own code in virtual time, the same for the same seed. */
import { ok, type Result } from '../../src/base/result.ts'
import { SCENARIOS, scenarioByName, type Scenario } from '../../src/sim/scenarios.ts'
import type { SimReport } from '../../src/sim/simulate.ts'
import { progress, progressDone, table } from '../terminal.ts'
import { answer } from './answer.ts'
import { EXIT, readArgs, usage, whole, type Args, type Flags, type Usage } from './args.ts'
import { explain } from './outcome.ts'

const FLAGS: Flags = {
  list: { type: 'boolean', help: 'names the scenarios' },
  nodes: { type: 'string', help: 'nodes that lend; 24' },
  hours: {
    type: 'string',
    help: 'virtual hours in which fate has its way, such as 0.5; a sixtieth',
  },
  seed: { type: 'string', help: 'the same seed is the same run; 1' },
  json: { type: 'string', help: 'writes the report to a file, - for standard output' },
}
const NODES = 24
const NODES_MAX = 10_000
const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const HOURS_MIN = 0.001
const HOURS_MAX = 24

type Asked = {
  readonly scenario: Scenario
  readonly nodes: number
  readonly seed: number
  readonly forMs: number
}

/** Virtual time, from a few seconds to a day. */
const hoursIn = (text: string | undefined): Result<number, Usage> => {
  if (text === undefined) return ok(MINUTE_MS)
  const hours = /^\d*\.?\d+$/.test(text) ? Number(text) : Number.NaN
  return hours >= HOURS_MIN && hours <= HOURS_MAX
    ? ok(Math.round(hours * HOUR_MS))
    : usage(`--hours: expected a number from ${HOURS_MIN} to ${HOURS_MAX}, found "${text}"`)
}

const asked = (args: Args): Result<Asked, Usage> => {
  const [name] = args.rest
  const scenario = name === undefined ? undefined : scenarioByName(name)
  if (!scenario) {
    const text = name === undefined ? 'a scenario is missing' : `there is no scenario "${name}"`
    return usage(`${text}; \`swarm sim --list\` names them`)
  }
  const nodes = whole('nodes', args.text('nodes'), 1, NODES_MAX, NODES)
  if (!nodes.ok) return nodes
  const seed = whole('seed', args.text('seed'), 0, 0xffff_ffff, 1)
  if (!seed.ok) return seed
  const forMs = hoursIn(args.text('hours'))
  if (!forMs.ok) return forMs
  return ok({ scenario, nodes: nodes.value, seed: seed.value, forMs: forMs.value })
}

const list = (json: string | undefined): boolean => {
  const rows = SCENARIOS.map(({ name, summary }) => [name, summary])
  const scenarios = SCENARIOS.map(({ name, summary }) => ({ name, summary }))
  return answer(table(['scenario', 'what happens'], rows), json, { scenarios })
}

const rows = (of: Readonly<Record<string, number>>): string[][] =>
  Object.entries(of).map(([name, value]) => [name, String(value)])

const inWords = (run: SimReport, wallMs: number): string => {
  const { measures, seen, violations, trail } = run
  const speed = `${Math.round((run.events * 1000) / Math.max(1, wallMs))} events/s`
  return [
    `${run.scenario}: ${run.nodes} nodes, seed ${run.seed}, ${(run.simulatedMs / MINUTE_MS).toFixed(1)} virtual minutes`,
    `${run.events} events in ${(wallMs / 1000).toFixed(1)} s (${speed}); digest ${run.digest}`,
    '',
    table(['measure', ''], rows(measures)),
    '',
    table(['seen', 'times'], rows(seen)),
    '',
    ...(violations.length === 0 ? ['no promise was broken'] : failure(run)),
    ...(trail.length > 0
      ? ['', 'said before the first:', ...trail.map((line) => `  ${line}`)]
      : []),
  ].join('\n')
}

/** What was broken, and how whoever reads it sees it again. */
const failure = ({ scenario, seed, nodes, forMs, broken, violations }: SimReport): string[] => {
  const flags = `--nodes ${nodes} --hours ${forMs / HOUR_MS} --seed ${seed}`
  const codes = Object.entries(broken).map(([code, times]) => `${code} ${times} times`)
  return [
    `broken with seed ${seed}: ${codes.join(', ')}`,
    ...violations.map((violation) => `  ${violation}`),
    `again: npm run swarm -- sim ${scenario} ${flags}`,
  ]
}

const sim = async (argv: readonly string[]): Promise<number> => {
  const args = readArgs(argv, FLAGS, 1)
  if (!args.ok) return explain(args.error)
  const json = args.value.text('json')
  if (args.value.on('list')) return list(json) ? EXIT.done : EXIT.failed
  const options = asked(args.value)
  if (!options.ok) return explain(options.error)
  // A list needs no nodes.
  const { simulate } = await import('../../src/sim/simulate.ts')
  const began = performance.now()
  const report = simulate({
    ...options.value,
    progress: (at, of) =>
      progress(Math.floor(at / 1_000), Math.ceil(of / 1_000), 'virtual seconds'),
  })
  progressDone()
  const wallMs = performance.now() - began
  const eventsPerSecond = Math.round((report.events * 1000) / Math.max(1, wallMs))
  const written = answer(inWords(report, wallMs), json, { ...report, eventsPerSecond })
  return written && report.violations.length === 0 ? EXIT.done : EXIT.failed
}

export const command = {
  summary: 'the simulator: a swarm in virtual time, with its faults and its promises',
  usage: 'swarm sim SCENARIO [--nodes N] [--hours H] [--seed S] [--json F] | swarm sim --list',
  flags: FLAGS,
  run: sim,
}
