/** A text that a language model went on with, as other programs and people read it. */
import type { StageView } from '../src/peer/models/session-view.ts'
import type { PreparedTalk } from './prepare-talk.ts'
import type { TalkEnd } from './run-talk.ts'
import { credits, plural, short, span, table } from './terminal.ts'

export type TalkReport = ReturnType<typeof talkReport>

/** Times of nodes are rounded up to powers of two where they are measured, so that they do not tell devices apart. */
export const talkReport = ({ spec, model }: PreparedTalk, end: TalkEnd) => {
  const { session, timing } = end
  return {
    ...{ job: end.job, spec: spec.cid, state: session.state, problem: end.problem },
    model: { name: model.name, id: session.model.id, layers: model.config.layers },
    ...{ requester: end.requester, prompt: spec.prompt, tokens: spec.tokens },
    ...{ sampling: spec.sampling, seed: spec.seed },
    ...{ promptIds: end.promptIds, ids: end.ids, text: end.text },
    logitsAfterPrompt: [...(end.logitsAfterPrompt ?? [])],
    stages: session.stages.map(stageReport),
    recoveries: session.recoveries,
    tokensPerSecond: session.tokensPerSecond,
    timing: { ...timing, perToken: session.time },
    spent: session.spent,
    receipts: end.entries.map(({ cid }) => cid),
  }
}

const stageReport = (stage: StageView) => {
  const { index, from, to, node, state, here, given, others } = stage
  const { computeMs, audited, microCredits, paid } = stage
  return {
    ...{ index, from, to, node, state, bytes: { here, given, others } },
    ...{ computeMs, audited, microCredits, paid },
  }
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`

const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(2)

export const talkInWords = (report: TalkReport): string => {
  const { stages, recoveries, tokensPerSecond, timing, ids } = report
  const speed = tokensPerSecond === null ? '' : `, ${tokensPerSecond.toFixed(2)} a second`
  const { perToken, firstTokenMs } = timing
  const isShort = report.state === 'done' && ids.length < report.tokens
  const first = firstTokenMs === null ? '' : `, the first after ${seconds(firstTokenMs)}`
  const spread = table(
    [
      ...['stage', 'layers', 'node', 'MiB here', 'given', 'others'],
      ...['compute ms', 'audited', 'credits'],
    ],
    stages.map(({ index, from, to, node, bytes, computeMs, audited, microCredits }) => [
      ...[String(index), span(from, to), node === null ? 'none' : short(node)],
      ...[mib(bytes.here), mib(bytes.given), mib(bytes.others)],
      ...[computeMs === null ? '-' : String(computeMs), String(audited), credits(microCredits)],
    ]),
  )
  return [
    ...(stages.length === 0 ? [] : [spread]),
    ...recoveries.map(
      ({ stage, lost, code, ms, replayed }) =>
        `${short(lost)} was lost (${code}): stage ${stage} moved, ${replayed} tokens told again, ${ms} ms`,
    ),
    '',
    `${plural(ids.length, 'token')}${speed}${first}; all in ${seconds(timing.totalMs)}`,
    ...(perToken === null
      ? []
      : [
          `a token: ${perToken.compute.toFixed(0)} ms computing, ${perToken.between.toFixed(0)} ms between nodes, ${perToken.here.toFixed(0)} ms here`,
        ]),
    ...(isShort ? ['it ends here: the model ended its answer, or looks back no further'] : []),
    `${credits(report.spent)} credits, ${plural(report.receipts.length, 'receipt')}; ${report.state}`,
  ].join('\n')
}
