/** Why a graph cannot be run, as a value: what is wrong, and with which node. */

export type Refusal = {
  readonly code:
    /** An operator, an attribute or a type that the engine does not know: not covered. */
    | 'unknown-op'
    | 'unknown-attribute'
    | 'unsupported'
    /** The graph contradicts itself or ONNX. */
    | 'bad-graph'
    | 'bad-attribute'
    | 'bad-shape'
    /** An input whose values decide shapes, and which has to be known before the run. */
    | 'value-needed'
    /** More elements than any adapter takes. */
    | 'too-large'
  readonly detail: string
  /** Name and operator of the node, where one is to blame. */
  readonly node?: string
}

export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: Refusal }

export const refuse = (code: Refusal['code'], detail: string): Refusal => ({
  code,
  detail: detail.slice(0, 400),
})

/** What the engine lacks, in contrast to what is wrong with the model. */
export const notCovered = ({ code }: Refusal): boolean =>
  code === 'unknown-op' || code === 'unknown-attribute' || code === 'unsupported'
