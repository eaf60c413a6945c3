/** The sentences. Short, unheroic, exact: one cause, one action. */
import type {
  DonateView,
  JobState,
  JobView,
  Limits,
  NodeView,
  PauseReason,
  TaskView,
  View,
} from '../peer/view.ts'
import { count, duration } from './format.ts'
import type { Senses } from './services.ts'
import { problemWords } from './problems.ts'
import { listed, sentence } from './sentence.ts'
import { MARK_NAMES, MARK_OF } from './sheet.ts'

export const PAUSE_WORDS: Readonly<Record<PauseReason, string>> = {
  'paused-by-you': 'Paused by you.',
  finishing: 'Finishing this task, then stopping.',
  hidden: 'Paused: this tab is hidden.',
  'on-battery': 'Paused: on battery.',
  metered: 'Paused: metered connection.',
  'too-warm': 'Paused: the device is too warm.',
  'device-lost': 'Paused: the graphics driver restarted.',
  offline: 'Paused: no connection.',
  'update-waiting': 'Paused: an update is being put in.',
}

/** One word for the strip. */
export const stateWord = (donate: DonateView): string => {
  switch (donate.state) {
    case 'idle':
      return 'Stopped'
    case 'measuring':
      return 'Measuring'
    case 'ready':
      return 'Waiting'
    case 'working':
      return 'Working'
    case 'paused':
      return 'Paused'
    case 'finishing':
      return 'Finishing'
  }
}

export const JOB_WORDS: Readonly<Record<JobState, string>> = {
  planning: 'planning',
  running: 'running',
  'waiting-for-nodes': 'waiting for nodes',
  paused: 'paused',
  done: 'done',
  failed: 'failed',
  cancelled: 'cancelled',
}

export const ADAPTER_WORDS: Readonly<Record<NodeView['adapter'], string>> = {
  gpu: 'GPU',
  software: 'software adapter',
  cpu: 'processor only',
}

export const LINK_WORDS: Readonly<Record<NodeView['link'], string>> = {
  direct: 'direct',
  relayed: 'relayed',
  none: 'no link',
}

const CHECKS: Readonly<Record<string, string>> = {
  freivalds: 'Freivalds, with a secret x',
  'bit-equality': 'sampled, equal to the bit',
  sampled: 'sampled, recomputed in float64',
  recompute: 'computed again in full',
  'op-by-op': 'operator by operator',
  replicas: 'agreed between nodes',
}
export const checkWords = (check: string | null, kernel = ''): string => {
  // Layers are done again as they are done, in float32.
  if (kernel.startsWith('stage@')) return 'sampled, done again by the one who asked'
  return check === null ? 'not checked yet' : (CHECKS[check] ?? check)
}

/** Why a result did not count. Codes of the verifier and the dispatcher; others are shown as they are. */
const WHYS: Readonly<Record<string, string>> = {
  'wrong-result':
    'The result was wrong. That is likely an unstable GPU or driver, or a dishonest node.',
  rejected: 'The result was wrong. That is likely an unstable GPU or driver, or a dishonest node.',
  'lease-expired': 'The node fell silent.',
  silent: 'The node fell silent.',
  overdue: 'The node was alive but gave no result in time.',
  unchecked: 'The result could not be checked here in time.',
  'no-answer': 'The node did not answer.',
  'node-left': 'The node left.',
  'handed-back': 'The node handed it back: its owner stopped or paused it.',
  'too-slow': 'The inputs did not arrive in time.',
  'device-lost': 'The graphics driver of that node restarted.',
  'out-of-budget': 'It needs more memory than that node lends.',
  'not-what-was-committed': 'The result was not the one the node had committed to.',
  outvoted: 'Other nodes agreed on another result.',
}
/** Refusals of a node that was asked, as what its owner or its device says. */
const REFUSED: Readonly<Record<string, string>> = {
  busy: 'it has enough to do',
  paused: 'it is paused',
  'no-skill': 'it does not run this kind of work',
  'not-welcome': 'its owner does not take such work',
  'too-big': 'it lends less memory than the unit needs',
  'price-too-low': 'it asks for more than the price',
  'no-credit': 'it does not see that it can be paid',
  'free-tier-used-up': 'its part for free work is used up for now',
  'wgsl-not-allowed': 'its owner does not allow shaders of others',
}
const ASKED = 'refused: '
export const whyWords = (why: string): string => {
  if (!why.startsWith(ASKED)) return WHYS[why] ?? why
  const code = why.slice(ASKED.length)
  return `The node did not take it: ${REFUSED[code] ?? code}.`
}

