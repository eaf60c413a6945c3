// `npm run evidence`: what the README promises, seen once more on this machine. Each command leaves its own
// JSON document in out/evidence/; `evidence.json` and `evidence.md` say which sentence it stands for, what was
// found, and whether it holds. What cannot be seen is a failure, not a gap. About five minutes.
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { localEnvironment, localNode, root } from '../relay/local-node.mjs'

/**
 * What is seen of a command: the figure to show, and whether it is what was promised.
 * @typedef {{ figure: string, holds: boolean }} Seen
 * @typedef {{
 *   name: string, claims: readonly string[], args: () => readonly string[],
 *   code?: number, limitMs?: number, see: (json: any) => Seen[]
 * }} Run
 */

const folder = join(root, 'out/evidence')
const jobs = join(folder, 'job')
/** A command that takes this long hangs; a benchmark of browsers takes two minutes on two cores. */
const limitMs = 5 * 60_000

/** @param {string} file */
const read = (file) => JSON.parse(readFileSync(file, 'utf8'))
const receipts = () =>
  readdirSync(join(jobs, 'receipts')).map((name) => join(jobs, 'receipts', name))

/** @param {any} report @param {'before' | 'after'} which */
const credits = ({ credit }, which) =>
  Object.values(credit).reduce((sum, /** @type {any} */ one) => sum + one[which], 0)

/** @param {any} report @returns {Seen[]} */
const seeJob = (report) => {
  const { tasks, receipts: paid, nodes } = report
  const checked = tasks.filter((/** @type {any} */ task) => task.verdict === 'accepted').length
  const [before, after] = [credits(report, 'before'), credits(report, 'after')]
  return [
    {
      figure: `${report.state}: ${tasks.length} tasks on ${nodes.length} nodes`,
      holds: report.state === 'done' && nodes.length > 1,
    },
    {
      figure: `${checked} of ${tasks.length} checked, by ${tasks[0].check}`,
      holds: checked === tasks.length,
    },
    { figure: `${paid.length} receipts`, holds: paid.length >= tasks.length },
    { figure: `${before} micro-credits before, ${after} after`, holds: before === after },
  ]
}

/** @param {any} document @returns {Seen[]} */
const seeVerified = ({ receipts: all }) => {
  const agree = all.filter((/** @type {any} */ one) => one.agrees).length
  const again = all.filter((/** @type {any} */ { findings }) =>
    findings.some((/** @type {any} */ { what, holds }) => what === 'result' && holds),
  ).length
  return [
    { figure: `${agree} of ${all.length} agree`, holds: agree === all.length && all.length > 0 },
    {
      figure: `${again} of ${all.length} done again with the same result`,
      holds: again === all.length,
    },
  ]
}

/** A receipt over one micro-credit more, as mallory would like it. */
const forged = () => {
  const file = join(folder, 'forged.json')
  const receipt = read(receipts()[0] ?? '')
  receipt.body.microCredits += 1
  writeFileSync(file, JSON.stringify(receipt))
  return file
}

/** @param {any} document @returns {Seen[]} */
const seeForged = ({ receipts: [receipt] }) => {
  const wrong = receipt.findings.filter((/** @type {any} */ { holds }) => holds === false)
  const names = wrong.map((/** @type {any} */ { what }) => what).join(', ')
  return [{ figure: `does not agree: ${names}`, holds: wrong.length >= 3 }]
}

/** @param {(measures: any) => string} words @returns {(report: any) => Seen[]} */
const seeSwarm = (words) => (report) => {
  const { measures, violations } = report
  const holds = violations.length === 0 && measures.jobsDone > 0
  return [{ figure: `${words(measures)}; ${violations.length} promises broken`, holds }]
}

/** @param {string} scenario @param {string} claim @param {(measures: any) => string} words @returns {Run} */
const simulated = (scenario, claim, words) => ({
  name: `sim-${scenario}`,
  claims: [claim],
  args: () => ['sim', scenario, '--seed', '1'],
  see: seeSwarm(words),
})

/** @param {string} name @param {number} limit @returns {Run} */
const measured = (name, limit = limitMs) => ({
  name: `bench-${name}`,
  claims: ['Figures of this machine'],
  args: () => ['bench', name],
  limitMs: limit,
  see: ({ rows }) => [
    {
      figure: rows
        .map((/** @type {any} */ row) => `${row.name}: ${row.ours.toPrecision(3)} ${row.unit}`)
        .join('; '),
      holds: rows.length > 0,
    },
  ],
})

const small = ['--set', 'width=320', '--set', 'height=240']
const own = join(root, 'public/jobs/own-shader.swarm.md')

