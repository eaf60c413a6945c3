/** The sentences. Short, unheroic, exact: one cause, one action. */
import type {
  DonateView,
  JobState,
  JobView,
  Limits,
  NodeView,
  PauseReason,
  Problem,
  TaskView,
  View,
} from '../peer/view.ts'
import { duration, plural } from './format.ts'
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
  freivalds: 'Freivalds: A(Bx) = Cx for a secret x',
  'bit-equality': 'sampled and recomputed, equal to the bit',
  sampled: 'sampled and recomputed in float64',
  recompute: 'computed again in full',
  replicas: 'agreed between nodes',
}
export const checkWords = (check: string | null): string =>
  check === null ? 'not checked yet' : (CHECKS[check] ?? check)

/** Why a result did not count. Codes of the verifier and the dispatcher; others are shown as they are. */
const WHYS: Readonly<Record<string, string>> = {
  'wrong-result':
    'The result was wrong. That is likely an unstable GPU or driver, or a dishonest node.',
  rejected: 'The result was wrong. That is likely an unstable GPU or driver, or a dishonest node.',
  'lease-expired': 'The node fell silent and the unit went to another.',
  silent: 'The node fell silent and the unit went to another.',
  'commitment-mismatch': 'The result was not the one the node had committed to.',
}
export const whyWords = (why: string): string => WHYS[why] ?? why

/** The state of a unit in words that a screen reader says well. */
export const unitWords = (task: TaskView, node: string | null): string => {
  const state =
    task.state === 'waiting' ? 'waiting for other units' : MARK_NAMES[MARK_OF[task.state]]
  const by = node === null ? '' : `, ${node}`
  const part = task.state === 'computing' ? `, ${Math.round(task.permille / 10)} %` : ''
  return `unit ${task.index + 1}, ${state}${part}${by}`
}

/** What pauses a node under these limits: "on battery, or when the device is too warm". */
export const pauseWords = (limits: Limits): string => {
  const parts = [
    ...(limits.pauseWhenHidden ? ['in a hidden tab'] : []),
    ...(limits.pauseOnBattery ? ['on battery'] : []),
    ...(limits.pauseOnMetered ? ['on a metered connection'] : []),
    'when the device is too warm',
  ]
  const last = parts.pop() ?? ''
  const text = parts.length === 0 ? last : `${parts.join(', ')}, or ${last}`
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}

export const stopWords = (limits: Limits): string => {
  const byItself = limits.stopAfterMinutes > 0
  return byItself
    ? `When you press Stop or close the tab; by itself after ${duration(limits.stopAfterMinutes * 60_000)}.`
    : 'When you press Stop or close the tab. Not by itself.'
}

/** Links in words: what works and what does not. Null where all is well. */
export const reachWords = (view: Pick<View, 'reachability' | 'nodes'>): string | null => {
  const peers = view.nodes.filter((node) => !node.self && node.link !== 'none').length
  switch (view.reachability.kind) {
    case 'connecting':
      return 'Looking for the relay.'
    case 'reachable':
      return peers === 0 ? 'The relay is reachable; no other node is here yet.' : null
    case 'no-relay':
      return peers === 0
        ? 'The relay cannot be reached and no node is linked. It is tried again by itself.'
        : `The relay cannot be reached. ${plural(peers, 'direct link', 'direct links')} still work.`
    case 'no-webrtc':
      return 'This browser gives no direct links (WebRTC is off or blocked), so it can neither take nor give work. Looking and exporting still work.'
    case 'offline':
      return 'No network. What is stored here can still be read and exported.'
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
    if (old && old.state !== job.state) return `${job.title}: ${JOB_WORDS[job.state]}.`
  }
  const problem = after.problems.find(
    (one) => !before.problems.some((other) => other.code === one.code),
  )
  return problem ? problem.text : null
}

/** Done units of all, in words. */
export const progressWords = (job: JobView): string =>
  job.state === 'planning' ? 'planning' : `${job.verified} of ${job.tasks.length}`

/** What can be done about a known problem; the sentence itself comes with the problem. */
export type Remedy = 'resume-half' | 'reload' | 'storage' | 'earn' | 'free-tier' | 'update' | null
export const remedyFor = (problem: Problem): Remedy => {
  switch (problem.code) {
    case 'device-lost':
      return 'resume-half'
    case 'quota-full':
    case 'storage-corrupt':
      return 'storage'
    case 'no-credit':
    case 'insufficient-credit':
      return 'earn'
    case 'version-too-old':
      return 'update'
    default:
      return null
  }
}
