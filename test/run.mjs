// What `npm test` runs once the set-up is done: every stage in turn, one count at the end. A stage
// fails when a test fails, when its runner dies, and when it has files but ran nothing.
//   node test/run.mjs            all stages
//   node test/run.mjs unit gpu   only these
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureApp } from '../relay/built-app.mjs'
import { localEnvironment, localNode, root, script } from '../relay/local-node.mjs'

/** @typedef {{ passed: number, failed: number, skipped: number }} Count */

/** All of `npm test` is meant to take 15 minutes; a stage that takes twice that alone hangs, also where all is slow. */
const stageLimitMs = 30 * 60_000

const node = localNode() ?? process.execPath
const scratch = mkdtempSync(join(tmpdir(), 'swarm-test-'))
const report = join(scratch, 'report.json')

/** @param {string} project */
const vitest = (project) => [
  script('vitest'),
  'run',
  `--project=${project}`,
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${report}`,
]

/**
 * Enters a namespace with only `lo` where it can: browsers in it reach nobody.
 * @param {string} folder
 */
const playwright = (folder) => [
  'test/e2e/start.ts',
  'test',
  `--config=${folder}/playwright.config.ts`,
  '--reporter=list,json',
]

const stages = [
  {
    name: 'unit',
    files:
      /^(kernels|src|workers|relay)\/.*\.test\.ts$|^test\/([^/]+|(models|sim|ports|tensor|vectors)\/.*)\.test\.ts$/,
    args: vitest('unit'),
    app: false,
    count: countVitest,
  },
  {
    name: 'gpu',
    files: /^test\/gpu\/.*\.test\.ts$/,
    args: vitest('gpu'),
    app: false,
    count: countVitest,
  },
  {
    name: 'net',
    files: /^test\/net\/.*\.test\.ts$/,
    args: vitest('net'),
    app: true,
    count: countVitest,
  },
  {
    name: 'ui',
    files: /^test\/ui\/.*\.spec\.ts$/,
    args: playwright('test/ui'),
    app: false,
    count: countPlaywright,
  },
  {
    name: 'e2e',
    files: /^test\/e2e\/.*\.spec\.ts$/,
    args: playwright('test/e2e'),
    app: true,
    count: countPlaywright,
  },
]

/**
 * A file that could not be loaded has no tests of its own, and counts as one failure.
 * @param {import('vitest/node').JsonTestResults} json
 * @returns {Count}
 */
function countVitest(json) {
  const broken = json.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((t) => t.status === 'failed'),
  )
  return {
    passed: json.numPassedTests,
    failed: json.numFailedTests + broken.length,
    skipped: json.numPendingTests + json.numTodoTests,
  }
}

/**
 * There are no retries, so what is flaky has failed.
 * @param {import('@playwright/test/reporter').JSONReport} json
 * @returns {Count}
 */
function countPlaywright(json) {
  const { expected, unexpected, flaky, skipped } = json.stats
  return { passed: expected, failed: unexpected + flaky + json.errors.length, skipped }
}

/** @param {RegExp} pattern */
const filesOf = (pattern) =>
  ['kernels', 'src', 'workers', 'relay', 'test']
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map(
        (path) => `${folder}/${path}`,
      ),
    )
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => pattern.test(path))

/** @param {string} sentence */
const say = (sentence) => process.stdout.write(`${sentence}\n`)

/** @type {import('node:child_process').ChildProcess | null} */
let running = null
/** @type {NodeJS.Signals | null} */
let stopped = null
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']))
  process.on(signal, () => {
    stopped = signal
    running?.kill(signal)
  })

/** Colours belong to a terminal; a log keeps plain text, also where CI would ask for colours. */
const plain = process.stdout.isTTY ? {} : { NO_COLOR: '1', FORCE_COLOR: undefined }

/** @returns {Promise<number>} */
const run = (/** @type {string[]} */ args) =>
  new Promise((done) => {
    // Tests keep WebRTC on 127.0.0.1, whatever else the machine is connected to.
    const own = { SWARM_LOOPBACK_ONLY: '1', PLAYWRIGHT_JSON_OUTPUT_FILE: report }
    const env = localEnvironment({ ...plain, ...own })
    const options = { cwd: root, env, timeout: stageLimitMs }
    running = spawn(node, args, { ...options, stdio: ['ignore', 'inherit', 'inherit'] })
    running.once('error', () => done(1))
    running.once('exit', (code) => done(code ?? 1))
  })

const readReport = () => {
  try {
    return JSON.parse(readFileSync(report, 'utf8'))
  } catch {
    return null
  }
}

/** @returns {Promise<Count>} */
const runStage = async (/** @type {(typeof stages)[number]} */ stage) => {
  const none = { passed: 0, failed: 0, skipped: 0 }
  const files = filesOf(stage.files)
  if (files.length === 0) {
    say(`${stage.name}: no test files yet`)
    return none
  }
  say(`\n${stage.name}: ${files.length} files`)
  if (stage.app) {
    const app = await ensureApp(node)
    if (!app.ok) {
      say(`${app.output}\n${stage.name}: not run, the app did not build`)
      return { ...none, failed: 1 }
    }
  }
  rmSync(report, { force: true })
  const code = await run(stage.args)
  const json = readReport()
  if (json === null) {
    say(`${stage.name}: the runner ended with code ${code} and left no report`)
    return { ...none, failed: 1 }
  }
  const count = stage.count(json)
  if (count.failed > 0) return count
  if (code !== 0) say(`${stage.name}: all tests passed, but the runner ended with code ${code}`)
  else if (count.passed === 0) say(`${stage.name}: no test ran although there are files`)
  else return count
  return { ...count, failed: 1 }
}

const asked = process.argv.slice(2)
const unknown = asked.filter((name) => !stages.some((stage) => stage.name === name))
if (unknown.length > 0) {
  process.stderr.write(`no stage ${unknown.join(', ')}: ${stages.map((s) => s.name).join(', ')}\n`)
  process.exit(2)
}

const total = { passed: 0, failed: 0, skipped: 0 }
for (const stage of stages) {
  if (stopped || (asked.length > 0 && !asked.includes(stage.name))) continue
  const count = await runStage(stage)
  total.passed += count.passed
  total.failed += count.failed
  total.skipped += count.skipped
}
rmSync(scratch, { recursive: true, force: true })
if (stopped) process.stderr.write('stopped before the end\n')
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : ''
say(`\n${total.passed} passed, ${total.failed} failed${skipped}`)
process.exit(stopped ? 130 : total.failed > 0 || total.passed === 0 ? 1 : 0)