/** @type {readonly Run[]} */
const runs = [
  {
    name: 'up',
    claims: [
      'One command runs a job over three tabs',
      'Every result is checked by the one who asked',
      'Each accepted task leaves a receipt signed by both',
      'Nothing mints: credits only change hands',
    ],
    args: () => ['up', '--once', '--port', '0', '--out', jobs, ...small],
    see: seeJob,
  },
  {
    name: 'verify',
    claims: ['Anyone can check a receipt again', '... and repeat the task'],
    args: () => ['verify', ...receipts()],
    see: seeVerified,
  },
  {
    name: 'verify-forged',
    claims: ['A receipt that was changed is found out'],
    args: () => ['verify', forged(), '--inputs', jobs],
    code: 1,
    see: seeForged,
  },
  {
    name: 'own-shader',
    claims: [
      "A shader of one's own runs where the owner allows it",
      '... and different nodes agree on it',
    ],
    args: () => [
      ...['run', own, '--nodes', '2', '--allow-wgsl', '--set', 'items=20000'],
      ...['--data', join(folder, 'data'), '--out', join(folder, 'own')],
    ],
    see: (report) => {
      const agreed = report.tasks.filter((/** @type {any} */ task) => task.check === 'replicas')
      return [
        {
          figure: `${report.state} on ${report.nodes.length} nodes`,
          holds: report.state === 'done',
        },
        {
          figure: `${agreed.length} of ${report.tasks.length} tasks by replicas`,
          holds: agreed.length === report.tasks.length,
        },
      ]
    },
  },
  simulated(
    'lying-nodes',
    'A wrong result is not accepted, nor paid',
    (m) => `${m.liesTold} lies told, ${m.wrongAccepted} accepted, ${m.liesPaid} paid`,
  ),
  simulated(
    'churn',
    'A task whose node is gone goes to another one',
    (m) => `${m.jobsDone} of ${m.jobs} jobs done, ${m.failovers} failovers`,
  ),
  simulated(
    'relay-down',
    'A relay that is gone for half of the time ends no job',
    (m) => `${m.jobsDone} of ${m.jobs} jobs done`,
  ),
  simulated(
    'freezing-tabs',
    'Tabs that the system stops hold nobody up for good',
    (m) => `${m.jobsDone} of ${m.jobs} jobs done`,
  ),
  measured('ledger'),
  measured('tasks'),
  measured('swarm'),
]

const node = localNode() ?? process.execPath
const env = localEnvironment({ SWARM_LOOPBACK_ONLY: '1' })

/** @param {readonly string[]} args @param {number} limit @returns {Promise<number>} */
const ended = (args, limit) =>
  new Promise((done) => {
    const all = [join(root, 'relay/cli.ts'), ...args]
    /** @type {import('node:child_process').StdioOptions} */
    const stdio = ['ignore', 'ignore', 'inherit']
    const child = spawn(node, all, { cwd: root, env, stdio, timeout: limit })
    child.once('error', () => done(1))
    child.once('exit', (code) => done(code ?? 1))
  })

/** @param {Run} run */
const look = async ({ name, claims, args, code = 0, limitMs: limit = limitMs, see }) => {
  const file = join(folder, `${name}.json`)
  const began = Date.now()
  /** @type {Seen[]} */
  let seen
  try {
    const found = await ended([...args(), '--json', file], limit)
    seen = found === code ? see(read(file)) : claims.map(() => failure(`ended with ${found}`))
  } catch (cause) {
    seen = claims.map(() => failure(String(cause)))
  }
  const seconds = (Date.now() - began) / 1000
  const rows = claims.map((claim, i) => ({ claim, ...(seen[i] ?? failure('not seen')) }))
  for (const { claim, figure, holds } of rows)
    process.stdout.write(`${holds ? 'ok ' : 'RED'} ${claim}: ${figure}\n`)
  return { name, file: relative(folder, file), seconds, claims: rows }
}

/** @param {string} figure @returns {Seen} */
const failure = (figure) => ({ figure, holds: false })

rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })
const all = []
for (const run of runs) all.push(await look(run))
writeFileSync(join(folder, 'evidence.json'), `${JSON.stringify({ runs: all }, null, 2)}\n`)
const rows = all.flatMap(({ file, claims }) =>
  claims.map(
    ({ claim, figure, holds }) =>
      `| ${claim} | ${figure} | ${holds ? 'yes' : '**no**'} | [${file}](${file}) |`,
  ),
)
const head = [
  '# What was seen',
  '',
  '| claim | found | holds | document |',
  '| --- | --- | --- | --- |',
]
writeFileSync(join(folder, 'evidence.md'), `${[...head, ...rows].join('\n')}\n`)
process.stdout.write(`\n${join(folder, 'evidence.md')}\n`)
process.exit(all.every(({ claims }) => claims.every(({ holds }) => holds)) ? 0 : 1)
