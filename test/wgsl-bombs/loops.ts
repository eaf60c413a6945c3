/** Loops without end: every kind, in every place, and what tries to keep them from being seen. */
import { all, HEAD, kernel, times, tree } from './bomb.ts'
import type { Bomb, Entry } from './bomb.ts'

const ENDLESS: readonly Entry[] = [
  ['while true', 'while (true) { n++; }'],
  ['while a condition that data keep true', 'while (a == a) { n += 2u; }'],
  ['for without anything', 'for (;;) { n = n * 3u; }'],
  ['for over all unsigned numbers', 'for (var k = 4u; k >= 0u; k--) { n = n ^ k; }'],
  ['for whose counter is put back', 'for (var k = 0; k < 9; k++) { k = 0; n++; }'],
  ['for with a float that stops growing', 'for (var k = 1.0; k < 1e30; k += 1.0) { n++; }'],
  ['loop without a way out', 'loop { n++; }'],
  ['loop whose break is never reached', 'loop { if (a > 1e38) { break; } n++; }'],
  ['loop with an empty body', 'loop { }'],
  [
    'loop that breaks in a switch only',
    'loop { n++; switch (n) { case 3u: { break; } default: { } } }',
  ],
  ['continue before the counter', 'while (n < 9u) { if (b) { continue; } n++; }'],
  ['break if false', 'loop { n++; continuing { break if a > 1e38; } }'],
  ['a shadowed counter', 'while (n < 5u) { var n = 0u; n++; }'],
]

const PLACES: readonly (readonly [string, (loop: string) => string])[] = [
  ['', (loop) => kernel(loop)],
  ['in an if', (loop) => kernel(`if (b) { ${loop} }`)],
  ['in an else', (loop) => kernel(`if (a < -5.0) { } else if (a < -6.0) { } else { ${loop} }`)],
  ['in a case', (loop) => kernel(`switch (n) { case 0u, 7u: { ${loop} } default: { } }`)],
  ['in the default', (loop) => kernel(`switch (n) { case 9u: { } default { { ${loop} } } }`)],
  ['in three loops', (loop) => kernel(`for (;;) { while (b) { loop { ${loop} } } }`)],
  ['in a function', (loop) => kernel('a = f(a, b);', inFunction(loop))],
  [
    'in a function of a condition',
    (loop) => kernel('while (f(a, b) > -1.0) { }', inFunction(loop)),
  ],
  [
    'in a function of a continuing block',
    (loop) => kernel('loop { continuing { a = f(a, b); break if a > 1e38; } }', inFunction(loop)),
  ],
  [
    'behind a comment',
    (loop) => kernel(`/* } */ ${loop.replace(/[({]/g, '$& /* { /* ( */ */ // }\n')}`),
  ],
]

const inFunction = (loop: string): string =>
  `fn f(v: f32, b: bool) -> f32 { var a = v; var n = 0u; ${loop} return a + f32(n); }`

export const endless = (): Bomb[] =>
  PLACES.flatMap(([where, place]) =>
    all(
      'bounded',
      ENDLESS.map(([name, loop]) => [`${name} ${where}`, place(loop)] as const),
    ),
  )

