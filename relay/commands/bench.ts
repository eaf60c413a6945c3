/** `swarm bench`: measured ratios. Nothing is asserted here: figures depend on the machine. */
import type { Result } from '../../src/base/result.ts'
import type { PortError } from '../../src/ports.ts'
import { rerunInLoopback } from '../loopback.ts'
import { note } from '../terminal.ts'
import { answer } from './answer.ts'
import { EXIT, readArgs, whole, type Flags } from './args.ts'
import { inWords, type Row } from './bench-rows.ts'
import { explain } from './outcome.ts'

const FLAGS: Flags = {
  nodes: { type: 'string', help: 'headless nodes of `bench swarm`; 2' },
  json: { type: 'string', help: 'writes the rows to a file, - for standard output' },
}
const NODES_MAX = 32

type Subject = {
  /** It brings a browser, which then has no business outside this machine. */
  readonly browser: boolean
  /** Loaded only when asked for. */
  load(): Promise<(nodes: number) => Promise<Result<readonly Row[], PortError>>>
}

const SUBJECTS: Readonly<Record<string, Subject>> = {
  kernels: { browser: true, load: async () => (await import('./bench-kernels.ts')).benchKernels },
  swarm: { browser: true, load: async () => (await import('./bench-swarm.ts')).benchSwarm },
  ledger: { browser: false, load: async () => (await import('./bench-ledger.ts')).benchLedger },
  sim: { browser: false, load: async () => (await import('./bench-sim.ts')).benchSim },
}

const bench = async (argv: readonly string[]): Promise<number> => {
  const args = readArgs(argv, FLAGS, 1)
  if (!args.ok) return explain(args.error)
  const nodes = whole('nodes', args.value.text('nodes'), 1, NODES_MAX, 2)
  if (!nodes.ok) return explain(nodes.error)
  const [asked] = args.value.rest
  const known = Object.keys(SUBJECTS)
  if (asked !== undefined && !Object.hasOwn(SUBJECTS, asked)) {
    return explain({
      code: 'usage',
      text: `there is no benchmark "${asked}"; one of ${known.join(', ')}`,
    })
  }
  const subjects = asked === undefined ? known : [asked]
  if (subjects.some((name) => SUBJECTS[name]!.browser)) {
    const code = await rerunInLoopback()
    if (code !== null) return code
    process.env['SWARM_LOOPBACK_ONLY'] = '1'
  }
  const rows: Row[] = []
  for (const name of subjects) {
    note(`measuring ${name} ...`)
    const measure = await SUBJECTS[name]!.load()
    const measured = await measure(nodes.value)
    if (!measured.ok) {
      explain(measured.error)
      return EXIT.failed
    }
    rows.push(...measured.value)
  }
  answer(inWords(rows), args.value.text('json'), { rows })
  return EXIT.done
}

export const command = {
  summary: 'measured ratios, interleaved in one run; all of them, or one',
  usage: 'swarm bench [kernels|swarm|ledger|sim] [--nodes N] [--json F]',
  run: bench,
}
