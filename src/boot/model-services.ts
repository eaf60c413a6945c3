/** Language models for the interface: opened, measured, asked. */
import { err, ok, type Result } from '../base/result.ts'
import { mayShare } from '../models/license.ts'
import { beginText, checkText, type TextAsked } from '../peer/models/text-talk.ts'
import type { NodeHandle, Problem } from '../peer/view.ts'
import { isTalk, parseTalk } from '../spec/talk.ts'
import type { PortError } from '../ports.ts'
import type { OpenModel } from '../ui/model-services.ts'
import type { Services } from '../ui/services.ts'
import { firstProblem } from './first-problem.ts'
import { openLanguageModel, type LanguageModel } from './language-model.ts'

const inWords = ({ code, detail }: PortError): Problem => ({ code, text: detail })

const TITLE_MAX = 80

const doubtOf = (license: string): string | null => {
  const may = mayShare(license)
  return may.kind === 'yes' ? null : may.why
}

export const modelServices = (handle: NodeHandle): Pick<Services, 'openModel' | 'openTalk'> => ({
  async openModel(files) {
    const opened = await openLanguageModel(files)
    return opened.ok ? ok(openedModel(handle, opened.value)) : err(inWords(opened.error))
  },
  async openTalk({ name, text }) {
    if (!isTalk(text)) return null
    const parsed = parseTalk(text, name)
    if (!parsed.ok) return err(firstProblem(parsed.error))
    const { prompt, tokens, sampling, seed, stages, budget } = parsed.value
    return ok({ prompt, tokens, seed, stages, budget, ...sampling })
  },
})

const openedModel = (handle: NodeHandle, { model, bytes, source }: LanguageModel): OpenModel => {
  const { config, tokenizer, name, license } = model
  return {
    ...{ name, bytes, license, layers: config.layers, context: config.context },
    doubt: doubtOf(license),
    measure(prompt): Result<number, Problem> {
      const read = checkText({ config, tokenizer, prompt, sampling: ANY })
      return read.ok ? ok(read.value.length) : err(inWords(read.error))
    },
    goOn({ prompt, tokens, seed, stages, budget, ...sampling }, news) {
      let stop = (): void => void (isWanted = false)
      let isWanted = true
      const asked: TextAsked = {
        ...{ config, tokenizer, prompt, tokens, sampling, seed, stages, budget },
        title: prompt.trim().slice(0, TITLE_MAX) || name,
      }
      void source(news.naming).then((made) => {
        if (!isWanted) return
        if (!made.ok) return news.ended(inWords(made.error))
        const began = beginText(handle, made.value, asked, {
          piece: ({ text }) => news.piece(text),
          rewound: news.rewound,
          ended: news.ended,
        })
        if (!began.ok) return news.ended(inWords(began.error))
        news.began(began.value.session)
        stop = () => handle.stopTalk(began.value.session)
      })
      return () => stop()
    },
  }
}

/** What is drawn does not change how long a prompt is. */
const ANY = { temperature: 0, topK: 0, topP: 1 }
