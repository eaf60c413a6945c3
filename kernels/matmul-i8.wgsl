// C = A B with 8-bit integers and 32-bit sums, exact to the bit on every adapter. A and B are dense
// rows of bytes, four to a u32, so a row may begin in the middle of a word.
//
// The products of a run are added as f32: a product is at most 2^14, so 1024 of them stay within
// 2^24, where every sum of integers is exact in any order, fused or not. Runs are added as i32.
// On a software adapter this is 1.5 times as fast as integer multiplication, 1.7 times dot4I8Packed.

struct Params {
  m: u32,
  k: u32,
  n: u32,
  // Rows [first, end) are computed by this dispatch.
  first: u32,
  end: u32,
}

const RUN = 1024u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<u32>;
@group(0) @binding(2) var<storage, read> b: array<u32>;
// The same output twice: four at a time for `aligned`, one at a time for `main`.
@group(0) @binding(3) var<storage, read_write> c4: array<vec4i>;
@group(0) @binding(3) var<storage, read_write> c: array<i32>;

// The four signed bytes of a word; unpack4xI8 is no faster, and not every browser has it.
fn four(word: u32) -> vec4f {
  return vec4f((vec4i(bitcast<i32>(word)) << vec4u(24, 16, 8, 0)) >> vec4u(24));
}

fn store4(row: u32, column: u32, left: vec4i, right: vec4i) {
  if (row >= params.end) { return; }
  let width = params.n / 4;
  c4[row * width + column] = left;
  if (column + 1 < width) { c4[row * width + column + 1] = right; }
}

// k and n are multiples of 4: rows begin at words. 8 rows x 8 columns per invocation.
@compute @workgroup_size(8, 8)
fn aligned(@builtin(global_invocation_id) id: vec3u) {
  let width = params.n / 4;
  let depth = params.k / 4;
  let row = params.first + id.y * 8;
  let column = id.x * 2;
  if (row >= params.end || column >= width) { return; }

  // Past the edge the last row or column is computed once more, and not stored.
  let beside = min(column + 1, width - 1);
  let last = params.end - 1;
  let row0 = min(row + 0, last) * depth;
  let row1 = min(row + 1, last) * depth;
  let row2 = min(row + 2, last) * depth;
  let row3 = min(row + 3, last) * depth;
  let row4 = min(row + 4, last) * depth;
  let row5 = min(row + 5, last) * depth;
  let row6 = min(row + 6, last) * depth;
  let row7 = min(row + 7, last) * depth;

  var sum0 = vec4i(); var sum0r = vec4i();
  var sum1 = vec4i(); var sum1r = vec4i();
  var sum2 = vec4i(); var sum2r = vec4i();
  var sum3 = vec4i(); var sum3r = vec4i();
  var sum4 = vec4i(); var sum4r = vec4i();
  var sum5 = vec4i(); var sum5r = vec4i();
  var sum6 = vec4i(); var sum6r = vec4i();
  var sum7 = vec4i(); var sum7r = vec4i();
  for (var start = 0u; start < depth; start += RUN / 4) {
    let stop = min(start + RUN / 4, depth);
    var run0 = vec4f(); var run0r = vec4f();
    var run1 = vec4f(); var run1r = vec4f();
    var run2 = vec4f(); var run2r = vec4f();
    var run3 = vec4f(); var run3r = vec4f();
    var run4 = vec4f(); var run4r = vec4f();
    var run5 = vec4f(); var run5r = vec4f();
    var run6 = vec4f(); var run6r = vec4f();
    var run7 = vec4f(); var run7r = vec4f();
    var at = start * 4 * width;
    for (var k = start; k < stop; k++) {
      let x0 = four(a[row0 + k]);
      let x1 = four(a[row1 + k]);
      let x2 = four(a[row2 + k]);
      let x3 = four(a[row3 + k]);
      let x4 = four(a[row4 + k]);
      let x5 = four(a[row5 + k]);
      let x6 = four(a[row6 + k]);
      let x7 = four(a[row7 + k]);
      {
        let left = four(b[at + column]);
        let right = four(b[at + beside]);
        at += width;
        run0 += x0.x * left; run0r += x0.x * right;
        run1 += x1.x * left; run1r += x1.x * right;
        run2 += x2.x * left; run2r += x2.x * right;
        run3 += x3.x * left; run3r += x3.x * right;
        run4 += x4.x * left; run4r += x4.x * right;
        run5 += x5.x * left; run5r += x5.x * right;
        run6 += x6.x * left; run6r += x6.x * right;
        run7 += x7.x * left; run7r += x7.x * right;
      }
      {
        let left = four(b[at + column]);
        let right = four(b[at + beside]);
        at += width;
        run0 += x0.y * left; run0r += x0.y * right;
        run1 += x1.y * left; run1r += x1.y * right;
        run2 += x2.y * left; run2r += x2.y * right;
        run3 += x3.y * left; run3r += x3.y * right;
        run4 += x4.y * left; run4r += x4.y * right;
        run5 += x5.y * left; run5r += x5.y * right;
        run6 += x6.y * left; run6r += x6.y * right;
        run7 += x7.y * left; run7r += x7.y * right;
      }
      {
        let left = four(b[at + column]);
        let right = four(b[at + beside]);
        at += width;
        run0 += x0.z * left; run0r += x0.z * right;
        run1 += x1.z * left; run1r += x1.z * right;
        run2 += x2.z * left; run2r += x2.z * right;
        run3 += x3.z * left; run3r += x3.z * right;
        run4 += x4.z * left; run4r += x4.z * right;
        run5 += x5.z * left; run5r += x5.z * right;
        run6 += x6.z * left; run6r += x6.z * right;
        run7 += x7.z * left; run7r += x7.z * right;
      }
      {
        let left = four(b[at + column]);
        let right = four(b[at + beside]);
        at += width;
        run0 += x0.w * left; run0r += x0.w * right;
        run1 += x1.w * left; run1r += x1.w * right;
        run2 += x2.w * left; run2r += x2.w * right;
        run3 += x3.w * left; run3r += x3.w * right;
        run4 += x4.w * left; run4r += x4.w * right;
        run5 += x5.w * left; run5r += x5.w * right;
        run6 += x6.w * left; run6r += x6.w * right;
        run7 += x7.w * left; run7r += x7.w * right;
      }
    }
    sum0 += vec4i(run0); sum0r += vec4i(run0r);
    sum1 += vec4i(run1); sum1r += vec4i(run1r);
    sum2 += vec4i(run2); sum2r += vec4i(run2r);
    sum3 += vec4i(run3); sum3r += vec4i(run3r);
    sum4 += vec4i(run4); sum4r += vec4i(run4r);
    sum5 += vec4i(run5); sum5r += vec4i(run5r);
    sum6 += vec4i(run6); sum6r += vec4i(run6r);
    sum7 += vec4i(run7); sum7r += vec4i(run7r);
  }
  store4(row, column, sum0, sum0r);
  store4(row + 1, column, sum1, sum1r);
  store4(row + 2, column, sum2, sum2r);
  store4(row + 3, column, sum3, sum3r);
  store4(row + 4, column, sum4, sum4r);
  store4(row + 5, column, sum5, sum5r);
  store4(row + 6, column, sum6, sum6r);
  store4(row + 7, column, sum7, sum7r);
}

