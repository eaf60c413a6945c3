/**
 * The last texts that models went on with, as they lie in this browser: read back by schema, and written while tokens
 * come, so that a tab that is killed loses no more than what came in the last moment.
 */
import * as v from 'valibot'
import { lastRecords } from '../adapters/last-records.ts'
import type { JobId } from '../base/ids.ts'
import type { Result } from '../base/result.ts'
import type { MicroCredits } from '../base/units.ts'
import { remember } from '../core/recent.ts'
import type { PortError } from '../ports.ts'
import type { KeptText } from '../ui/model-services.ts'

export const TEXTS_NAME = 'swarmharness-texts'
export const TEXT_LIMITS = {
  texts: 8,
  /** Of prompt and answer; a longer text is not kept. */
  characters: 2 ** 20,
  tokens: 2 ** 18,
  /** Of one text; the last ones are known. */
  jobs: 32,
  /** Deleted ones that may still go on: far more than do. */
  forgotten: 64,
  /** How much may be lost with the tab. */
  restMs: 500,
} as const

const Whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const Text = v.pipe(v.string(), v.maxLength(TEXT_LIMITS.characters))
const Ids = v.pipe(v.array(Whole), v.maxLength(TEXT_LIMITS.tokens))
const Kept = v.strictObject({
  id: v.pipe(v.string(), v.maxLength(80)),
  beganAt: Whole,
  model: v.strictObject({ name: v.pipe(v.string(), v.maxLength(200)), root: v.string() }),
  wish: v.strictObject({
    prompt: Text,
    tokens: Whole,
    temperature: v.number(),
    topK: Whole,
    topP: v.number(),
    seed: Whole,
    stages: Whole,
    budget: v.pipe(
      Whole,
      v.transform((amount) => amount as MicroCredits),
    ),
  }),
  jobs: v.pipe(
    v.array(
      v.pipe(
        v.string(),
        v.transform((id) => id as JobId),
      ),
    ),
    v.maxLength(TEXT_LIMITS.jobs),
  ),
  promptIds: Ids,
  ids: Ids,
  text: Text,
  over: v.boolean(),
})

export type KeptTexts = {
  /** The newest one first. What cannot be read is not among them. */
  all(): Promise<Result<readonly KeptText[], PortError>>
  keep(text: KeptText): void
  forget(id: string): Promise<Result<null, PortError>>
  clear(): Promise<Result<null, PortError>>
}

export const keptTexts = (name = TEXTS_NAME): KeptTexts => {
  const records = lastRecords(name, TEXT_LIMITS.texts)
  /** A text that goes on while it is deleted stays deleted. */
  let clearedAt = -1
  const forgotten = new Map<string, true>()
  return {
    async all() {
      const found = await records.all()
      if (!found.ok) return found
      const read = found.value.flatMap(({ key, value }) => {
        const kept = v.safeParse(Kept, value)
        return kept.success && kept.output.id === key ? [kept.output] : []
      })
      return { ok: true, value: read.toReversed() }
    },
    keep(text) {
      if (text.beganAt <= clearedAt || forgotten.has(text.id) || !v.is(Kept, text)) return
      void records.put(text.id, text)
    },
    forget(id) {
      remember(forgotten, id, true, TEXT_LIMITS.forgotten)
      return records.remove(id)
    },
    clear() {
      clearedAt = Date.now()
      return records.clear()
    },
  }
}

export type Recorder = ReturnType<typeof recorder>

/** Follows one text. @param first what there is of it, where it goes on from an earlier visit */
export const recorder = (texts: KeptTexts, first: KeptText) => {
  let now = first
  let writtenAt = -Infinity
  let timer: ReturnType<typeof setTimeout> | null = null
  const write = (): void => {
    if (timer !== null) clearTimeout(timer)
    timer = null
    writtenAt = performance.now()
    texts.keep(now)
  }
  /** Timers of hidden tabs are slow, so that a token that comes late enough writes by itself. */
  const change = (more: Partial<KeptText>): void => {
    now = { ...now, ...more }
    if (performance.now() - writtenAt >= TEXT_LIMITS.restMs) write()
    else timer ??= setTimeout(write, TEXT_LIMITS.restMs)
  }
  return {
    soFar: (): KeptText => now,
    piece: (id: number, text: string): void =>
      change({ ids: [...now.ids, id], text: now.text + text }),
    rewound: (made: number, text: string): void => change({ ids: now.ids.slice(0, made), text }),
    ended(isOver: boolean): void {
      now = { ...now, over: isOver }
      write()
    },
  }
}
