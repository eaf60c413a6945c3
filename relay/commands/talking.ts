/** What `swarm run` does where its spec asks a language model: text to standard output, all else beside it. */
import { createInterface } from 'node:readline/promises'
import { ok, type Result } from '../../src/base/result.ts'
import { mayShare } from '../../src/models/license.ts'
import type { SessionView } from '../../src/peer/models/session-view.ts'
import type { NodeHandle } from '../../src/peer/view.ts'
import { prepareTalk, type PreparedTalk } from '../prepare-talk.ts'
import { writeReceipts } from '../result-files.ts'
import { runTalk, sourceOf, type TalkEnd, type TalkFollower } from '../run-talk.ts'
import { talkPlan, talkPlanInWords } from '../talk-plan.ts'
import { talkInWords, talkReport } from '../talk-report.ts'
import { bold, note, progressDone, progressPart, say, short, span, writeJson } from '../terminal.ts'
import { folderProblem } from '../whole-file.ts'
import { answer } from './answer.ts'
import { EXIT, pairs, usage, type Args, type Flags, type Usage } from './args.ts'
import { failed } from './outcome.ts'

export const TALKING_FLAGS: Flags = {
  share: {
    type: 'boolean',
    help: 'for run: generate: you may pass the model on, whatever its license says',
  },
}

const outOf = (args: Args): string => args.text('out') ?? 'out'

/** @error usage */
export const prepareAskedTalk = async (
  args: Args,
  spec: string,
): Promise<Result<PreparedTalk, Usage>> => {
  const files = pairs('input', args.texts('input'))
  if (!files.ok) return files
  const budget = args.text('budget')
  const more = budget === undefined ? {} : { budget }
  const prepared = await prepareTalk(spec, args.texts('set'), files.value, more)
  if (!prepared.ok) return usage(prepared.error.text)
  const problem = folderProblem(outOf(args))
  return problem === null ? prepared : usage(`--out: ${problem}`)
}

export const talkPlanned = (prepared: PreparedTalk, nodes: number, args: Args): number => {
  const plan = talkPlan(prepared, nodes)
  if (plan === null) return failed({ code: 'bad-model', detail: 'its sizes make no model' })
  const words = talkPlanInWords(plan, prepared.spec.budget === 0)
  return answer(words, args.text('json'), plan) ? EXIT.done : EXIT.failed
}

/** Nobody is given a model whose license does not clearly allow it, unless somebody says so. @error usage */
export const shared = async ({ model }: PreparedTalk, args: Args): Promise<Result<null, Usage>> => {
  const may = mayShare(model.license)
  if (may.kind === 'yes' || args.on('share')) return ok(null)
  if (process.stdin.isTTY === true && process.stderr.isTTY === true) {
    const asking = createInterface({ input: process.stdin, output: process.stderr })
    const said = await asking.question(`${may.why}\nMay you pass it on? [y/N] `)
    asking.close()
    if (/^y(es)?$/i.test(said.trim())) return ok(null)
  }
  return usage(`${may.why} Say --share where you may pass it on.`)
}

/** Asks, and gives the account of it that was asked for. */
export const askTalk = async (
  handle: NodeHandle,
  prepared: PreparedTalk,
  args: Args,
  stop: AbortSignal,
): Promise<number> => {
  const json = args.text('json')
  const source = await sourceOf(prepared, (done, all) =>
    progressPart(done, all, 'of the model read'),
  )
  progressDone()
  if (!source.ok) return failed(source.error)
  note(`${bold(prepared.model.name)}: ${prepared.model.config.layers} layers`)
  const shows = json !== '-'
  const follower = follow(prepared.spec.prompt, shows)
  const ended = await runTalk(handle, source.value, prepared, follower, stop)
  progressDone()
  if (!ended.ok) return failed(ended.error)
  const report = talkReport(prepared, ended.value)
  if (shows) process.stdout.write(ended.value.ids.length > 0 ? '\n\n' : '')
  if (shows) process.stdout.write(`${talkInWords(report)}\n`)
  const written = writeJson(json, report)
  const kept = writeReceipts(null, ended.value.entries, outOf(args))
  if (!kept.ok) say(`swarm: ${kept.error.detail} (${kept.error.code})`)
  return codeOf(ended.value, written && kept.ok)
}

const codeOf = ({ session, problem }: TalkEnd, isWritten: boolean): number => {
  if (session.state === 'stopped') {
    say('interrupted; what has come is paid')
    return EXIT.interrupted
  }
  if (problem === null) return isWritten ? EXIT.done : EXIT.failed
  say(`swarm: ${problem.text.replace(/\.$/, '')} (${problem.code})`)
  return NOBODY.includes(problem.code) ? EXIT.nobody : EXIT.failed
}
const NOBODY = ['nobody-came', 'no-room', 'no-replacement', 'no-nodes', 'free-tier-used-up']

/** Status goes to standard error, and only to a terminal; a text that began keeps its line. */
const follow = (prompt: string, shows: boolean): TalkFollower => {
  let began = false
  let holders = ''
  let lost = 0
  const write = (text: string): void => {
    if (shows) process.stdout.write(harmless(text))
  }
  const aside = (text: string): void => note(began ? `\n${text}` : text)
  const begin = (): void => {
    if (began || !shows) return
    progressDone()
    write(prompt)
    began = true
  }
  return {
    seen(session) {
      loading(session)
      const now = session.stages.map(({ node, from, to }) => `${node} ${from} ${to}`).join()
      if (now !== holders && session.stages.every(({ node }) => node !== null)) {
        holders = now
        progressDone()
        for (const { index, from, to, node } of session.stages)
          aside(`stage ${index}: layers ${span(from, to)} on ${short(node!)}`)
      }
      for (const { stage, code, lost: who } of session.recoveries.slice(lost))
        aside(`${short(who)} is lost (${code}); stage ${stage} moves`)
      lost = session.recoveries.length
    },
    text(text) {
      begin()
      write(text)
    },
    rewound(kept, text) {
      aside(`a node answered wrongly: after token ${kept} all is drawn anew`)
      if (began) write(`\n${prompt}${text}`)
    },
  }
}

/** A model may say anything, also what a terminal takes for orders; files and pipes get it as it is. */
const harmless = (text: string): string =>
  process.stdout.isTTY === true ? text.replaceAll(/[^\P{Cc}\n\t]/gu, '') : text

const loading = ({ state, stages }: SessionView): void => {
  if (state === 'calling') return progressPart(0, 1, 'of the layers: asking nodes')
  if (state !== 'loading') return
  const done = stages.reduce((sum, { permille }) => sum + permille, 0)
  progressPart(done, 1_000 * stages.length, 'of the layers are with nodes')
}
