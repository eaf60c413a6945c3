import { describe, expect, it } from 'vitest'
import { formatSpecError } from './spec-error.ts'
import { parseSpec } from './spec.ts'

const front = (rest: string): string =>
  `---\nswarm: 1\nname: picture\nrun: mandelbrot\n${rest}---\n`
const errors = (content: string | Uint8Array, overrides = {}): string[] => {
  const spec = parseSpec(content, 'a.swarm.md', overrides)
  return spec.ok ? [] : spec.error.map(formatSpecError)
}

describe('a bad spec', () => {
  const map = (rest: string, body = ''): string =>
    `---\nswarm: 1\nname: m\nrun: map\nparams:\n  length: 8\n${rest}---\n${body}`

  it.each([
    [
      'no front matter',
      '# Hello\n',
      'a.swarm.md:1: the file: expected a first line of three dashes (---) that opens the front matter, found "# Hello"',
    ],
    [
      'an empty file',
      '',
      'a.swarm.md:1: the file: expected a first line of three dashes (---) that opens the front matter, found an empty line',
    ],
    [
      'front matter without an end',
      '---\nswarm: 1\n',
      'a.swarm.md:1: the file: expected a second line of three dashes (---) that closes the front matter, found the end of the file',
    ],
    [
      'front matter that is a list',
      '---\n- a\n---\n',
      'a.swarm.md:1: front matter: expected fields such as `run: mandelbrot`, found a list of 1',
    ],
    [
      'a tab',
      front('params:\n\twidth: 3\n'),
      'a.swarm.md:6: front matter: expected spaces for indentation, found a tab',
    ],
    [
      'an unknown key',
      front('parms: {}\n'),
      'a.swarm.md:5: parms: expected one of swarm, name, title, run, params, inputs, outputs, needs, redundancy, deadline, budget, privacy, tile (did you mean params?), found "parms"',
    ],
    [
      'an unknown parameter',
      front('params:\n  widht: 100\n'),
      'a.swarm.md:6: params.widht: expected one of width, height, centerX, centerY, zoom, iterations, palette (did you mean width?), found "widht"',
    ],
    [
      'a duplicate key',
      front('name: again\n'),
      'a.swarm.md:5: name: expected this key once, found it again, first on line 3',
    ],
    [
      'a wrong type',
      front('params: { width: wide }\n'),
      'a.swarm.md:5: params.width: expected a whole number from 1 to 16384, found "wide"',
    ],
    [
      'a fraction',
      front('params: { width: 12.5 }\n'),
      'a.swarm.md:5: params.width: expected a whole number from 1 to 16384, found 12.5',
    ],
    [
      'a number out of range',
      front('redundancy: 9\n'),
      'a.swarm.md:5: redundancy: expected a whole number from 1 to 5, found 9',
    ],
    [
      'a list for a number',
      front('redundancy: [1]\n'),
      'a.swarm.md:5: redundancy: expected a whole number from 1 to 5, found a list of 1',
    ],
    [
      'an empty field',
      front('deadline:\n'),
      'a.swarm.md:5: deadline: expected a time from 1s to 24h, such as "10m", found nothing',
    ],
    [
      'a deadline without a unit',
      front('deadline: 10\n'),
      'a.swarm.md:5: deadline: expected a time from 1s to 24h, such as "10m", found 10',
    ],
    [
      'a budget in another currency',
      front('budget: 5 euro\n'),
      'a.swarm.md:5: budget: expected "free" or an amount such as "5 credits", found "5 euro"',
    ],
    [
      'an unknown program',
      '---\nswarm: 1\nname: p\nrun: mandlebrot\n---\n',
      'a.swarm.md:4: run: expected one of mandelbrot, image, matmul, map, sum, graph, wgsl, generate (did you mean mandelbrot?), found "mandlebrot"',
    ],
    [
      'no program',
      '---\nswarm: 1\nname: p\n---\n',
      'a.swarm.md:2: run: expected this field, found nothing',
    ],
    [
      'a version of tomorrow',
      front('').replace('swarm: 1', 'swarm: 2'),
      'a.swarm.md:2: swarm: expected 1, found 2',
    ],
    [
      'a name with blanks',
      front('').replace('picture', 'My Picture'),
      'a.swarm.md:3: name: expected lower-case words joined by hyphens, at most 48 characters, found "My Picture"',
    ],
    ['YAML that is none', front('params: {\n'), 'a.swarm.md:'],
    [
      'an alias',
      front('x-a: &a 1\n'),
      'a.swarm.md:5: front matter: expected plain values, found an anchor, alias or tag',
    ],
    [
      'a point outside',
      front('params: { centerX: 2.5 }\n'),
      'a.swarm.md:5: params.centerX: expected a decimal from -2 to 2, such as -0.7436, found 2.5',
    ],
    [
      'a zoom beyond all digits',
      front('params: { zoom: 1e99 }\n'),
      'a.swarm.md:5: params.zoom: expected at most 1e60, the depth that 8 limbs can resolve, found',
    ],
    [
      'a format the output has not',
      front('outputs:\n  image: { format: json }\n'),
      'a.swarm.md:6: outputs.image.format: expected one of png, npy, found "json"',
    ],
    [
      'a format that no output has',
      front('outputs: { image: { format: pdf } }\n'),
      'a.swarm.md:5: outputs.image.format: expected one of png, npy, found "pdf"',
    ],
    [
      'an output nobody makes',
      front('outputs: { picture: { format: png } }\n'),
      'a.swarm.md:5: outputs.picture: expected image, found "picture"',
    ],
    [
      'an input nobody reads',
      front('inputs: { x: { kind: f32 } }\n'),
      'a.swarm.md:5: inputs: expected nothing here, found "x"',
    ],
    [
      'no program text',
      map(''),
      'a.swarm.md:5: params.program: expected this field, or a fence ```map #main, found nothing',
    ],
    [
      'a fence that is not closed',
      map('', '```map #main\nx\n'),
      'a.swarm.md:8: fence: expected a closing line ```, found the end of the file',
    ],
    [
      'two main fences',
      map('', '```map #main\nx\n```\n\n```map #main\nx\n```\n'),
      'a.swarm.md:12: #main: expected one fence of this name, found another on line 8',
    ],
    [
      'a fence of another language',
      map('', '```js #main\nx\n```\n'),
      'a.swarm.md:8: fence #main: expected the language map, found js',
    ],
    [
      'a program twice',
      map('  program: x\n', '```map #main\nx\n```\n'),
      'a.swarm.md:9: fence #main: expected this fence or params.program, found both',
    ],
    [
      'a program where none is',
      front('').concat('```wgsl #main\n```\n'),
      'a.swarm.md:6: fence #main: expected none, for mandelbrot is not programmed, found one',
    ],
    [
      'a fence with an id and no language',
      map('', '``` #main\nx\n```\n'),
      'a.swarm.md:8: fence #main: expected a language before the #id, such as ```json #tiny, found "#main"',
    ],
    [
      'a fence nobody reads',
      map('  program: x\n', '```python #helper\n```\n'),
      'a.swarm.md:9: fence #helper: expected a test in json, or no #id for what is documentation, found "python"',
    ],
    [
      'a mistake in a program, at its own line',
      map('', '```map #main\nlet a = 1;\na + foo\n```\n'),
      'a.swarm.md:10: program, line 2 column 5: expected a name',
    ],
    [
      'a mistake in a block scalar',
      map('  program: |\n    x +\n    foo\n'),
      'a.swarm.md:9: program, line 2 column 1: expected a name',
    ],
    [
      'a random input of no size',
      map('  program: x\n').replace('length: 8', 'length: 0'),
      'a.swarm.md:6: params.length: expected a whole number from 1 to 268435456, found 0',
    ],
    [
      'a test that is no JSON',
      map('  program: x\n', '```json #t when=preflight\n{ "input": { "x": [1, 2 }\n```\n'),
      'a.swarm.md:10: fence #t: expected JSON, found this: ',
    ],
    [
      'a test without a moment',
      map('  program: x\n', '```json #t\n{}\n```\n'),
      'a.swarm.md:9: fence #t: expected when=preflight, found "nothing"',
    ],
    [
      'a test of nothing',
      map('  program: x\n', '```json #t when=preflight\n{}\n```\n'),
      'a.swarm.md:9: fence #t.expect: expected result, found nothing',
    ],
    [
      'a test with ragged lists',
      map(
        '  program: x\n',
        '```json #t when=preflight\n{"input":{"x":[[1],[2,3]]},"expect":{"result":1}}\n```\n',
      ),
      'a.swarm.md:9: fence #t.input.x: expected numbers in nested lists of equal lengths, at most 4096, found a list of 2',
    ],
  ])('is told what is wrong: %s', (_, text, expected) => {
    expect(errors(text)[0]).toContain(expected)
  })

  it('is told each thing once', () => {
    const expected = 'expected this field, or a fence ```map #main, found nothing'
    expect(errors(map(''))).toEqual([`a.swarm.md:5: params.program: ${expected}`])
  })

  it('is told everything at once, in the order of the file', () => {
    const text = front(
      'redundancy: 9\nparams:\n  width: wide\n  zoom: 0\ndeadline: soon\ncolor: red\n',
    )
    expect(errors(text).map((line) => line.split(':')[1])).toEqual(['5', '7', '8', '9', '10'])
  })

  it('is refused unread when it is too large or not text', () => {
    expect(errors(new Uint8Array((1 << 20) + 1))).toEqual([
      'a.swarm.md: the file: expected at most 1048576 bytes, found 1048577',
    ])
    expect(errors('x'.repeat((1 << 20) + 1))).toHaveLength(1)
    expect(errors(Uint8Array.of(0x2d, 0xff, 0xfe))).toEqual([
      'a.swarm.md: the file: expected UTF-8 text, found bytes that are not UTF-8',
    ])
    expect(errors('---\nswarm: 1\n\u0000\n')).toEqual([
      'a.swarm.md:3: the file: expected text, found the character U+0000, which is not text',
    ])
    expect(errors('---\n\ud800\n')).toEqual([
      'a.swarm.md:1: the file: expected text, found half a surrogate pair',
    ])
  })

  it('may be shaped to wear a reader out, and does not', () => {
    const bodies = [
      '`'.repeat(500_000),
      `${'`'.repeat(400_000)}\nx\n${'`'.repeat(400_000)}\n`,
      '```json #a\n'.repeat(50_000),
      '<!-- '.repeat(150_000),
      `\`\`\`json #t when=preflight\n${'['.repeat(60_000)}\n\`\`\`\n`,
    ]
    for (const body of bodies) expect(Array.isArray(errors(front('') + body))).toBe(true)
    for (const open of ['[', '{', '{a: ', '- ', '? ', '"']) {
      expect(errors(front(`x: ${open.repeat(9_000)}\n`)).length).toBeGreaterThan(0)
    }
    expect(
      errors(front(Array.from({ length: 6_000 }, (_, i) => `k${i}: 1\n`).join(''))),
    ).toHaveLength(40)
  })

  it('cannot put control characters or long text into a message', () => {
    const text = front(`"a\\e[31m${'b'.repeat(500)}": 1\n`)
    expect(Array.from(errors(text)[0]!).every((letter) => letter >= ' ')).toBe(true)
    expect(errors(text)[0]!.length).toBeLessThan(400)
  })
})
