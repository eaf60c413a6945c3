/** Kernels that alice really wants to run: every construct that is admitted, and no loop without an end. */
import { HEAD, kernel } from './bomb.ts'

/** Each is a complete shader over `x` and `y`; with `steps` units of fuel it never runs dry. */
export const honest: readonly { readonly name: string; readonly source: string }[] = [
  { name: 'a map', source: kernel('a = sqrt(abs(a)) * 2.0 + 1.0;') },
  {
    name: 'a three-line sum',
    source: kernel('for (var k = 0u; k < 20u; k++) { a += x[(i + k) % arrayLength(&x)]; }'),
  },
  {
    name: 'integer hashing with shifts',
    source: kernel(
      'for (var k = 0u; k < 64u; k += 1u) { n = (n ^ (k + i)) * 16777619u; n ^= n >> 15u; n = (n << 1u) | (n >> 31u); } n &= 0xffffu;',
    ),
  },
  {
    name: 'Collatz steps',
    source: kernel(
      'var v = i + 1u; while (v != 1u) { if (v % 2u == 0u) { v /= 2u; continue; } v = 3u * v + 1u; n++; }',
    ),
  },
  {
    name: 'escape times',
    source: kernel(
      'var z = vec2<f32>(); let p = vec2f(a * 0.01 - 1.5, f32(i % 7u) * 0.2 - 0.6); loop { if (n >= 50u || dot(z, z) > 4.0) { break; } z = vec2(z.x * z.x - z.y * z.y, 2.0 * z.x * z.y) + p; continuing { n++; } }',
    ),
  },
  {
    name: 'Newton with break if',
    source: kernel(
      'var r = 1.0; var left = 30i; loop { let old = r; r = 0.5 * (r + (abs(a) + 1.0) / r); continuing { left -= 1; break if left == 0 || abs(old - r) < 1e-6; } } a = r;',
    ),
  },
  {
    name: 'a sieve in private memory',
    source: kernel(
      'for (var k = 2u; k < 100u; k++) { marks[k] = 1u; } for (var p = 2u; p * p < 100u; p++) { if (marks[p] == 0u) { continue; } for (var q = p * p; q < 100u; q += p) { marks[q] = 0u; } } for (var k = 0u; k < 100u; k++) { n += marks[k]; }',
      'var<private> marks: array<u32, 100>;',
    ),
  },
  {
    name: 'structs, aliases and constants out of order',
    source: kernel(
      'var s = start(a); for (var k = 0; k < N; k++) { s = grow(s, K[k % 4]); } a = total(s);',
      `fn total(s: State) -> f32 { var sum = 0.0; for (var k = 0u; k < 3u; k++) { sum += s.at[k] * s.speed; } return sum; }
fn grow(s: State, by: f32) -> State { var t = s; t.at += vec3(by, 0.5, by * 2.0); t.speed *= 1.01; t.marks[1] = by; return t; }
fn start(v: f32) -> State { return State(Point(v, v + 1.0, 2.0), 1.0, array<f32, 3>(1.0, 2.0, 3.0)); }
struct State { at: Point, speed: f32, marks: array<f32, SIZE> }
alias Point = vec3<f32>;
const SIZE = 1 + 2;
const N = 12;
const K = array(0.25, 0.5, 0.75, 1.0);`,
    ),
  },
  {
    name: 'functions that return from their loops',
    source: kernel(
      'n = first(a) + pair(i).y + table(n)[1];',
      `fn first(v: f32) -> u32 { var k = 0u; loop { if (f32(k) > v) { return k; } k++; } }
fn pair(k: u32) -> vec2<u32> { for (var j = k;; j++) { if (j % 7u == 3u) { return vec2(j, k); } } }
fn table(k: u32) -> array<u32, 2> { while (true) { return array<u32, 2>(k, 5u); } return array<u32, 2>(); }`,
    ),
  },
  {
    name: 'a state machine',
    source: kernel(
      'var state = i % 3u; for (var k = 0u; k < 30u; k++) { switch (state) { case 0u: { state = 1u; n += 1u; } case 1u, 5u: { if (k > 20u) { break; } state = 2u; } default: { state = 0u; n += k; } } }',
    ),
  },
  {
    name: 'matrices',
    source: kernel(
      'var m = mat3x3<f32>(1.0, a, 0.0, 0.0, 1.0, 0.5, 0.25, 0.0, 1.0); for (var k = 0; k < 4; k++) { m = m * transpose(m) * 0.25; m[1][2] += 0.125; } a = determinant(m) + (m * vec3f(1.0, 2.0, 3.0)).y;',
    ),
  },
  {
    name: 'bits',
    source: kernel(
      'n = bitcast<u32>(a); n = countOneBits(n) + firstLeadingBit(n | 1u) + extractBits(n, 3u, 5u); let q = unpack4x8unorm(n * 65537u); a = q.x + q.w; b = any(q < vec4(0.5)) && !all(q >= vec4f(0.1));',
    ),
  },
  {
    name: 'comments everywhere',
    source: kernel(
      '/* a /* b */ while (true) { } */ for /* { */ (var k = 0u; // while\n k < 3u; /* ) */ k++) // {\n { /* } */ n += k; // }\n }',
    ),
  },
  {
    name: 'a name of a built-in function',
    source: kernel(
      'let step = 2.0; let length = clamp(a); a = step * length;',
      'fn clamp(v: f32) -> f32 { return v * 0.5; }',
    ),
  },
  {
    name: 'loops in loops with continue and break',
    source: kernel(
      'for (var j = 0u; j < 9u; j++) { var k = 0u; while (true) { k++; if (k % 2u == 0u) { continue; } if (k > j) { break; } var left = j; loop { if (left == 0u) { break; } n += k; left--; } } }',
    ),
  },
  {
    name: 'a scope of its own for every name',
    source: kernel(
      'var k = 4u; { let k = 9u; n += k; } for (var k = 0; k < 2; k++) { let n2 = k; { var k = 7u; while (k > 5u) { k--; n += u32(n2); } } } n += k;',
    ),
  },
  {
    name: 'an early return',
    source: `${HEAD}@must_use fn half(v: f32) -> f32 { return v / 2.; }
@workgroup_size(32, 1, 1) @compute
fn main(@builtin(global_invocation_id,) gid: vec3u,) {
  let i = params.offset + gid.x;
  if (i % 2u == 0u) { y[i] = -1.0; return; }
  _ = half(1.0);
  y[i] = half(x[i]);;
}`,
  },
]
