/** `swarm bench`: measured ratios. Nothing is asserted here: figures depend on the machine. */
import { say } from '../terminal.ts'
import { answer } from './answer.ts'
import { EXIT, readArgs, type Flags } from './args.ts'
import { inWords, type Row } from './bench-rows.ts'
import { explain } from './outcome.ts'

const FLAGS: Flags = {
  nodes: { type: 'string', help: 'headless nodes of `bench swarm`; 2' },
  json: { type: 'string', help: 'writes the rows to a file, - for standard output' },
}

/** Loaded only when asked for: most need no browser, and none needs all. */
const SUBJECTS: Record<string, () => Promise<(nodes: string | undefined) => Promise<readonly Row[] | number>>> = {
  ledger: async () => (await import('./bench-ledger.ts')).benchLedger,
  sim: async () => (await import('./bench-sim.ts')).benchSim,
}

const bench = async (argv: readonly string[]): Promise<number> => {
  const args = readArgs(argv, FLAGS, 1)
  if (!args.ok) return explain(args.error)
  const [asked] = args.value.rest
  const known = Object.keys(SUBJECTS)
  if (asked !== undefined && !known.includes(asked)) {
    return explain({ code: 'usage', text: `there is no benchmark "${asked}"; one of ${known.join(', ')}` })
  }
  const rows: Row[] = []
  for (const subject of asked === undefined ? known : [asked]) {
    say(`measuring ${subject} ...`)
    const measure = await SUBJECTS[subject]!()
    const measured = await measure(args.value.text('nodes'))
    if (typeof measured === 'number') return measured
    rows.push(...measured)
  }
  answer(inWords(rows), args.value.text('json'), { rows })
  return EXIT.done
}

export const command = {
  summary: 'measured ratios, interleaved in one run; all of them, or one',
  usage: 'swarm bench [kernels|swarm|ledger|sim] [--nodes N] [--json F]',
  run: bench,
}
