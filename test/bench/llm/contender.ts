/** One of those that run the language model in turn: ours, or another library in the same page. */

/** What our engine asked its device to do for one token. */
export type Asked = {
  readonly dispatches: number
  readonly submits: number
  readonly readbacks: number
}

export type LlmContender = {
  readonly name: string
  /** Where it runs: rows of one side are compared. */
  readonly gpu: boolean
  /** Logits of the token behind a prompt; nothing was said before. */
  prefill(tokens: readonly number[]): Promise<Float32Array>
  /** Has the tokens said; `decode` is then of the place behind them. */
  say(tokens: readonly number[]): Promise<void>
  /** Logits after one more token: the same place each time. */
  decode(token: number): Promise<Float32Array>
  /** Of what was asked so far; null where there is nothing to count. */
  asked?(): Asked | null
}
