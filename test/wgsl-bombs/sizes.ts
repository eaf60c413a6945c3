/** Too much memory, too deep, too many, too long. */
import { all, kernel, times } from './bomb.ts'
import type { Bomb } from './bomb.ts'

export const sizes = (): Bomb[] => [
  ...all('type-too-large', [
    ['a local array', kernel('var p: array<f32, 65536>;')],
    ['a private array', kernel('', 'var<private> p: array<vec4<f32>, 1000>;')],
    ['arrays of arrays', kernel('', 'alias A = array<array<array<f32, 40>, 40>, 40>;')],
    [
      'a chain of aliases',
      kernel(
        '',
        `alias A0 = array<f32, 2>; ${times(60, (k) => `alias A${k + 1} = array<A${k}, 2>; `)}`,
      ),
    ],
    [
      'doubling structs',
      kernel(
        '',
        `struct S0 { a: f32 } ${times(60, (k) => `struct S${k + 1} { a: S${k}, b: S${k} } `)}`,
      ),
    ],
    [
      'doubling structs upside down',
      kernel(
        '',
        `${times(20, (k) => `struct S${k} { a: S${k + 1}, b: S${k + 1} } `)} struct S20 { a: f32 }`,
      ),
    ],
    ['a length by arithmetic', kernel('', 'const K = 64; alias A = array<f32, K * K * 2>;')],
    [
      'doubling constants',
      kernel(
        '',
        `const k0 = 1; ${times(14, (k) => `const k${k + 1} = k${k} + k${k}; `)} alias A = array<f32, k14>;`,
      ),
    ],
    ['a constant table', kernel('', `const T = array(${times(1100, (k) => `${k},`)});`)],
    [
      'an array of arrays without a type',
      kernel('', `const T = array<f32, 64>(); const U = array(${'T,'.repeat(17)});`),
    ],
    ['a result', kernel('', 'fn f() -> array<f32, 2000> { return array<f32, 2000>(); }')],
    ['a parameter', kernel('', 'fn f(v: array<f32, 2000>) { }')],
    ['a struct of arrays', kernel('', 'struct S { a: array<f32, 600>, b: array<f32, 600> }')],
  ]),
  ...all('type', [
    ['a length beyond 16 bits', kernel('var p: array<f32, 1000000000>;')],
    ['a length that wraps', kernel('', 'const K = 4294967295u; alias A = array<f32, K + 17u>;')],
    [
      'a length whose steps wrap',
      kernel('', 'alias A = array<f32, 4294967295u + 2u - 4294967290u>;'),
    ],
    ['a length below zero', kernel('', 'alias A = array<f32, 3 - 5>;')],
    ['a length of zero', kernel('', 'alias A = array<f32, 0>;')],
    ['a length of itself', kernel('', 'const K = K; alias A = array<f32, K>;')],
    [
      'a length of 2^60 additions',
      kernel(
        '',
        `const k0 = 1; ${times(60, (k) => `const k${k + 1} = k${k} + k${k}; `)} alias A = array<f32, k60>;`,
      ),
    ],
    ['a length from a function', kernel('', 'alias A = array<f32, max(2, 3)>;')],
    ['an unsized member', kernel('', 'struct S { a: array<f32> }')],
    ['an atomic', kernel('', 'var<private> p: atomic<u32>;')],
    ['half precision', kernel('', 'var<private> p: f16;')],
    ['half precision in a vector', kernel('', 'var<private> p: vec4<f16>;')],
    ['half precision by suffix', kernel('', 'alias A = vec4h;')],
    ['a texture', kernel('', 'alias A = texture_2d<f32>;')],
    ['a sampler', kernel('', 'alias A = sampler;')],
    ['an unknown type', kernel('', 'alias A = Sphere;')],
    ['a vector of vectors', kernel('', 'alias A = vec2<vec2>;')],
  ]),
  ...all('private-too-large', [
    [
      'several private arrays',
      kernel(
        '',
        times(5, (k) => `var<private> p${k}: array<f32, 250>; `),
      ),
    ],
    [
      'many private matrices',
      kernel(
        '',
        times(70, (k) => `var<private> p${k}: mat4x4<f32>; `),
      ),
    ],
  ]),
  ...all('frame-too-large', [
    [
      'locals of many calls',
      kernel(
        times(9, () => 'a += f(a);'),
        'fn f(v: f32) -> f32 { var p: array<f32, 500>; p[1] = v; return p[u32(v)]; }',
      ),
    ],
    ['many locals', kernel(times(5, (k) => `var p${k}: array<f32, 1000>; p${k}[n] = a;`))],
  ]),
  ...all('nesting-too-deep', [
    ['parentheses', kernel(`a = ${'('.repeat(1000)}a${')'.repeat(1000)};`)],
    ['parentheses that never close', kernel(`a = ${'('.repeat(30000)}`)],
    ['blocks', kernel(`${'{'.repeat(300)}${'}'.repeat(300)}`)],
    ['ifs', kernel(`${times(300, () => 'if (b) {')}${'}'.repeat(300)}`)],
    ['loops', kernel(`${times(70, () => 'loop {')}${'}'.repeat(70)}`)],
    ['switches', kernel(`${times(60, () => 'switch (n) { default: {')}${'}}'.repeat(60)}`)],
    ['calls', kernel(`a = ${'abs('.repeat(300)}a${')'.repeat(300)};`)],
    ['indices', kernel(`a = ${'x[u32('.repeat(100)}0${')]'.repeat(100)};`)],
    ['types', kernel('', `alias A = ${'array<'.repeat(100)}f32${', 1>'.repeat(100)};`)],
    ['aliases', kernel('', `${times(90, (k) => `alias A${k} = A${k + 1}; `)} alias A90 = f32;`)],
    ['constants', kernel('', `${times(90, (k) => `const k${k} = k${k + 1}; `)} const k90 = 1;`)],
    ['signs', kernel(`a = ${'- '.repeat(40)}a;`)],
    ['negations', kernel(`b = ${'!'.repeat(5000)}b;`)],
    ['array lengths', kernel('', `alias A = array<f32, ${'('.repeat(200)}1${')'.repeat(200)}>;`)],
  ]),
  ...all('too-many-loops', [
    ['in one function', kernel(times(129, () => 'loop { }'))],
    [
      'over functions',
      kernel(
        '',
        times(15, (k) => `fn t${k}() { ${times(9, () => 'for (;;) { }')} } `),
      ),
    ],
  ]),
  ...all('too-many-functions', [
    [
      'sixty-five',
      kernel(
        '',
        times(64, (k) => `fn t${k}() { } `),
      ),
    ],
  ]),
  ...all('too-many-declarations', [
    [
      'constants',
      kernel(
        '',
        times(300, (k) => `const k${k} = 1; `),
      ),
    ],
  ]),
  ...all('too-many-tokens', [['semicolons', kernel(';'.repeat(40000))]]),
  ...all('source-too-long', [
    ['statements', kernel(times(6000, () => 'a = a + 1.0;'))],
    ['one comment', kernel(`/* ${'x'.repeat(70000)} */`)],
    ['wide characters', kernel(`/* ${'\u{1F4A3}'.repeat(20000)} */`)],
  ]),
  ...all('item-too-costly', [
    ['dear turns', kernel(`while (b) { ${times(880, () => 'a = sin(a);')} }`)],
    [
      'dear turns in a function',
      kernel(
        'while (b) { a = f(a); }',
        `fn f(v: f32) -> f32 { var s = v; ${times(900, () => 's = exp(s);')} return s; }`,
      ),
    ],
  ]),
]
