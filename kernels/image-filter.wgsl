// Gaussian blur, unsharp mask and Sobel over RGBA, one u32 per pixel, in integers (see image-filter.ts
// for every formula). `main` takes a strip of 16 rows of one column: it blurs each row of the strip and
// its surroundings across once, and then adds them up down the column, 16 times.

struct Params {
  // Of the input, the halo included.
  width: u32,
  height: u32,
  left: u32,
  top: u32,
  // Of the output; rows [firstRow, endRow) are computed by this dispatch.
  outWidth: u32,
  firstRow: u32,
  endRow: u32,
  radius: u32,
  sharpen: u32,
  amount: u32,
  // Weights of the taps 0 .. 16, one to a vector: a component chosen at run time would cost more.
  weights: array<vec4u, 17>,
}

const STRIP = 16u;
// STRIP rows and 16 around them on both sides.
const ROWS = 48;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> image: array<u32>;
@group(0) @binding(2) var<storage, read_write> result: array<u32>;

fn channels(pixel: u32) -> vec4u {
  return (vec4u(pixel) >> vec4u(0, 8, 16, 24)) & vec4u(255);
}

fn packed(value: vec4u) -> u32 {
  return value.x | (value.y << 8) | (value.z << 16) | (value.w << 24);
}

// Coordinates past the edge stand for the pixel at the edge.
fn pixelAt(x: i32, y: i32) -> vec4u {
  let column = u32(clamp(x, 0, i32(params.width) - 1));
  let row = u32(clamp(y, 0, i32(params.height) - 1));
  return channels(image[row * params.width + column]);
}

// 16 bits, 8 of them a fraction.
fn across(x: i32, y: i32) -> vec4u {
  var sum = vec4u(128) + params.weights[0].x * pixelAt(x, y);
  for (var i = 1; i <= i32(params.radius); i++) {
    sum += params.weights[i].x * (pixelAt(x - i, y) + pixelAt(x + i, y));
  }
  return sum >> vec4u(8);
}

// `sum` has 24 bits of fraction.
fn finish(centre: vec4u, sum: vec4u) -> vec4u {
  if (params.sharpen == 0) { return (sum + vec4u(1 << 23)) >> vec4u(24); }
  let blurred = vec4i((sum + vec4u(1 << 15)) >> vec4u(16));
  let p = vec4i(centre);
  let n = 256000 * p + i32(params.amount) * (256 * p - blurred) + 128000;
  return vec4u(min(max(n, vec4i(0)) / 256000, vec4i(255)));
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let first = params.firstRow + id.y * STRIP;
  if (id.x >= params.outWidth || first >= params.endRow) { return; }
  let rows = min(STRIP, params.endRow - first);
  let radius = i32(params.radius);
  let x = i32(params.left + id.x);
  let y = i32(params.top + first);

  var lines: array<vec4u, ROWS>;
  for (var j = 0; j < i32(rows) + 2 * radius; j++) { lines[j] = across(x, y + j - radius); }

  for (var row = 0; row < i32(rows); row++) {
    let centre = row + radius;
    var sum = params.weights[0].x * lines[centre];
    for (var j = 1; j <= radius; j++) {
      sum += params.weights[j].x * (lines[centre - j] + lines[centre + j]);
    }
    let value = finish(pixelAt(x, y + row), sum);
    result[(first + u32(row)) * params.outWidth + id.x] = packed(value);
  }
}

// The largest whole number whose square is at most `value`, or 255, bit by bit.
fn root(value: vec3i) -> vec3i {
  var result = vec3i();
  for (var bit = 128; bit > 0; bit /= 2) {
    let next = result + bit;
    result = select(result, next, next * next <= value);
  }
  return result;
}

@compute @workgroup_size(64)
fn sobel(@builtin(global_invocation_id) id: vec3u) {
  let row = params.firstRow + id.y;
  if (id.x >= params.outWidth || row >= params.endRow) { return; }
  let x = i32(params.left + id.x);
  let y = i32(params.top + row);

  let northWest = vec4i(pixelAt(x - 1, y - 1));
  let north = vec4i(pixelAt(x, y - 1));
  let northEast = vec4i(pixelAt(x + 1, y - 1));
  let west = vec4i(pixelAt(x - 1, y));
  let here = pixelAt(x, y);
  let east = vec4i(pixelAt(x + 1, y));
  let southWest = vec4i(pixelAt(x - 1, y + 1));
  let south = vec4i(pixelAt(x, y + 1));
  let southEast = vec4i(pixelAt(x + 1, y + 1));
  let gx = northEast - northWest + 2 * (east - west) + southEast - southWest;
  let gy = southWest - northWest + 2 * (south - north) + southEast - northEast;
  let edge = vec3u(root((gx * gx + gy * gy).rgb));
  result[row * params.outWidth + id.x] = packed(vec4u(edge, here.a));
}
