/** How computing can fail, as values: what the caller can do about it is in the code. */
export type ComputeError = {
  readonly code:
    /** Parameters, inputs or shapes that do not belong together. */
    | 'bad-param'
    | 'unknown-kernel'
    /** The kernel has no CPU version and there is no WebGPU. */
    | 'needs-webgpu'
    /** More memory than this node lends. */
    | 'out-of-budget'
    /** WebGPU refused the shader; the detail has its words. */
    | 'shader-failed'
    /** It still compiles; asked again later it may be there. */
    | 'compiles-long'
    /** The device went away twice, or may not be asked for again yet. */
    | 'device-lost'
    | 'cancelled'
    /** The queue of this worker is full. */
    | 'too-many'
    /** Its layers are not open, or its talk has less behind it than was said. */
    | 'no-stage'
    /** A manifest that contradicts itself, or leaves that are not there. */
    | 'bad-model'
    | 'no-weights'
  readonly detail: string
  /** For `device-lost`: when asking again has a chance. */
  readonly retryAfterMs?: number
}

export const computeError = (code: ComputeError['code'], detail: string): ComputeError => ({
  code,
  detail: detail.slice(0, 400),
})
