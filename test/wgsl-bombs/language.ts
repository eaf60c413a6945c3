/** Parts of the language, of the interface and of the grammar of templates that are not admitted. */
import { all, HEAD, kernel } from './bomb.ts'
import type { Bomb } from './bomb.ts'

export const language = (): Bomb[] => [
  ...all('pointer', [
    ['a counter aliased', kernel('let p = &n; while (n < 5u) { *p = 0u; n++; }')],
    ['a pointer parameter', kernel('f(&n);', 'fn f(p: ptr<function, u32>) { *p = 0u; }')],
    ['a pointer parameter, unused', kernel('', 'fn f(p: ptr<private, u32>) { }')],
    ['a pointer to storage', kernel('let p = &y[0];')],
    ['a pointer after an operator', kernel('n = n & &n;')],
    ['a dereferenced assignment', kernel('*n = 4u;')],
    [
      'a pointer in a pair of parentheses',
      kernel('(*(&n)) = 4u;').replace('(*(', '_ = (*(').replace(') = 4u', ')'),
    ],
    ['the length of something else', kernel('n = arrayLength(&params);')],
  ]),
  ...all('address-space', [
    ['workgroup memory', kernel('', 'var<workgroup> w: array<f32, 64>;')],
    ['a handle', kernel('', '@group(0) @binding(3) var t: f32;')],
    ['private memory in a function', kernel('var<private> p: u32;')],
    ['immediate data', kernel('', 'var<immediate> p: u32;')],
  ]),
  ...all('directive', [
    ['half precision', `enable f16;\n${kernel('')}`],
    ['subgroups', `enable subgroups;\n${kernel('')}`],
    ['an unknown extension', `enable chromium_internal_graphite;\n${kernel('')}`],
    ['a language feature', `requires unrestricted_pointer_parameters;\n${kernel('')}`],
    ['diagnostics', `diagnostic(off, derivative_uniformity);\n${kernel('')}`],
  ]),
  ...all('declaration', [
    ['an override', kernel('while (n < K) { }', 'override K: u32 = 4000000000u;')],
    ['an override with an id', kernel('', '@id(1) override K: u32;')],
    ['an assertion', kernel('', 'const_assert 1 < 2;')],
  ]),
  ...all('attribute', [
    ['alignment', kernel('', 'struct S { @align(256) a: f32 }')],
    ['size', kernel('', 'struct S { @size(1000000000) a: f32 }')],
    ['a function attribute', kernel('', '@diagnostic(off, derivative_uniformity) fn f() { }')],
    ['a parameter attribute', kernel('', 'fn f(@builtin(vertex_index) v: u32) { }')],
  ]),
  ...all('output-read', [
    ['the output read', kernel('a = y[i];')],
    ['the output added to', kernel('y[i] += 1.0;')],
    ['the output counted up', kernel('y[i]++;')],
    ['the output as its own index', kernel('y[u32(y[i])] = 1.0;')],
    ['the output in a condition', kernel('while (y[0] == 0.0) { }')],
  ]),
  ...all('entry', [
    ['none', `${HEAD} fn main() { while (true) { } }`],
    ['another name', kernel('').replace('fn main', 'fn start')],
    ['two', kernel('', '@compute @workgroup_size(1) fn other() { while (true) { } }')],
    ['no invocation id', `${HEAD} @compute @workgroup_size(1) fn main() { }`],
    ['another built-in value', kernel('').replace('global_invocation_id', 'workgroup_id')],
    [
      'a second built-in value',
      kernel('').replace('vec3<u32>)', 'vec3<u32>, @builtin(num_workgroups) w: vec3<u32>)'),
    ],
  ]),
  ...all('workgroup-size', [
    ...[
      '257',
      '0',
      '16, 17',
      '8, 8',
      '64 * 8',
      'K',
      '0x40',
      '-1',
      '',
      '1, 1, 2',
      '1e2',
      '99999999999',
    ].map(
      (size) =>
        [`(${size})`, kernel('', 'const K = 1024;').replace('size(64)', `size(${size})`)] as const,
    ),
    ['none', kernel('').replace('@workgroup_size(64)', '')],
  ]),
  ...all('binding', [
    [
      'no uniform block',
      kernel('')
        .replace(/@group\(0\) @binding\(0\).*\n/, '')
        .replaceAll('params.offset', '0u'),
    ],
    [
      'no output',
      kernel('')
        .replace(/@group\(0\) @binding\(2\).*\n/, '')
        .replace(/ {2}y\[i\].*\n/, ''),
    ],
    ['an input that may be written', kernel('').replace('storage, read>', 'storage, read_write>')],
    ['an output that is read only', kernel('').replace('storage, read_write>', 'storage, read>')],
    ['another group', kernel('').replace('@group(0) @binding(1)', '@group(1) @binding(1)')],
    ['another number', kernel('').replace('@binding(1)', '@binding(7)')],
    [
      'an undeclared buffer',
      kernel('', '@group(0) @binding(3) var<storage, read_write> z: array<f32>;'),
    ],
    ['another element type', kernel('').replace('x: array<f32>', 'x: array<u32>')],
    ['a sized buffer', kernel('').replace('y: array<f32>', 'y: array<f32, 4>')],
    ['a block of another layout', kernel('').replace('offset: u32, items', 'items: u32, offset')],
    ['a block that is too long', kernel('').replace('items: u32', 'items: u32, more: u32')],
    ['two blocks', kernel('', '@group(0) @binding(0) var<uniform> more: Params;')],
    ['no attributes', kernel('').replace('@group(0) @binding(1)', '')],
  ]),
]

export const templates = (): Bomb[] => [
  ...all('bounded', [
    [
      'a comparison next to a shift',
      kernel('while (n < 1u << 3u || n >= 1u >> 2u) { n += 1u >> 1u; }'),
    ],
    ['a comparison of an index', kernel('while (x[n] < a || x[i] > a) { n++; }')],
    ['comparisons in parentheses', kernel('b = (a < 1.0) == (a > (2.0)); while (b) { }')],
    [
      'a nested template before an equals sign',
      kernel('let q: array<vec2<f32>,2>= array<vec2<f32>,2>(); while (a < q[1].x) { }'),
    ],
    ['shift assignments', kernel('while (b) { n >>= 1u; n <<= 2u; n >>=1u; }')],
    ['less, then greater over &&', kernel('while (a < 4.0 && n > 2u) { }')],
  ]),
  ...all('function', [
    ['a < b > (c)', kernel('b = a<b>(a);')],
    [
      'two comparisons as arguments',
      kernel('a = f(a < a, a > (a));', 'fn f(p: bool, q: bool) -> f32 { return 1.0; }'),
    ],
    ['a loop hidden in a template list', kernel('n = n<n, n>(n);')],
  ]),
  ...all('syntax', [
    ['a template list as a value', kernel('a = vec2<f32>;')],
    ['a template list that closes late', kernel('let q = array<vec2<f32, 3>>();')],
    ['a length by division', kernel('', 'alias A = array<f32, 8 / 2>;')],
    ['an open template list', kernel('var q: array<f32;')],
    ['text after the end', `${kernel('')} }`],
    ['a function that never closes', kernel('').slice(0, -3)],
    ['nothing but an opening', `${HEAD} fn`],
  ]),
]
