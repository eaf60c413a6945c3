/** What it takes to go on after a node is lost, and where that time goes: shown, and measured by. */
import type { Ms } from '../../base/units.ts'
import type { Greeted } from '../links.ts'
import type { Post } from './post.ts'
import type { SessionView } from './session-view.ts'

/** Those that are shown. */
const RECOVERIES_MAX = 64

type RecoveryView = SessionView['recoveries'][number]

/** When the lost node last said something, when it was given up, and since when another has its stage and its weights. */
type Marks = { readonly since: Ms; readonly noticed: Ms; found: Ms | null; loaded: Ms | null }

type Recovery = Omit<RecoveryView, 'ms' | 'parts'> & {
  readonly marks: Marks
  /** Null until a token came of what was fed again. */
  goneOn: Ms | null
}

export type Recovering = ReturnType<typeof recovering>

export const recovering = (now: () => Ms) => {
  const all: Recovery[] = []
  const open = ({ index }: Post): Recovery[] =>
    all.filter(({ stage, goneOn }) => stage === index && goneOn === null)

  return {
    lost({ index, heardAt }: Post, { account }: Greeted, code: string, replayed: number): void {
      const marks = { since: heardAt, noticed: now(), found: null, loaded: null }
      all.push({ stage: index, code, lost: account, replayed, marks, goneOn: null })
      if (all.length > RECOVERIES_MAX) all.shift()
    },
    /** Somebody else was asked to take it; where that one fails, too, the last one counts. */
    found(post: Post): void {
      for (const { marks } of open(post)) Object.assign(marks, { found: now(), loaded: null })
    },
    loaded(post: Post): void {
      for (const { marks } of open(post)) marks.loaded = now()
    },
    /** A token came; one that was on its way when the node was lost is no sign of anything. */
    goesOn(): void {
      for (const each of all) if (each.marks.loaded !== null) each.goneOn ??= now()
    },
    views: (): readonly RecoveryView[] => all.map(viewOf),
  }
}

const viewOf = ({ marks, goneOn, ...recovery }: Recovery): RecoveryView => {
  const { since, noticed, found, loaded } = marks
  if (goneOn === null || found === null || loaded === null)
    return { ...recovery, ms: 0, parts: null }
  const parts = {
    noticed: Math.round(noticed - since),
    found: Math.round(found - noticed),
    loaded: Math.round(loaded - found),
    replayed: Math.round(goneOn - loaded),
  }
  return { ...recovery, ms: Math.round(goneOn - since), parts }
}
