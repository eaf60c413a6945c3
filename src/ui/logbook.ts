/**
 * What happened, in words: two views of the node, one after the other, become the lines of a log. It
 * says what a person would ask about afterwards: why it paused, what was earned, who came and went.
 */
import type { DonateView, JobView, View } from '../peer/view.ts'
import { credits, plural, price } from './format.ts'
import { taskWords } from './kinds.ts'
import { nickname } from './nickname.ts'
import { problemWords } from './problems.ts'
import { sentence } from './sentence.ts'
import { JOB_WORDS, PAUSE_WORDS, whyWords } from './words.ts'

export type LogLine = {
  readonly id: number
  /** By the clock of this device. */
  readonly at: number
  readonly text: string
  readonly tone: 'usual' | 'good' | 'bad'
  /** Receipts of one kind from one person: the next ones are added to the same line. */
  readonly tally?: Tally
}
type Tally = { readonly of: string; readonly count: number; readonly micro: number }
type Line = Omit<LogLine, 'id' | 'at'>

/** About a day of light work. A page that runs for weeks must not grow for weeks. */
export const LOG_MAX = 500
/** The same words within so many lines and so long are not said again. */
const AGAIN = 3
const AGAIN_MS = 60_000
/** A job of thousands of units would push out everything else: of one moment only so much is told one by one. */
const EACH_MAX = 8

const usual = (text: string): Line => ({ text, tone: 'usual' })
const good = (text: string): Line => ({ text, tone: 'good' })
const bad = (text: string): Line => ({ text, tone: 'bad' })

/** One by one while they are few, else as a number. */
const each = <T>(
  items: readonly T[],
  one: (item: T) => Line,
  many: (items: readonly T[]) => Line,
): readonly Line[] => (items.length > EACH_MAX ? [many(items)] : items.map(one))

const STATES: Readonly<Record<DonateView['state'], string>> = {
  idle: 'Stopped. Nothing runs.',
  measuring: 'Measuring this device for three seconds.',
  ready: 'Ready for work.',
  working: 'Ready for work.',
  paused: 'Paused.',
  finishing: 'Finishing this task, then stopping.',
}

const lending = (was: DonateView, is: DonateView): readonly Line[] => {
  const lines: Line[] = []
  const at = (state: DonateView['state']): string => (state === 'working' ? 'ready' : state)
  if (is.pause !== null && is.pause !== was.pause) lines.push(usual(PAUSE_WORDS[is.pause]))
  else if (at(is.state) !== at(was.state))
    lines.push(usual(was.state === 'paused' ? 'Running again.' : STATES[is.state]))
  if (is.share !== was.share) lines.push(usual(`Share set to ${Math.round(is.share * 100)} %.`))
  const begun = is.now
  if (begun && begun.job !== was.now?.job)
    lines.push(usual(`Working for ${nickname(begun.requester)}: ${begun.title}.`))
  const back = is.handedBack - was.handedBack
  if (back > 0) lines.push(usual(back === 1 ? 'A task was handed back.' : `${back} handed back.`))
  return lines
}

const jobLines = (was: JobView | undefined, is: JobView): readonly Line[] => {
  if (!was) return [usual(`${is.title}: handed to the swarm.`)]
  const lines: Line[] = []
  if (was.state !== is.state && was.state !== 'planning') {
    const why = is.problem ? ` ${sentence(is.problem.text)}` : ''
    const paid = is.state === 'done' && is.spent > 0 ? ` ${credits(is.spent)} credits paid.` : ''
    const line = `${is.title}: ${JOB_WORDS[is.state]}.${why}${paid}`
    lines.push(is.state === 'done' ? good(line) : is.state === 'failed' ? bad(line) : usual(line))
  }
  const wrong = is.tasks.filter(
    ({ state, index }) => state === 'rejected' && was.tasks[index]?.state !== 'rejected',
  )
  if (wrong.length > 0)
    lines.push(bad(`${is.title}: a wrong result came; the unit goes to another node.`))
  return [...lines, ...handedBack(was, is)]
}

/** Units that came to nothing without anybody having lied: they are queued again. */
const handedBack = (was: JobView, is: JobView): readonly Line[] => {
  const reasons = new Map<string, number>()
  for (const { why, state, index } of is.tasks) {
    if (why === null || state === 'rejected' || why === was.tasks[index]?.why) continue
    reasons.set(why, (reasons.get(why) ?? 0) + 1)
  }
  return [...reasons].map(([why, count]) =>
    usual(
      `${is.title}: ${plural(count, 'unit', 'units')} handed back and queued again. ${whyWords(why)}`,
    ),
  )
}

