/**
 * The orbit of `mandelbrot.wgsl` with every loop over limbs written out. Shader compilers that keep an
 * array in memory for its variable index then keep every limb in a register: 8 times as fast on a
 * software adapter, for the few limbs that its compiler can take. The shader's own text stays the definition, and tests hold the two together.
 */

const times = <T>(count: number, make: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i))

/** Lines for `out0`.. = floor(a b), cut to `kept` in the lowest limb. */
const product = (out: string, a: string, b: string, fraction: number, kept: number): string[] => {
  const size = fraction + 1
  return times(2 * size - 1, (column) => {
    const first = Math.max(0, column - fraction)
    const pairs = times(Math.min(column, fraction) - first + 1, (i) => [
      first + i,
      column - first - i,
    ])
    const terms = a === b ? squared(a, pairs) : pairs.map(([i, j]) => `${a}${i} * ${b}${j}`)
    const carry = column === 0 ? [] : [`(${out}Sum${column - 1} >> BITS)`]
    const sum = `  let ${out}Sum${column} = ${[...terms, ...carry].join(' + ')};`
    if (column < fraction) return sum
    const limb = column - fraction
    const value = column === 2 * fraction ? '' : limb === 0 ? ` & ${kept}` : ' & LOW'
    return `${sum}\n  let ${out}${limb} = ${out}Sum${column}${value};`
  })
}

/** Every pair of different limbs once, doubled. */
const squared = (a: string, pairs: readonly number[][]): string[] => {
  const once = pairs.filter(([i, j]) => i! < j!).map(([i, j]) => `${a}${i} * ${a}${j}`)
  const middle = pairs.filter(([i, j]) => i === j).map(([i]) => `${a}${i} * ${a}${i}`)
  return [...(once.length > 0 ? [`2 * (${once.join(' + ')})`] : []), ...middle]
}

/** `fn countOf` for numbers of `fraction` limbs behind the point and one before it. */
export const unrolledOrbit = (fraction: number, kept: number): string => {
  const size = fraction + 1
  const each = (make: (i: number) => string): string[] => times(size, make)
  const start = each((i) => `  var x${i} = 0; var y${i} = 0; var oldX${i} = 0; var oldY${i} = 0;`)
  const point = each((i) => `  let cx${i} = (*cx)[${i}]; let cy${i} = (*cy)[${i}];`)
  const escape = times(
    fraction,
    (i) => `      { let sum = xx${i} + yy${i} + carry; carry = sum >> BITS; rest |= sum & LOW; }`,
  )
  const step = each((i) => {
    const [x, y] = i === 0 ? ['', ''] : [` + (newX${i - 1} >> BITS)`, ` + (newY${i - 1} >> BITS)`]
    return `    let newX${i} = xx${i} - yy${i} + cx${i}${x}; let newY${i} = 2 * xy${i} + cy${i}${y};`
  })
  const store = each((i) => {
    const low = i === fraction ? '' : ' & LOW'
    return `    x${i} = newX${i}${low}; y${i} = newY${i}${low};`
  })
  const same = each((i) => `x${i} == oldX${i} && y${i} == oldY${i}`).join(' && ')
  return [
    'fn countOf(cx: ptr<function, Number>, cy: ptr<function, Number>) -> u32 {',
    ...point,
    ...start,
    '  var renewAt = 1u;',
    '  for (var count = 0u; count < params.iterations; count++) {',
    ...product('xx', 'x', 'x', fraction, kept),
    ...product('yy', 'y', 'y', fraction, kept),
    `    let whole = xx${fraction} + yy${fraction};`,
    '    if (whole > 4) { return count; }',
    '    if (whole >= 3) {',
    '      var carry = 0; var rest = 0;',
    ...escape,
    '      if (whole + carry > 4 || (whole + carry == 4 && rest != 0)) { return count; }',
    '    }',
    ...product('xy', 'x', 'y', fraction, kept),
    ...step,
    ...store,
    `    if (${same}) { return params.iterations; }`,
    '    if (count == renewAt) {',
    ...each((i) => `      oldX${i} = x${i}; oldY${i} = y${i};`),
    '      renewAt *= 2;',
    '    }',
    '  }',
    '  return params.iterations;',
    '}',
    '',
  ].join('\n')
}
