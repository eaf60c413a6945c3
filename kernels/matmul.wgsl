// C = A B in f32, row-major. Each invocation holds 8 rows x 8 columns of C in registers and needs no
// workgroup memory: on a software adapter barriers cost more than they save, and the caches of a
// GPU serve the repeated reads. Products are added in order of k, in runs of `run` which are then
// added up, so that rounding grows with run + k / run and not with k.

struct Params {
  m: u32,
  k: u32,
  n: u32,
  // Rows [first, end) are computed by this dispatch.
  first: u32,
  end: u32,
  // Products per run, a multiple of 4.
  run: u32,
}

@group(0) @binding(0) var<uniform> params: Params;

// The same three buffers twice: four at a time for `aligned`, one at a time for `main`.
@group(0) @binding(1) var<storage, read> a4: array<vec4f>;
@group(0) @binding(2) var<storage, read> b4: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> c4: array<vec4f>;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> c: array<f32>;

fn store4(row: u32, column: u32, left: vec4f, right: vec4f) {
  if (row >= params.end) { return; }
  let width = params.n / 4;
  c4[row * width + column] = left;
  if (column + 1 < width) { c4[row * width + column + 1] = right; }
}

// k and n are multiples of 4; columns are counted in fours.
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

  var sum0 = vec4f(); var sum0r = vec4f();
  var sum1 = vec4f(); var sum1r = vec4f();
  var sum2 = vec4f(); var sum2r = vec4f();
  var sum3 = vec4f(); var sum3r = vec4f();
  var sum4 = vec4f(); var sum4r = vec4f();
  var sum5 = vec4f(); var sum5r = vec4f();
  var sum6 = vec4f(); var sum6r = vec4f();
  var sum7 = vec4f(); var sum7r = vec4f();
  for (var start = 0u; start < params.k; start += params.run) {
    let stop = min(start + params.run, params.k);
    var run0 = vec4f(); var run0r = vec4f();
    var run1 = vec4f(); var run1r = vec4f();
    var run2 = vec4f(); var run2r = vec4f();
    var run3 = vec4f(); var run3r = vec4f();
    var run4 = vec4f(); var run4r = vec4f();
    var run5 = vec4f(); var run5r = vec4f();
    var run6 = vec4f(); var run6r = vec4f();
    var run7 = vec4f(); var run7r = vec4f();
    var at = start * width;
    for (var k = start / 4; k < stop / 4; k++) {
      let x0 = a4[row0 + k];
      let x1 = a4[row1 + k];
      let x2 = a4[row2 + k];
      let x3 = a4[row3 + k];
      let x4 = a4[row4 + k];
      let x5 = a4[row5 + k];
      let x6 = a4[row6 + k];
      let x7 = a4[row7 + k];
      {
        let left = b4[at + column];
        let right = b4[at + beside];
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
        let left = b4[at + column];
        let right = b4[at + beside];
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
        let left = b4[at + column];
        let right = b4[at + beside];
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
        let left = b4[at + column];
        let right = b4[at + beside];
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
    sum0 += run0; sum0r += run0r;
    sum1 += run1; sum1r += run1r;
    sum2 += run2; sum2r += run2r;
    sum3 += run3; sum3r += run3r;
    sum4 += run4; sum4r += run4r;
    sum5 += run5; sum5r += run5r;
    sum6 += run6; sum6r += run6r;
    sum7 += run7; sum7r += run7r;
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

// Reads four columns one by one, so that rows may begin at any element.
fn fourOf(at: u32, columns: vec4u) -> vec4f {
  return vec4f(b[at + columns.x], b[at + columns.y], b[at + columns.z], b[at + columns.w]);
}

fn store(row: u32, column: u32, left: vec4f, right: vec4f) {
  if (row >= params.end) { return; }
  for (var i = 0u; i < 4; i++) {
    if (column + i < params.n) { c[row * params.n + column + i] = left[i]; }
    if (column + 4 + i < params.n) { c[row * params.n + column + 4 + i] = right[i]; }
  }
}

// Any m, k and n.
@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = params.first + id.y * 8;
  let column = id.x * 8;
  if (row >= params.end || column >= params.n) { return; }

  let edge = vec4u(params.n - 1);
  let here = min(column + vec4u(0, 1, 2, 3), edge);
  let beside = min(column + vec4u(4, 5, 6, 7), edge);
  let last = params.end - 1;
  let row0 = min(row + 0, last) * params.k;
  let row1 = min(row + 1, last) * params.k;
  let row2 = min(row + 2, last) * params.k;
  let row3 = min(row + 3, last) * params.k;
  let row4 = min(row + 4, last) * params.k;
  let row5 = min(row + 5, last) * params.k;
  let row6 = min(row + 6, last) * params.k;
  let row7 = min(row + 7, last) * params.k;

  var sum0 = vec4f(); var sum0r = vec4f();
  var sum1 = vec4f(); var sum1r = vec4f();
  var sum2 = vec4f(); var sum2r = vec4f();
  var sum3 = vec4f(); var sum3r = vec4f();
  var sum4 = vec4f(); var sum4r = vec4f();
  var sum5 = vec4f(); var sum5r = vec4f();
  var sum6 = vec4f(); var sum6r = vec4f();
  var sum7 = vec4f(); var sum7r = vec4f();
  for (var start = 0u; start < params.k; start += params.run) {
    let stop = min(start + params.run, params.k);
    var run0 = vec4f(); var run0r = vec4f();
    var run1 = vec4f(); var run1r = vec4f();
    var run2 = vec4f(); var run2r = vec4f();
    var run3 = vec4f(); var run3r = vec4f();
    var run4 = vec4f(); var run4r = vec4f();
    var run5 = vec4f(); var run5r = vec4f();
    var run6 = vec4f(); var run6r = vec4f();
    var run7 = vec4f(); var run7r = vec4f();
    for (var k = start; k < stop; k++) {
      let left = fourOf(k * params.n, here);
      let right = fourOf(k * params.n, beside);
      run0 += a[row0 + k] * left; run0r += a[row0 + k] * right;
      run1 += a[row1 + k] * left; run1r += a[row1 + k] * right;
      run2 += a[row2 + k] * left; run2r += a[row2 + k] * right;
      run3 += a[row3 + k] * left; run3r += a[row3 + k] * right;
      run4 += a[row4 + k] * left; run4r += a[row4 + k] * right;
      run5 += a[row5 + k] * left; run5r += a[row5 + k] * right;
      run6 += a[row6 + k] * left; run6r += a[row6 + k] * right;
      run7 += a[row7 + k] * left; run7r += a[row7 + k] * right;
    }
    sum0 += run0; sum0r += run0r;
    sum1 += run1; sum1r += run1r;
    sum2 += run2; sum2r += run2r;
    sum3 += run3; sum3r += run3r;
    sum4 += run4; sum4r += run4r;
    sum5 += run5; sum5r += run5r;
    sum6 += run6; sum6r += run6r;
    sum7 += run7; sum7r += run7r;
  }
  store(row, column, sum0, sum0r);
  store(row + 1, column, sum1, sum1r);
  store(row + 2, column, sum2, sum2r);
  store(row + 3, column, sum3, sum3r);
  store(row + 4, column, sum4, sum4r);
  store(row + 5, column, sum5, sum5r);
  store(row + 6, column, sum6, sum6r);
  store(row + 7, column, sum7, sum7r);
}
