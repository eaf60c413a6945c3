/** Code that grows when calls are written out, that calls itself, or calls what it may not. */
import { all, kernel, times, tree } from './bomb.ts'
import type { Bomb } from './bomb.ts'

export const calls = (): Bomb[] => [
  ...all(
    'expansion-too-large',
    [10, 12, 16, 24, 40, 60].map(
      (n) =>
        [
          `a call tree of 2^${n}`,
          kernel(`a = t${n}(a);`, `fn t0(v: f32) -> f32 { return v * v + 3.0; } ${tree(n)}`),
        ] as const,
    ),
  ),
  ...all('expansion-too-large', [
    [
      'calls in arguments',
      kernel(
        'a = t12(a);',
        `fn t0(v: f32) -> f32 { return v * v; } ${times(12, (k) => `fn t${k + 1}(v: f32) -> f32 { return t${k}(t${k}(t${k}(v))); } `)}`,
      ),
    ],
    [
      'loops at the leaves of a call tree',
      kernel(
        'a = t9(a);',
        `fn t0(v: f32) -> f32 { var s = v; for (var k = 0; k < 3; k++) { s += 1.0; } return s; } ${tree(9)}`,
      ),
    ],
    ['a giant unroll', kernel(times(3000, () => 'a = a * 1.5 + a;'))],
    ['many branches', kernel(times(600, (k) => `if (a > ${k}.0) { n++; }`))],
    ['many short circuits', kernel(times(60, () => `b = ${'b && '.repeat(9)} a > 0.0;`))],
    [
      'a switch of many cases',
      kernel(`switch (n) { ${times(600, (k) => `case ${k}u: { n = ${k * 7}u; }`)} default: { } }`),
    ],
    [
      'many copies of large values',
      kernel(`var p: array<f32, 900>; ${times(30, (k) => `{ let q = p; a += q[${k}]; }`)}`),
    ],
    [
      'a chain of matrix products',
      kernel(`var m = mat4x4f(); ${times(200, () => 'm = m * m;')} a = m[0][0];`),
    ],
    [
      'large tables indexed often',
      kernel(
        times(120, (k) => `a += T[u32(x[${k}])];`),
        `const T = array<f32, 250>(${times(250, (k) => `${k}.0,`)});`,
      ),
    ],
  ]),
  ...all('recursion', [
    ['itself', kernel('a = f(a);', 'fn f(v: f32) -> f32 { return f(v); }')],
    ['itself in an argument', kernel('a = f(a);', 'fn f(v: f32) -> f32 { return abs(f(v)); }')],
    ['itself in an index', kernel('a = f(a);', 'fn f(v: f32) -> f32 { return x[u32(f(v))]; }')],
    [
      'itself in a condition',
      kernel('a = f(a);', 'fn f(v: f32) -> f32 { while (f(v) > 0.0) { } return v; }'),
    ],
    ['itself in a continuing block', kernel('f();', 'fn f() { loop { continuing { f(); } } }')],
    ['itself, never called', kernel('', 'fn f() { f(); }')],
    ...[2, 3, 5, 20].map(
      (n) =>
        [
          `a ring of ${n}`,
          kernel(
            't0();',
            times(n, (k) => `fn t${k}() { t${(k + 1) % n}(); } `),
          ),
        ] as const,
    ),
    [
      'a ring behind a tree',
      kernel('a = t3(a);', `fn t0(v: f32) -> f32 { return t2(v); } ${tree(3)}`),
    ],
    ['a constant of itself', kernel('', 'const k = k + 1;')],
    ['constants of each other', kernel('', 'const k = l; const l = k;')],
    ['an alias of itself', kernel('', 'alias A = A;')],
    ['aliases of each other', kernel('', 'alias A = array<B, 2>; alias B = array<A, 2>;')],
    ['a struct that holds itself', kernel('', 'struct S { a: f32, s: S }')],
    ['structs that hold each other', kernel('', 'struct S { t: array<T, 2> } struct T { s: S }')],
  ]),
  ...all('function', [
    ['the entry point called', kernel('f();', 'fn f() { main(vec3<u32>()); }')],
    ['a function that does not exist', kernel('a = inverse(a);')],
    ['a parameter called', kernel('a = f(a);', 'fn f(v: f32) -> f32 { return v(1.0); }')],
    ['barriers', kernel('storageBarrier();')],
    ['a workgroup barrier in a branch', kernel('if (b) { workgroupBarrier(); }')],
    ['a subgroup sum', kernel('a = subgroupAdd(a);')],
    ['a quad swap', kernel('a = quadSwapX(a);')],
    ['an atomic', kernel('atomicAdd(n, 1u);')],
    ['a derivative', kernel('a = dpdx(a);')],
    ['a texture', kernel('a = textureLoad(t, vec2(0, 0), 0).x;')],
    ['a result struct', kernel('a = modf(a).fract;')],
    ['a uniform load', kernel('a = workgroupUniformLoad(a);')],
    [
      'a function in an initial value',
      kernel('', 'fn f() -> f32 { while (true) { } return 0.0; } var<private> p: f32 = f();'),
    ],
  ]),
]
