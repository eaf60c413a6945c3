import { describe, expect, it } from 'vitest'
import { runPreflight } from './preflight.ts'
import { formatSpecError } from './spec-error.ts'
import { parseSpec } from './spec.ts'

const results = (front: string, ...tests: string[]): (string | null)[] => {
  const fences = tests
    .map((test, i) => `\`\`\`json #t${i} when=preflight\n${test}\n\`\`\`\n`)
    .join('\n')
  const spec = parseSpec(`---\nswarm: 1\nname: job\n${front}---\n${fences}`, 'a.swarm.md')
  if (!spec.ok) throw new Error(spec.error.map(formatSpecError).join('\n'))
  return runPreflight(spec.value).map((result) =>
    result.ok ? null : formatSpecError(result.problem),
  )
}
const double = 'run: map\nparams: { length: 1000, program: 2 * x }\n'

describe('the tests in a spec', () => {
  it('pass when the reference makes what they expect', () => {
    expect(results(double, '{"input":{"x":[1,2]},"expect":{"result":[2,4]}}')).toEqual([null])
    expect(
      results(
        'run: sum\nparams: { length: 9 }\n',
        '{"input":{"x":[0.1,0.2]},"expect":{"total":0.3}}',
      ),
    ).toEqual([null])
    expect(
      results(
        'run: matmul\nparams: { m: 9, k: 9, n: 9, dtype: i8 }\n',
        '{"input":{"a":[[-128]],"b":[[127,1]]},"expect":{"c":[[-16256,-128]]}}',
      ),
    ).toEqual([null])
  })

  it('fail with the place, what was expected and what was found', () => {
    expect(
      results(
        double,
        '{"input":{"x":[1,2]},"expect":{"result":[2,5]}}',
        '{"input":{"x":[1,2]},"expect":{"result":[2]}}',
        '{"input":{"x":[1,2]},"expect":{"result":[2,4.0001]}}',
      ),
    ).toEqual([
      'a.swarm.md:7: fence #t0.expect.result[1]: expected 5, found 4',
      'a.swarm.md:11: fence #t1.expect.result: expected 2 numbers, as the program makes, found 1',
      'a.swarm.md:15: fence #t2.expect.result[1]: expected 4.0001, found 4',
    ])
  })

  it('fail when their inputs do not fit the program', () => {
    expect(
      results(
        double,
        '{"expect":{"result":[2]}}',
        '{"input":{"x":[1],"y":[1]},"expect":{"result":[2]}}',
        '{"input":{"x":[[1]]},"expect":{"result":[2]}}',
        '{"params":{"length":3},"input":{"x":[1]},"expect":{"result":[2]}}',
      ),
    ).toEqual([
      'a.swarm.md:7: fence #t0.input.x: expected this input, found nothing',
      'a.swarm.md:11: fence #t1.input: expected only x, found y',
      'a.swarm.md:15: fence #t2, inputs.x: expected f32[1], found f32[1,1]',
      'a.swarm.md:19: fence #t3, inputs.x: expected f32[3], found f32[1]',
    ])
    expect(
      results(
        'run: matmul\nparams: { m: 1, k: 1, n: 1, dtype: i8 }\n',
        '{"input":{"a":[[0.5]],"b":[[1]]},"expect":{"c":[[1]]}}',
      ),
    ).toEqual(['a.swarm.md:7: fence #t0.input.a: expected numbers that are i8, found others'])
  })

  it('are not a way to make somebody else compute for minutes', () => {
    const [problem] = results(
      'run: mandelbrot\n',
      '{"params":{"width":4000,"height":4000},"expect":{"image":1}}',
    )
    expect(problem).toContain('expected at most 2000000000 operations')
  })
})