const people = (was: View, is: View): readonly Line[] => {
  const linked = (view: View): Map<string, View['nodes'][number]> =>
    new Map(
      view.nodes
        .filter((node) => !node.self && node.link !== 'none')
        .map((node) => [node.peer, node]),
    )
  const [before, after] = [linked(was), linked(is)]
  const came = [...after.values()].filter((node) => !before.has(node.peer))
  const gone = [...before.values()].filter((node) => !after.has(node.peer))
  const moved = [...after.values()].filter(
    (node) => before.has(node.peer) && before.get(node.peer)?.link !== node.link,
  )
  const name = (node: View['nodes'][number]): string => nickname(node.account)
  return [
    ...each(
      came,
      (node) => usual(`${name(node)} is linked, ${node.link}.`),
      (all) => usual(`${all.length} nodes are linked.`),
    ),
    ...each(
      moved,
      (node) => usual(`The link to ${name(node)} is ${node.link} now.`),
      (all) => usual(`${all.length} links changed their path.`),
    ),
    ...each(
      gone,
      (node) => usual(`${name(node)} left.`),
      (all) => usual(`${all.length} nodes left.`),
    ),
  ]
}

const REACH: Readonly<Record<View['reachability']['kind'], Line>> = {
  connecting: usual('Looking for the relay.'),
  reachable: usual('The relay is reachable.'),
  'no-relay': bad('The relay cannot be reached.'),
  'no-webrtc': usual('Connected through the relay only.'),
  offline: bad('No network.'),
}

const tallied = (tally: Tally): Line => {
  const { of, count, micro } = tally
  const sum = price(micro, (amount) => `+${amount} credits`)
  const text = `${of}: ${count === 1 ? 'receipt' : `${count} receipts`}, ${sum}.`
  return { ...good(text), tally }
}

/** What was earned. What was paid is said with the job, in one sum. */
const receipts = (was: View, is: View): readonly Line[] => {
  const [before, after] = [was.wallet.receipts, is.wallet.receipts]
  // Nothing was added: a wallet may hold thousands, and this is asked ten times a second.
  if (before.length === after.length && before.at(-1)?.cid === after.at(-1)?.cid) return []
  const known = new Set(before.map(({ cid }) => cid))
  const tallies = new Map<string, Tally>()
  for (const { cid, role, signed } of after) {
    if (role !== 'worker' || known.has(cid)) continue
    const { kernel, requester, microCredits } = signed.body
    const of = `${taskWords(kernel)} for ${nickname(requester)}`
    const { count, micro } = tallies.get(of) ?? { count: 0, micro: 0 }
    tallies.set(of, { of, count: count + 1, micro: micro + microCredits })
  }
  return [...tallies.values()].map(tallied)
}

export const happened = (was: View, is: View): readonly Line[] => {
  if (was === is) return []
  const jobs = new Map(was.jobs.map((job) => [job.id, job]))
  const codes = new Set(was.problems.map(({ code }) => code))
  const left = was.jobs.filter(({ id }) => !is.jobs.some((job) => job.id === id))
  return [
    ...(was.reachability.kind === is.reachability.kind ? [] : [REACH[is.reachability.kind]]),
    ...people(was, is),
    ...lending(was.donate, is.donate),
    ...receipts(was, is),
    ...is.jobs.flatMap((job) => jobLines(jobs.get(job.id), job)),
    ...left.map((job) => usual(`${job.title}: deleted from this device.`)),
    ...is.problems.filter(({ code }) => !codes.has(code)).map((one) => bad(problemWords(one))),
  ]
}

/** The log with these lines at its end; the oldest make room. */
export const logged = (
  log: readonly LogLine[],
  lines: readonly Line[],
  at: number,
): readonly LogLine[] => {
  if (lines.length === 0) return log
  const next = [...log]
  for (const line of lines) {
    const last = next.at(-1)
    // Between two tasks of one job there is a moment with nothing to do: that is no new beginning.
    if (next.slice(-AGAIN).some((one) => one.text === line.text && at - one.at < AGAIN_MS)) continue
    const [old, more] = [last?.tally, line.tally]
    if (last && old && more && old.of === more.of) {
      const sum = { of: old.of, count: old.count + more.count, micro: old.micro + more.micro }
      next[next.length - 1] = { ...tallied(sum), id: last.id, at }
    } else next.push({ ...line, id: (last?.id ?? 0) + 1, at })
  }
  return next.slice(-LOG_MAX)
}
