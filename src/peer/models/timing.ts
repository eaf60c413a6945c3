/** Where the time of a session goes: from the feed of a token to its logits, and from these to the next feed. */
import type { Ms } from '../../base/units.ts'
import type { SessionView } from './session-view.ts'
import { median, noteTime } from './post.ts'

export type Timing = ReturnType<typeof timing>

export const timing = (now: () => Ms) => {
  const whole: number[] = []
  const compute: number[] = []
  const here: number[] = []
  let fedAt: number | null = null
  let drawnAt: number | null = null
  let firstAt: number | null = null
  let drawnCount = 0
  let computing = 0

  return {
    fed(): void {
      if (drawnAt !== null) noteTime(here, now() - drawnAt)
      drawnAt = null
      fedAt ??= now()
    },
    answered(computeMs: number): void {
      computing += computeMs
    },
    drawn(): void {
      const at = now()
      // The prompt is many tokens at once, and no measure of those that follow.
      if (fedAt !== null && firstAt !== null) {
        noteTime(whole, at - fedAt)
        noteTime(compute, computing)
      }
      firstAt ??= at
      drawnCount += 1
      computing = 0
      fedAt = null
      drawnAt = at
    },
    view(): Pick<SessionView, 'time' | 'tokensPerSecond'> {
      const [all, computed, own] = [median(whole), median(compute), median(here)]
      const seconds = firstAt === null || drawnAt === null ? 0 : (drawnAt - firstAt) / 1_000
      return {
        time:
          all === null || computed === null
            ? null
            : {
                compute: Math.min(computed, all),
                between: Math.max(0, all - computed),
                here: own ?? 0,
              },
        tokensPerSecond: seconds > 0 && drawnCount > 1 ? (drawnCount - 1) / seconds : null,
      }
    },
  }
}
