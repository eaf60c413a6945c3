/** A spec that asks a language model, and the model's files on disk: all that can be said before anybody is asked. */
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { err, ok, type Result } from '../src/base/result.ts'
import { openModel, type Model } from '../src/models/open-model.ts'
import { checkText } from '../src/peer/models/text-talk.ts'
import { parseSets, type Overrides } from '../src/spec/override.ts'
import { formatSpecErrors, specError } from '../src/spec/spec-error.ts'
import { lineOf } from '../src/spec/spec.ts'
import { isTalk, parseTalk, type TalkSpec } from '../src/spec/talk.ts'
import { openModelFiles } from './model-files.ts'
import type { BadInput } from './prepare-job.ts'

export type PreparedTalk = {
  readonly spec: TalkSpec
  readonly model: Model
  readonly promptIds: readonly number[]
  /** Closes the model's files. */
  close(): Promise<void>
}

const bad = (text: string): Result<never, BadInput> => err({ code: 'bad-input', text })

/** Whether a file asks a language model. One that cannot be read does not: whoever reads it next says why. */
export const asksModel = async (file: string): Promise<boolean> => {
  try {
    return isTalk(await readFile(file))
  } catch {
    return false
  }
}

/** @param files what `--input` named: the model may come so, too. @error bad-input */
export const prepareTalk = async (
  file: string,
  sets: readonly string[],
  files: Readonly<Record<string, string>>,
  more: Overrides,
): Promise<Result<PreparedTalk, BadInput>> => {
  const overrides = parseSets(sets)
  if (!overrides.ok) return bad(formatSpecErrors(overrides.error))
  const { model: given, ...strays } = files
  const [stray] = Object.keys(strays)
  if (stray !== undefined) return bad(`--input ${stray}: this spec has the input model`)
  const asked = { ...overrides.value, ...(given === undefined ? {} : { model: given }), ...more }
  const parsed = parseTalk(await readFile(file), basename(file), asked)
  if (!parsed.ok) return bad(formatSpecErrors(parsed.error))
  return opened(parsed.value)
}

const opened = async (spec: TalkSpec): Promise<Result<PreparedTalk, BadInput>> => {
  const refuse = (field: string, expected: string, found: string): Result<never, BadInput> => {
    const place = { file: spec.file, line: lineOf(spec, field) }
    return bad(formatSpecErrors([specError('bad-input', place, field, expected, found)]))
  }
  if (spec.model === '')
    return refuse('params.model', 'a GGUF file or a folder (--set model=PATH)', 'none')
  const files = await openModelFiles(spec.model)
  if (!files.ok) return refuse('params.model', 'a language model', files.error.detail)
  const { close, folder } = files.value
  const model = await openModel(files.value.files, folder)
  const read = model.ok ? checkText({ ...model.value, ...spec }) : null
  if (model.ok && read?.ok === true)
    return ok({ spec, model: model.value, promptIds: read.value, close })
  await close()
  if (!model.ok) {
    const { code, detail } = model.error
    return refuse('params.model', 'a language model', `${spec.model}: ${detail} (${code})`)
  }
  const { code, detail } = read?.ok === false ? read.error : { code: '', detail: '' }
  return refuse('params.prompt', 'a text that the model can go on with', `${detail} (${code})`)
}
