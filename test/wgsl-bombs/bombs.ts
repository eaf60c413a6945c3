/**
 * Shaders made to hang, to fill or to fool a GPU, from templates. Each is either refused with a known
 * code, or `bounded`: admitted, and then every loop has its check of the fuel.
 */
import { calls } from './calls.ts'
import { language, templates } from './language.ts'
import { endless, loopTricks } from './loops.ts'
import { names } from './names.ts'
import { sizes } from './sizes.ts'
import type { Bomb } from './bomb.ts'

/** All of them: well over two hundred. */
export const bombs = (): Bomb[] => [
  ...endless(),
  ...loopTricks(),
  ...calls(),
  ...sizes(),
  ...names(),
  ...language(),
  ...templates(),
]

/** Loops in rewritten text whose body does not begin with the check; found without the parser under test. */
export const uncheckedLoops = (source: string): string[] => {
  const found: string[] = []
  for (const { index, 0: keyword } of source.matchAll(/\b(?:loop|for|while)\b/g)) {
    let at = index + keyword.length
    for (let depth = 0; at < source.length; at++) {
      if (source[at] === '(') depth++
      else if (source[at] === ')') depth--
      else if (source[at] === '{' && depth === 0) break
    }
    const check = /^\{ if \(swarm_fuel == 0u\) \{ return[^;{}]*; \} swarm_fuel -= 1u;/
    if (!check.test(source.slice(at))) found.push(source.slice(index, at + 60))
  }
  return found
}
