/** What an engine chose on an adapter, and where that is kept. */
import type { Target } from '../../kernels/tensor/draft.ts'

/** What was found, for people and for whoever keeps it. Plain data. */
export type Choice = {
  /** null stands for the CPU. */
  readonly target: Target | null
  /** Milliseconds of the trial on each, by its name. */
  readonly measured: Readonly<Record<string, number>>
}

/** Keeps choices by adapter: in memory, or in a page's storage. */
export type Choices = {
  get(adapter: string): Promise<Choice | undefined>
  set(adapter: string, choice: Choice): Promise<void>
}

/** Kept as long as somebody holds it. */
export const inMemory = (): Choices => {
  const kept = new Map<string, Choice>()
  return {
    get: async (adapter) => kept.get(adapter),
    set: async (adapter, choice) => void kept.set(adapter, choice),
  }
}