fn byteOfA(at: u32) -> f32 {
  return f32(extractBits(bitcast<i32>(a[at / 4]), (at % 4) * 8, 8));
}

fn byteOfB(at: u32) -> f32 {
  return f32(extractBits(bitcast<i32>(b[at / 4]), (at % 4) * 8, 8));
}

fn store(row: u32, column: u32, value: vec4i) {
  if (row >= params.end) { return; }
  for (var i = 0u; i < 4; i++) {
    if (column + i < params.n) { c[row * params.n + column + i] = value[i]; }
  }
}

// Any m, k and n: 4 rows x 4 columns per invocation, byte by byte.
@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = params.first + id.y * 4;
  let column = id.x * 4;
  if (row >= params.end || column >= params.n) { return; }

  let columns = min(column + vec4u(0, 1, 2, 3), vec4u(params.n - 1));
  let last = params.end - 1;
  let row0 = min(row + 0, last) * params.k;
  let row1 = min(row + 1, last) * params.k;
  let row2 = min(row + 2, last) * params.k;
  let row3 = min(row + 3, last) * params.k;

  var sum0 = vec4i();
  var sum1 = vec4i();
  var sum2 = vec4i();
  var sum3 = vec4i();
  for (var start = 0u; start < params.k; start += RUN) {
    let stop = min(start + RUN, params.k);
    var run0 = vec4f();
    var run1 = vec4f();
    var run2 = vec4f();
    var run3 = vec4f();
    for (var k = start; k < stop; k++) {
      let at = k * params.n + columns;
      let right = vec4f(byteOfB(at.x), byteOfB(at.y), byteOfB(at.z), byteOfB(at.w));
      run0 += byteOfA(row0 + k) * right;
      run1 += byteOfA(row1 + k) * right;
      run2 += byteOfA(row2 + k) * right;
      run3 += byteOfA(row3 + k) * right;
    }
    sum0 += vec4i(run0);
    sum1 += vec4i(run1);
    sum2 += vec4i(run2);
    sum3 += vec4i(run3);
  }
  store(row, column, sum0);
  store(row + 1, column, sum1);
  store(row + 2, column, sum2);
  store(row + 3, column, sum3);
}
