/** The largest few of parts of lines on a software adapter: an invocation walks a part, and keeps the best so far. */
import { serial } from './serial.ts'
import { candidate, keep, type Kept, type Round } from './selection-round.ts'

/** Some microseconds of an invocation, and so much more than it keeps that most is left behind. */
const [LEAST, TIMES] = [4096, 16]

export const chunkOfInvocation = (count: number): number => Math.max(LEAST, TIMES * count)

export const selectByInvocation = (round: Round): Kept => {
  const { build, x, outer, count, candidates, length, chunk, chunks } = round
  const isLast = chunks === 1
  const [places, values] = serial(build, {
    outer: [...outer, chunks],
    inputs: [],
    results: [
      { element: 'i32', shape: [...outer, chunks * count] },
      ...(isLast ? [{ element: x.element, shape: [...outer, count] }] : []),
    ],
    flop: Math.min(chunk, length),
    body({ shader, at, results }) {
      const [line, part] = [at.slice(0, -1), at.at(-1)!]
      shader.line(`var keys: array<u32, ${count}>;`)
      shader.line(`var places: array<i32, ${count}>;`)
      shader.line('var kept = 0;')
      shader.line(`for (var j = ${part} * ${chunk}; j < ${endOf(part, round)}; j++) {`)
      const { place, key } = candidate(round, shader, line, 'j')
      if (candidates !== null) shader.line(`if (${place} < 0) { continue; }`)
      // Of equal ones the first comes first.
      shader.line(`if (kept == ${count} && ${key} <= keys[${count - 1}]) { continue; }`)
      shader.line(`var i = min(kept, ${count - 1});`)
      shader.line(`for (; i > 0 && ${key} > keys[max(i, 1) - 1]; i--) {`)
      shader.line('keys[i] = keys[i - 1];')
      shader.line('places[i] = places[i - 1];')
      shader.line('}')
      shader.line(`keys[i] = ${key};`)
      shader.line(`places[i] = ${place};`)
      shader.line(`kept = min(kept + 1, ${count});`)
      shader.line('}')
      shader.line(`for (var i = 0; i < ${count}; i++) {`)
      const found = shader.let('select(-1, places[i], i < kept)')
      const kept: Kept = { places: results[0]!, values: results[1] ?? null }
      keep(round, kept, shader, { line, part, place: found })
      shader.line('}')
    },
  })
  return { places: places!, values: values ?? null }
}

const endOf = (part: string, { chunk, length }: Round): string =>
  `min((${part} + 1) * ${chunk}, ${length})`