/** The state of a unit in words that a screen reader says well. */
export const unitWords = (task: TaskView, node: string | null): string => {
  const state =
    task.state === 'waiting' ? 'waiting for other units' : MARK_NAMES[MARK_OF[task.state]]
  const by = node === null ? '' : `, ${node}`
  const part = task.state === 'computing' ? `, ${Math.round(task.permille / 10)} %` : ''
  return `unit ${task.index + 1}, ${state}${part}${by}`
}

/**
 * What pauses a node under these limits, and what of it this browser cannot notice: a promise that it
 * cannot keep would be worse than none. Heat is told by the processor's load, so it says something of
 * work on a GPU only.
 */
export const pauseWords = (limits: Limits, senses: Senses, gpu: boolean): string => {
  const wanted = [
    { on: limits.pauseWhenHidden, felt: true, when: 'in a hidden tab', what: '' },
    {
      on: limits.pauseOnBattery,
      felt: senses.battery,
      when: 'on battery',
      what: 'whether it is on battery',
    },
    {
      on: limits.pauseOnMetered,
      felt: senses.metered,
      when: 'on a metered connection',
      what: 'whether the connection is metered',
    },
    { on: gpu, felt: senses.warmth, when: 'when the device is too warm', what: 'how warm it is' },
  ].filter(({ on }) => on)
  const felt = wanted.filter((one) => one.felt).map(({ when }) => when)
  const unfelt = wanted.filter((one) => !one.felt).map(({ what }) => what)
  const pauses = sentence(
    felt.length === 0 ? 'when you press Pause' : listed([...felt, 'when you press Pause'], 'or'),
  )
  return unfelt.length === 0
    ? pauses
    : `${pauses} This browser does not tell ${listed(unfelt, 'or')}.`
}

export const stopWords = (limits: Limits): string => {
  const byItself = limits.stopAfterMinutes > 0
  return byItself
    ? `When you press Stop or close the tab; by itself after ${duration(limits.stopAfterMinutes * 60_000)}.`
    : 'When you press Stop or close the tab. Not by itself.'
}

/** Links in words: what works and what does not. Null where all is well. */
export const reachWords = (
  view: Pick<View, 'reachability' | 'nodes'>,
  relayedOnly: boolean,
): string | null => {
  const others = view.nodes.filter((node) => !node.self)
  const peers = others.filter((node) => node.link !== 'none').length
  const direct = others.filter((node) => node.link === 'direct').length
  switch (view.reachability.kind) {
    case 'connecting':
      return 'Looking for the relay.'
    case 'reachable':
      if (peers > 0 && direct === 0)
        return 'No direct path to any node. Work goes through the relay: slower, and the relay carries only so much.'
      if (others.length > 0) return null
      return 'The relay is reachable; no other node is here yet.'
    case 'no-relay':
      return peers === 0
        ? 'The relay cannot be reached and no node is linked. It is tried again by itself. Your jobs, results and receipts can still be read and saved.'
        : `The relay cannot be reached. ${peers === 1 ? 'One direct link still works' : `${count(peers)} direct links still work`}; new ones have to wait for it.`
    case 'no-webrtc':
      return relayedOnly
        ? 'Only through the relay, as you set it: other nodes do not see your IP address. Work is slower, and the relay carries only so much.'
        : 'This browser makes no direct links (WebRTC is off or blocked). Work goes through the relay: slower, and the relay carries only so much.'
    case 'offline':
      return 'No network. Your jobs, results and receipts can still be read and saved; running jobs go on when it is back.'
  }
}

/** Said politely when it changes; the part a person who does not look would want to know. */
export const announce = (before: View, after: View): string | null => {
  const [was, is] = [before.donate, after.donate]
  if (is.pause !== was.pause && is.pause !== null) return PAUSE_WORDS[is.pause]
  if (is.state !== was.state) {
    if (is.state === 'idle') return 'Stopped. Nothing runs.'
    if (is.state === 'measuring') return 'Measuring this device for three seconds.'
    if (was.state === 'measuring' || was.state === 'idle') return 'Ready for work.'
    if (was.state === 'paused') return 'Running again.'
  }
  for (const job of after.jobs) {
    const old = before.jobs.find((other) => other.id === job.id)
    if (old && old.state !== job.state && old.state !== 'planning')
      return `${job.title}: ${JOB_WORDS[job.state]}.`
  }
  const problem = after.problems.find(
    (one) => !before.problems.some((other) => other.code === one.code),
  )
  return problem ? problemWords(problem) : null
}

/** Done units of all, in words. */
export const progressWords = (job: JobView): string =>
  job.state === 'planning' ? 'planning' : `${job.verified} of ${job.tasks.length}`
