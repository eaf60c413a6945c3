// Iteration counts of the Mandelbrot set in fixed point, exact to the bit at any depth (see
// mandelbrot.ts for what is computed). A number is N limbs of 13 bits, lowest first: FRACTION limbs
// behind the point and one, signed, before it. With 13 bits a column of 21 products stays below 2^31,
// so that carries are passed on once per column and not once per product.

// Replaced by the task's own precision: ceil(32 limbs / 13) limbs behind the point, and of the lowest
// one only the bits that `32 limbs` reaches.
const FRACTION = 5;
const KEPT = 8190;

const N = FRACTION + 1;
const BITS = 13u;
const LOW = 8191;

alias Number = array<i32, N>;

struct Params {
  width: u32,
  iterations: u32,
  // Pixels [first, end) are computed by this dispatch.
  first: u32,
  end: u32,
  // Limbs in order, four to a vector.
  x: array<vec4i, 6>,
  y: array<vec4i, 6>,
  step: array<vec4i, 6>,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> counts: array<u32>;

// begin orbit: written out limb by limb for the precision of a task (see mandelbrot-unrolled.ts).

// floor(a b), cut to the bits that are kept. Shifting right rounds down for negative numbers too.
fn multiply(a: ptr<function, Number>, b: ptr<function, Number>) -> Number {
  var product: Number;
  var carry = 0;
  for (var column = 0; column < 2 * N - 1; column++) {
    var sum = carry;
    for (var i = max(0, column - N + 1); i <= min(column, N - 1); i++) {
      sum += (*a)[i] * (*b)[column - i];
    }
    carry = sum >> BITS;
    if (column >= FRACTION) { product[column - FRACTION] = sum & LOW; }
    if (column == 2 * N - 2) { product[N - 1] = sum; }
  }
  product[0] &= KEPT;
  return product;
}

// The same with every pair of different limbs multiplied once.
fn square(a: ptr<function, Number>) -> Number {
  var product: Number;
  var carry = 0;
  for (var column = 0; column < 2 * N - 1; column++) {
    var pairs = 0;
    for (var i = max(0, column - N + 1); i < (column + 1) / 2; i++) {
      pairs += (*a)[i] * (*a)[column - i];
    }
    var sum = carry + 2 * pairs;
    if (column % 2 == 0) { sum += (*a)[column / 2] * (*a)[column / 2]; }
    carry = sum >> BITS;
    if (column >= FRACTION) { product[column - FRACTION] = sum & LOW; }
    if (column == 2 * N - 2) { product[N - 1] = sum; }
  }
  product[0] &= KEPT;
  return product;
}

// a + b > 4 for numbers that are not negative.
fn beyondFour(a: ptr<function, Number>, b: ptr<function, Number>) -> bool {
  let whole = (*a)[N - 1] + (*b)[N - 1];
  if (whole < 3 || whole > 4) { return whole > 4; }
  var carry = 0;
  var rest = 0;
  for (var i = 0; i < N - 1; i++) {
    let sum = (*a)[i] + (*b)[i] + carry;
    carry = sum >> BITS;
    rest |= sum & LOW;
  }
  return whole + carry > 4 || (whole + carry == 4 && rest != 0);
}

fn same(a: ptr<function, Number>, b: ptr<function, Number>) -> bool {
  for (var i = 0; i < N; i++) {
    if ((*a)[i] != (*b)[i]) { return false; }
  }
  return true;
}

fn countOf(cx: ptr<function, Number>, cy: ptr<function, Number>) -> u32 {
  var x: Number;
  var y: Number;
  // An orbit that meets a point of its own again goes round for ever: it is inside. The point kept to
  // compare with is renewed at every power of two (R. Brent 1980).
  var oldX: Number;
  var oldY: Number;
  var renewAt = 1u;
  for (var count = 0u; count < params.iterations; count++) {
    var xx = square(&x);
    var yy = square(&y);
    if (beyondFour(&xx, &yy)) { return count; }
    var xy = multiply(&x, &y);
    var carryX = 0;
    var carryY = 0;
    for (var i = 0; i < N; i++) {
      let sumX = xx[i] - yy[i] + (*cx)[i] + carryX;
      let sumY = 2 * xy[i] + (*cy)[i] + carryY;
      carryX = sumX >> BITS;
      carryY = sumY >> BITS;
      x[i] = select(sumX & LOW, sumX, i == N - 1);
      y[i] = select(sumY & LOW, sumY, i == N - 1);
    }
    if (same(&x, &oldX) && same(&y, &oldY)) { return params.iterations; }
    if (count == renewAt) {
      oldX = x;
      oldY = y;
      renewAt *= 2;
    }
  }
  return params.iterations;
}

// end orbit

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let pixel = params.first + (group.x + group.y * groups.x) * 64 + lane;
  if (pixel >= params.end) { return; }
  let column = i32(pixel % params.width);
  let row = i32(pixel / params.width);

  var cx: Number;
  var cy: Number;
  var carryX = 0;
  var carryY = 0;
  for (var i = 0; i < N; i++) {
    let step = params.step[i / 4][i % 4];
    let sumX = params.x[i / 4][i % 4] + column * step + carryX;
    let sumY = params.y[i / 4][i % 4] - row * step + carryY;
    carryX = sumX >> BITS;
    carryY = sumY >> BITS;
    cx[i] = select(sumX & LOW, sumX, i == N - 1);
    cy[i] = select(sumY & LOW, sumY, i == N - 1);
  }
  counts[pixel] = countOf(&cx, &cy);
}
