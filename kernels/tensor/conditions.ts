/**
 * Conditions in WGSL without branches: `||` and `&&` are control flow, and SwiftShader needs minutes to compile
 * some dozen of them in one function.
 */

/** True of none. */
export const allOf = (conditions: readonly string[]): string => joined(conditions, '&', 'true')

/** False of none. */
export const anyOf = (conditions: readonly string[]): string => joined(conditions, '|', 'false')

const joined = (conditions: readonly string[], sign: string, none: string): string =>
  conditions.map((condition) => `(${condition})`).join(` ${sign} `) || none