export const loopTricks = (): Bomb[] => [
  ...all('bounded', [
    [
      'a function that only ends by return',
      kernel('a = f(a);', 'fn f(v: f32) -> f32 { loop { if (v > 1e38) { return v; } } }'),
    ],
    [
      'a struct as the zero result',
      kernel(
        'a = f(a).p;',
        'struct S { p: f32, q: array<u32, 3> } fn f(v: f32) -> S { loop { if (v > 1e38) { return S(v, array<u32, 3>()); } } }',
      ),
    ],
    [
      'an array as the zero result',
      kernel('a = f()[1];', 'fn f() -> array<f32, 2> { while (true) { } return array<f32, 2>(); }'),
    ],
    [
      'an alias as the zero result',
      kernel('a = f().y;', 'alias V = vec4<f32>; fn f() -> V { while (true) { } return V(); }'),
    ],
    [
      'a matrix as the zero result',
      kernel('a = f()[1][0];', 'fn f() -> mat2x3<f32> { while (true) { } return mat2x3<f32>(); }'),
    ],
    [
      'loops behind a comment that a line separator ends',
      kernel('// note \u2028 while (true) { n++; }'),
    ],
    ['loops behind a carriage return', kernel('// note \r while (true) { n++; }')],
    ['loops behind a form feed', kernel('// note \f for (;;) { n++; }')],
    [
      'a private counter that a function resets',
      kernel('while (k < 5u) { k++; r(); }', 'var<private> k = 0u; fn r() { k = 0u; }'),
    ],
    ['work in every turn', kernel(`while (b) { ${times(60, (k) => `a = sin(a) + ${k}.0;`)} }`)],
    [
      'a copy of an array in every turn',
      kernel('var p: array<f32, 200>; while (b) { var q = p; q[n % 200u] = a; p = q; n++; }'),
    ],
    [
      'a big initial value in every turn',
      kernel('while (b) { var q = array<f32, 90>(); q[n % 90u] = a; a += q[3]; n++; }'),
    ],
    ['loops one after another', kernel(times(100, (k) => `while (a < ${k}e20) { n++; }`))],
    ['the longest loop nest', kernel(`${times(50, () => 'for (;;) {')} n++; ${'}'.repeat(50)}`)],
    [
      'a tree of calls with loops at its leaves',
      kernel(
        'a = t5(a);',
        `fn t0(v: f32) -> f32 { var s = v; while (s < 1e38) { s += 1.0; } return s; } ${tree(5)}`,
      ),
    ],
    ['an index far outside', kernel('while (b) { y[n * 4000000000u] = x[n - 7u]; n++; }')],
    [
      'an index far outside a private array',
      kernel('while (b) { k[n] = n; n += 1000u; }', 'var<private> k: array<u32, 8>;'),
    ],
    [
      'a loop in the initial value of a for',
      kernel(
        'for (var k = f(); k < 9.0; k = f()) { n++; }',
        'fn f() -> f32 { while (true) { } return 0.0; }',
      ),
    ],
    [
      'a loop behind a short circuit',
      kernel(
        'b = b || f(); b = a < 0.0 && f();',
        'fn f() -> bool { while (true) { } return true; }',
      ),
    ],
  ]),
  ...all('statement', [
    [
      'a loop in a continuing block',
      kernel('loop { continuing { while (true) { } break if true; } }'),
    ],
    [
      'a loop deep in a continuing block',
      kernel('loop { continuing { if (b) { { for (;;) { } } } } }'),
    ],
    [
      'a for in a switch of a continuing block',
      kernel('loop { continuing { switch (n) { default: { for (;;) { } } } } }'),
    ],
    ['discard', kernel('discard;')],
    ['an assertion', kernel('const_assert 1 < 2;')],
    [
      'continuing outside a loop',
      kernel('{ } for (var k = 0; k < 2; k++) { } continuing;').replace(
        '} continuing;',
        '} if (b) { discard; }',
      ),
    ],
  ]),
  ...all('attribute', [
    [
      'a diagnostic filter on a loop',
      kernel('@diagnostic(off, derivative_uniformity) while (true) { }')
        .replace('  @diag', '  while (b) @diag')
        .replace('while (true) ', ''),
    ],
    [
      'a diagnostic filter on a loop body',
      kernel('loop @diagnostic(off, derivative_uniformity) { }'),
    ],
    [
      'a diagnostic filter on a block',
      kernel('if (b) @diagnostic(off, derivative_uniformity) { while (true) { } }'),
    ],
  ]),
  ...all('syntax', [
    ['a loop without braces', kernel('while (true) n++;')],
    ['a loop in module scope', `${HEAD} while (true) { }\n${kernel('').slice(HEAD.length)}`],
    ['a loop as a member', kernel('', 'struct S { while: u32 }')],
  ]),
]
