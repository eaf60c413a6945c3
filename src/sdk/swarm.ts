/** A swarm as a program holds it: work to ask for, work to give, and what came of both. */
import type { JobId } from '../base/ids.ts'
import type { Joined } from '../boot/join.ts'
import type { View } from '../peer/view.ts'
import { SwarmError } from './error.ts'
import { generateText, type GenerateOptions, type Token } from './generate.ts'
import type { Output, ReceiptEntry, RunResult } from './result.ts'
import { runSpec, type Inputs, type RunOptions } from './run.ts'
import { mapSpec, matmulSpec, sumSpec, type Matrix } from './shorthand.ts'

export type MapOptions = RunOptions & {
  /** A second line of numbers, `y` in the expression. */
  readonly y?: Float32Array
}

export type LendOptions = {
  /** Part of the device's time that others may use, 0.05 to 1; 0.5 if absent. */
  readonly share?: number
  /** Lets shaders of strangers run, bounded and sliced as they are; off if absent. */
  readonly allowWgsl?: boolean
}

export type Swarm = {
  /** The account that asks and pays, a did:key. */
  readonly account: string
  /** Runs a spec: the text of a `*.swarm.md`, or the file itself. */
  run(spec: string | Blob, inputs?: Inputs, options?: RunOptions): Promise<RunResult>
  /** The expression for every element: `x` is the element, `i` its index. */
  map(expression: string, x: Float32Array, options?: MapOptions): Promise<Float32Array>
  sum(x: Float32Array, options?: RunOptions): Promise<number>
  matmul(a: Matrix, b: Matrix, options?: RunOptions): Promise<Output>
  /** Goes on with a text by a language model of yours, over the nodes that are there; tokens as they come. */
  generate(options: GenerateOptions): AsyncIterable<Token>
  /** Lends this device to others; nothing of theirs runs before. Resolves once it is measured and ready. */
  lend(options?: LendOptions): Promise<void>
  /** Hands back what is in hand, and lends no more. */
  stop(): void
  /** Everything there is to see: nodes, jobs, wallet, problems. */
  view(): View
  /** Calls back after each change; returns how to stop. */
  watch(then: () => void): () => void
  /** All receipts of this account, as requester and as worker. */
  receipts(): readonly ReceiptEntry[]
  /** Leaves. Running jobs stay in storage and go on at the next `join` of the same account. */
  close(): Promise<void>
}

export const swarmOf = (joined: Joined, closed: () => void): Swarm => {
  const { handle } = joined
  const waiting = new Map<JobId, number>()
  let left = false
  const stillIn = (): void => {
    if (left) throw new SwarmError('closed', 'This page has left the swarm; join it again.')
  }
  const run = async (
    spec: string | Blob,
    inputs: Inputs = {},
    options: RunOptions = {},
  ): Promise<RunResult> => {
    stillIn()
    return runSpec(joined, waiting, spec, inputs, options)
  }
  const output = ({ outputs }: RunResult, name: string): Output => {
    const found = outputs[name]
    if (found) return found
    throw new SwarmError('no-output', `The job is done, and its output ${name} is gone.`)
  }
  return {
    account: handle.view().account,
    run,
    async map(expression, x, { y, ...options } = {}) {
      const done = await run(mapSpec(expression, y !== undefined), y ? { x, y } : { x }, options)
      return output(done, 'result').data as Float32Array
    },
    async sum(x, options) {
      return output(await run(sumSpec(), { x }, options), 'total').data[0] ?? 0
    },
    async matmul(a, b, options) {
      return output(await run(matmulSpec(a, b), { a, b }, options), 'c')
    },
    generate(options) {
      stillIn()
      return generateText(joined, options)
    },
    async lend(options = {}) {
      stillIn()
      await lend(joined, options)
    },
    stop: () => handle.stop(),
    view: () => handle.view(),
    watch: (then) => handle.watch(then),
    receipts: () => handle.view().wallet.receipts,
    async close() {
      left = true
      await handle.close()
      closed()
    },
  }
}

/** The call is the consent; measuring takes three seconds. */
const lend = (
  { handle }: Joined,
  { share = 0.5, allowWgsl = false }: LendOptions,
): Promise<void> => {
  if (!(share >= 0.05 && share <= 1)) {
    return Promise.reject(new SwarmError('bad-share', `share: expected 0.05 to 1, found ${share}`))
  }
  handle.setLimits({ ...handle.limits(), share, allowWgsl })
  handle.start()
  return new Promise((resolve, reject) => {
    const look = (): void => {
      const { state } = handle.view().donate
      if (state === 'measuring') return
      unwatch()
      if (state !== 'idle') return resolve()
      const problem = handle.view().problems.at(-1)
      const { code, text } = problem ?? {
        code: 'not-lent',
        text: 'This device could not be measured.',
      }
      reject(new SwarmError(code, text))
    }
    const unwatch = handle.watch(look)
    look()
  })
}
