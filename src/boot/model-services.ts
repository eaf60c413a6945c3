/** Language models for the interface: opened, measured, asked. */
import { toHex } from '../base/bytes.ts'
import { err, ok, type Result } from '../base/result.ts'
import { mayShare } from '../models/license.ts'
import { beginText, checkText, type TextAsked } from '../peer/models/text-talk.ts'
import type { ModelSource } from '../peer/models/session-view.ts'
import type { NodeHandle, Problem } from '../peer/view.ts'
import { isTalk, parseTalk } from '../spec/talk.ts'
import type { PortError } from '../ports.ts'
import { titleOf } from '../ui/model-services.ts'
import type { KeptText, OpenModel, TextNews, TextWish } from '../ui/model-services.ts'
import type { Services } from '../ui/services.ts'
import { firstProblem } from './first-problem.ts'
import { recorder, TEXT_LIMITS, type KeptTexts, type Recorder } from './kept-texts.ts'
import { openLanguageModel, type LanguageModel } from './language-model.ts'

const inWords = ({ code, detail }: PortError): Problem => ({ code, text: detail })

const doubtOf = (license: string): string | null => {
  const may = mayShare(license)
  return may.kind === 'yes' ? null : may.why
}

export const modelServices = (
  handle: NodeHandle,
  texts: KeptTexts,
): Pick<Services, 'openModel' | 'openTalk'> => ({
  async openModel(files) {
    const opened = await openLanguageModel(files)
    return opened.ok ? ok(openedModel(handle, opened.value, texts)) : err(inWords(opened.error))
  },
  async openTalk({ name, text }) {
    if (!isTalk(text)) return null
    const parsed = parseTalk(text, name)
    if (!parsed.ok) return err(firstProblem(parsed.error))
    const { prompt, tokens, sampling, seed, stages, budget } = parsed.value
    return ok({ prompt, tokens, seed, stages, budget, ...sampling })
  },
})

const openedModel = (
  handle: NodeHandle,
  { model, bytes, source }: LanguageModel,
  texts: KeptTexts,
): OpenModel => {
  const { config, tokenizer, name, license } = model
  /** @error other-model, where the text was begun with other weights */
  const begin = (
    made: ModelSource,
    given: TextWish,
    news: TextNews,
    from: KeptText | null,
  ): Result<{ readonly session: string; readonly record: Recorder }, Problem> => {
    const root = toHex(made.manifest.root)
    if (from !== null && from.model.root !== root)
      return err({ code: 'other-model', text: otherModel(from.model.name) })
    const { stages, budget } = given
    const wish = from === null ? given : { ...from.wish, stages, budget }
    const { prompt, tokens, seed, stages: _, budget: __, ...sampling } = wish
    const title = titleOf({ wish, text: from?.text ?? '', model: { name } })
    const asked: TextAsked = {
      ...{ config, tokenizer, title, prompt, tokens, sampling, seed, stages, budget },
      ...(from === null ? {} : { from }),
    }
    // What cannot even begin ends before there is anything to keep.
    let going: { readonly session: string; readonly record: Recorder } | null = null
    const began = beginText(handle, made, asked, {
      piece({ id, text }) {
        going?.record.piece(id, text)
        news.piece(text)
      },
      rewound(count, text) {
        going?.record.rewound(count, text)
        news.rewound(count, text)
      },
      ended(problem) {
        going?.record.ended(problem === null && !isStopped(handle, going.session))
        news.ended(problem)
      },
    })
    if (!began.ok) return err(inWords(began.error))
    const { session, job, promptIds } = began.value
    const first = from ?? fresh({ name, root }, wish, promptIds)
    const jobs = [...first.jobs, job].slice(-TEXT_LIMITS.jobs)
    const record = recorder(texts, { ...first, wish, jobs })
    going = { session, record }
    return ok(going)
  }
  return {
    ...{ name, bytes, license, layers: config.layers, context: config.context },
    doubt: doubtOf(license),
    measure(prompt): Result<number, Problem> {
      const read = checkText({ config, tokenizer, prompt, sampling: ANY })
      return read.ok ? ok(read.value.length) : err(inWords(read.error))
    },
    goOn(wish, news, from) {
      let stop = (): void => void (isWanted = false)
      let isWanted = true
      let record: Recorder | null = null
      void source(news.naming).then((made) => {
        if (!isWanted) return
        if (!made.ok) return news.ended(inWords(made.error))
        const began = begin(made.value, wish, news, from)
        if (!began.ok) return news.ended(began.error)
        const { session } = began.value
        record = began.value.record
        news.began(session)
        stop = () => handle.stopTalk(session)
      })
      return { stop: () => stop(), soFar: () => record?.soFar() ?? from }
    },
  }
}

/** One that was stopped ends without a problem, too, but can go on. */
const isStopped = (handle: NodeHandle, session: string): boolean =>
  handle.view().sessions.find(({ id }) => id === session)?.state === 'stopped'

const otherModel = (name: string): string =>
  `The text was begun with other weights: it goes on with those of ${name} only.`

const fresh = (
  model: KeptText['model'],
  wish: TextWish,
  promptIds: readonly number[],
): KeptText => {
  const beganAt = Date.now()
  const id = `${beganAt} ${crypto.randomUUID()}`
  return { id, beganAt, model, wish, jobs: [], promptIds, ids: [], text: '', over: false }
}

/** What is drawn does not change how long a prompt is. */
const ANY = { temperature: 0, topK: 0, topP: 1 }
