/** Text of one WGSL function, written for the aliases of a shader: one element, or vectors of four. */

export type Lanes = 1 | 4

/** A function of the shader's library; `needs` come before it. */
export type WgslFunction = {
  readonly name: string
  readonly code: string
  readonly needs?: readonly WgslFunction[]
}
