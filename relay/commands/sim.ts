/** `swarm sim`: a whole swarm in one thread, its own code in virtual time, the same for the same seed. */
import { SCENARIOS, scenarioByName } from '../../src/sim/scenarios.ts'
import { simulate, type SimReport } from '../../src/sim/simulate.ts'
import { say, table, writeJson } from '../terminal.ts'
import { EXIT, readArgs, whole, type Flags } from './args.ts'
import { explain } from './outcome.ts'

const FLAGS: Flags = {
  list: { type: 'boolean', help: 'names the scenarios' },
  nodes: { type: 'string', help: 'nodes that lend; 24' },
  hours: { type: 'string', help: 'virtual hours in which fate has its way; a sixtieth' },
  seed: { type: 'string', help: '1' },
  json: { type: 'string', help: 'a file, - for standard output' },
}
const NODES = 24
const NODES_MAX = 10_000
const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const HOURS_MAX = 24

const list = (): number => {
  say(
    table(
      ['scenario', 'what happens'],
      SCENARIOS.map(({ name, summary }) => [name, summary]),
    ),
  )
  return EXIT.done
}

const inWords = ({ measures, seen, violations, ...run }: SimReport, wallMs: number): string =>
  [
    `${run.scenario}: ${run.nodes} nodes, seed ${run.seed}, ${(run.simulatedMs / MINUTE_MS).toFixed(1)} virtual minutes`,
    `${run.events} events in ${(wallMs / 1000).toFixed(1)} s; digest ${run.digest}`,
    '',
    table(
      ['measure', ''],
      Object.entries(measures).map(([name, value]) => [name, String(value)]),
    ),
    '',
    table(
      ['seen', 'times'],
      Object.entries(seen).map(([name, times]) => [name, String(times)]),
    ),
    '',
    violations.length === 0 ? 'no promise was broken' : `broken: ${violations.length}`,
    ...violations.map((violation) => `  ${violation}`),
  ].join('\n')

const sim = async (argv: readonly string[]): Promise<number> => {
  const args = readArgs(argv, FLAGS, 1)
  if (!args.ok) return explain(args.error)
  if (args.value.on('list')) return list()
  const [name] = args.value.rest
  const scenario = name === undefined ? undefined : scenarioByName(name)
  if (!scenario) {
    const text = name === undefined ? 'a scenario is missing' : `there is no scenario "${name}"`
    return explain({ code: 'usage', text: `${text}; \`swarm sim --list\` names them` })
  }
  const nodes = whole('nodes', args.value.text('nodes'), 1, NODES_MAX, NODES)
  if (!nodes.ok) return explain(nodes.error)
  const seed = whole('seed', args.value.text('seed'), 0, 0xffff_ffff, 1)
  if (!seed.ok) return explain(seed.error)
  const hours = Number(args.value.text('hours') ?? MINUTE_MS / HOUR_MS)
  if (!(hours > 0 && hours <= HOURS_MAX)) {
    const text = `--hours: expected a number above 0 and up to ${HOURS_MAX}, found "${args.value.text('hours')}"`
    return explain({ code: 'usage', text })
  }
  const began = performance.now()
  const forMs = Math.round(hours * HOUR_MS)
  const report = simulate({ scenario, seed: seed.value, nodes: nodes.value, forMs })
  const wallMs = performance.now() - began
  const eventsPerSecond = Math.round((report.events * 1000) / Math.max(1, wallMs))
  writeJson(args.value.text('json'), { ...report, eventsPerSecond })
  say(inWords(report, wallMs))
  return report.violations.length === 0 ? EXIT.done : EXIT.failed
}

export const command = {
  summary: 'the simulator: a swarm in virtual time, with its faults and its promises',
  usage: 'swarm sim SCENARIO [--nodes N] [--hours H] [--seed S] [--json F] | swarm sim --list',
  run: sim,
}
