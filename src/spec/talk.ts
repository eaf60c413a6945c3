/**
 * A spec with `run: generate`: a text that a language model goes on with. It is not cut into tasks, so it is read
 * here and not as a program: which nodes hold which layers is settled while it runs.
 */
import type { Cid, JobId } from '../base/ids.ts'
import { err, ok, type Result } from '../base/result.ts'
import type { MicroCredits } from '../base/units.ts'
import type { Sampling } from '../models/sampling.ts'
import { cidOf } from '../wire/codec.ts'
import { readDocument, type Document } from './document.ts'
import { mapping, optional } from './field.ts'
import { withOverrides, type Overrides } from './override.ts'
import { newReport, type Report, type SpecError } from './spec-error.ts'
import { BUDGET, HEAD_FIELDS, linesOf, runOf, type Spec } from './spec.ts'
import { SAMPLING_UNIT, TALK_PARAMS } from './talk-params.ts'
import { readYaml, type Mapping } from './tree.ts'

export type TalkSpec = Pick<Spec, 'cid' | 'name' | 'title' | 'budget' | 'file' | 'lines'> & {
  /** Where the asker has the model; empty where that is still to be said. */
  readonly model: string
  readonly prompt: string
  /** New tokens at most. */
  readonly tokens: number
  readonly sampling: Sampling
  readonly seed: number
  /** Nodes to spread over; 0 for as many as there are, and make it faster. */
  readonly stages: number
}

/** Whether a file asks a language model; what else it says is read by `parseTalk` then, and by `parseSpec` else. */
export const isTalk = (content: string | Uint8Array): boolean => {
  const document = readDocument('', content)
  if (!document.ok) return false
  const root = readYaml(document.value.frontMatter, '', document.value.line, newReport())
  return root?.kind === 'map' && runOf(root) === 'generate'
}

/** Reads it. `file` is only for messages; `overrides` are applied before anything is checked. */
export const parseTalk = (
  content: string | Uint8Array,
  file: string,
  overrides: Overrides = {},
): Result<TalkSpec, SpecError[]> => {
  const document = readDocument(file, content)
  if (!document.ok) return document
  const report = newReport()
  const root = readYaml(document.value.frontMatter, file, document.value.line, report)
  if (root?.kind === 'map' && runOf(root) === 'generate') {
    const talk = readTalk(root, document.value, file, overrides, report)
    if (talk !== undefined && report.errors.length === 0) return ok(talk)
  } else if (report.errors.length === 0) {
    report.add('wrong-type', { file, line: 1 }, 'run', 'generate', 'something else')
  }
  return err(report.errors.toSorted((a, b) => a.line - b.line))
}

/** What a spec without `params` asks for. */
const NOTHING = {
  model: '',
  prompt: '',
  tokens: TALK_PARAMS.tokens.fallback!,
  sampling: TALK_PARAMS.sampling.fallback!,
  temperature: null,
  'top-k': null,
  'top-p': null,
  seed: 0,
  stages: 0,
}
const FIELDS = { ...HEAD_FIELDS, params: optional(mapping(TALK_PARAMS), NOTHING), budget: BUDGET }

const readTalk = (
  tree: Mapping,
  { fences }: Document,
  file: string,
  overrides: Overrides,
  report: Report,
): TalkSpec | undefined => {
  for (const { id, line } of fences)
    report.add('bad-fence', { file, line }, `fence #${id}`, 'none, for a model is asked', 'one')
  const root = withOverrides(tree, overrides, 'generate', report)
  const head = mapping(FIELDS, 'x-')(root, '', report)
  if (head === undefined) return undefined
  const { name, title, budget, params } = head
  const { model, prompt, tokens, seed, stages } = params
  const numbers = {
    temperature: params.temperature ?? params.sampling.temperature,
    topK: params['top-k'] ?? params.sampling['top-k'],
    topP: params['top-p'] ?? params.sampling['top-p'],
  }
  const asked = { prompt, tokens, seed, stages }
  const contract = { name, title: title || name, ...asked, budget }
  const cid = cidOf({ v: 1, kind: 'spec', run: 'generate', sampling: numbers, ...contract })
  const sampling = {
    temperature: numbers.temperature / SAMPLING_UNIT,
    topK: numbers.topK,
    topP: numbers.topP / SAMPLING_UNIT,
  }
  return { cid, ...contract, model, sampling, file, lines: linesOf(root) }
}

export type AskedTalk = {
  readonly model: { readonly name: string; readonly root: Uint8Array }
  readonly promptIds: readonly number[]
  readonly tokens: number
  readonly sampling: Sampling
  readonly seed: number
  readonly budget: MicroCredits
}

/**
 * The name of what is asked, which its receipts carry: the same for a spec, a program and the page. Where a model lies
 * and how many nodes share it is not in it, as neither changes the text.
 */
export const talkJob = (asked: AskedTalk): JobId => {
  const { model, promptIds, tokens, sampling, seed, budget } = asked
  const millionths = (x: number): number => Math.round(x * SAMPLING_UNIT)
  const { temperature, topK, topP } = sampling
  const id: Cid = cidOf({
    ...{ v: 1, kind: 'generate', model, prompt: promptIds, tokens, seed, budget },
    sampling: { temperature: millionths(temperature), topK, topP: millionths(topP) },
  })
  return id as JobId
}
