/** `swarm bench`: measured ratios. Nothing is asserted here: figures depend on the machine. */
import type { Result } from '../../src/base/result.ts'
import type { PortError } from '../../src/ports.ts'
import { rerunInLoopback } from '../loopback.ts'
import { note } from '../terminal.ts'
import { answer } from './answer.ts'
import { EXIT, readArgs, whole, type Flags } from './args.ts'
import { putTable } from './bench-markdown.ts'
import { inMarkdown, inWords, type Row } from './bench-rows.ts'
import type { KernelOptions } from './bench-kernels.ts'
import { explain, failed } from './outcome.ts'

const FLAGS: Flags = {
  nodes: { type: 'string', help: 'headless nodes of `bench swarm`; 2' },
  rows: {
    type: 'string',
    help: 'rows of `bench kernels` and `cpu`, such as matmul-512,softmax; all',
  },
  rounds: { type: 'string', help: 'rounds of `bench kernels`, `cpu`, `llm` and `talks`; 7' },
  markdown: { type: 'string', help: 'puts the rows into a page, between its two marks' },
  json: { type: 'string', help: 'writes the rows to a file, - for standard output' },
}
const NODES_MAX = 32
const ROUNDS_MAX = 100

type Asked = KernelOptions & { readonly nodes: number }

type Subject = {
  /** It brings a browser, which then has no business outside this machine. */
  readonly browser: boolean
  /** It takes long, and gigabytes: only when it is asked for by name. */
  readonly isLong?: true
  /** What it needs from outside this machine, before that is out of reach. */
  prepare?(): Promise<Result<null, PortError>>
  /** Loaded only when asked for. */
  load(): Promise<(asked: Asked) => Promise<Result<readonly Row[], PortError>>>
}

const SUBJECTS: Readonly<Record<string, Subject>> = {
  kernels: {
    browser: true,
    prepare: async () => (await import('./bench-peers.ts')).ensurePeers(),
    load: async () => (await import('./bench-kernels.ts')).benchKernels,
  },
  cpu: {
    browser: true,
    prepare: async () => (await import('./bench-peers.ts')).ensurePeers(),
    async load() {
      const { benchKernels } = await import('./bench-kernels.ts')
      return (asked) => benchKernels(asked, 'cpu')
    },
  },
  llm: {
    browser: true,
    prepare: async () => (await import('./bench-peers.ts')).ensurePeers(),
    load: async () => (await import('./bench-llm.ts')).benchLlm,
  },
  talks: { browser: true, load: async () => (await import('./bench-talks.ts')).benchTalks },
  large: {
    browser: true,
    isLong: true,
    load: async () => (await import('./bench-large.ts')).benchLarge,
  },
  tasks: { browser: true, load: async () => (await import('./bench-tasks.ts')).benchTasks },
  swarm: {
    browser: true,
    async load() {
      const { benchSwarm } = await import('./bench-swarm.ts')
      return ({ nodes }) => benchSwarm(nodes)
    },
  },
  ledger: { browser: false, load: async () => (await import('./bench-ledger.ts')).benchLedger },
  sim: { browser: false, load: async () => (await import('./bench-sim.ts')).benchSim },
}

const bench = async (argv: readonly string[]): Promise<number> => {
  const args = readArgs(argv, FLAGS, 1)
  if (!args.ok) return explain(args.error)
  const nodes = whole('nodes', args.value.text('nodes'), 1, NODES_MAX, 2)
  if (!nodes.ok) return explain(nodes.error)
  const rounds = whole('rounds', args.value.text('rounds'), 1, ROUNDS_MAX, 7)
  if (!rounds.ok) return explain(rounds.error)
  const only = (args.value.text('rows') ?? '').split(',').filter((name) => name !== '')
  const [asked] = args.value.rest
  const known = Object.keys(SUBJECTS)
  if (asked !== undefined && !Object.hasOwn(SUBJECTS, asked)) {
    return explain({
      code: 'usage',
      text: `there is no benchmark "${asked}"; one of ${known.join(', ')}`,
    })
  }
  const subjects = asked === undefined ? known.filter((name) => !SUBJECTS[name]!.isLong) : [asked]
  for (const name of subjects) {
    const prepared = await SUBJECTS[name]!.prepare?.()
    if (prepared?.ok === false) return failed(prepared.error)
  }
  if (subjects.some((name) => SUBJECTS[name]!.browser)) {
    const code = await rerunInLoopback()
    if (code !== null) return code
    process.env['SWARM_LOOPBACK_ONLY'] = '1'
  }
  const rows: Row[] = []
  for (const name of subjects) {
    note(`measuring ${name} ...`)
    const measure = await SUBJECTS[name]!.load()
    const measured = await measure({ nodes: nodes.value, rounds: rounds.value, only })
    if (!measured.ok) return failed(measured.error)
    rows.push(...measured.value)
  }
  const page = args.value.text('markdown')
  if (page !== undefined) {
    const put = putTable(page, inMarkdown(rows))
    if (!put.ok) return failed(put.error)
  }
  answer(inWords(rows), args.value.text('json'), { rows })
  return EXIT.done
}

export const command = {
  summary: 'measured ratios, interleaved in one run; all of them, or one',
  usage:
    'swarm bench [kernels|cpu|llm|talks|large|tasks|swarm|ledger|sim] [--rows A,B] [--rounds N] [--nodes N] [--markdown F] [--json F]',
  run: bench,
}
