// One program for every element, four elements per invocation. The function below is a stand-in: a
// task's own program, written anew from its parsed tree, takes its place (see map.ts).

struct Params {
  // Elements [first, end) are computed by this dispatch; first is a multiple of 4.
  first: u32,
  end: u32,
  // Index of element 0 in the whole array.
  offset: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> xs: array<vec4f>;
// `main` has one input, `both` has two, so the output is the third binding or the fourth.
@group(0) @binding(2) var<storage, read_write> result: array<vec4f>;
@group(0) @binding(2) var<storage, read> ys: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> resultOfBoth: array<vec4f>;

// What WGSL leaves open for bases that are not positive is zero here.
fn power(base: f32, exponent: f32) -> f32 {
  if (base <= 0) { return 0; }
  return pow(base, exponent);
}

fn blend(a: f32, b: f32, t: f32) -> f32 {
  return a * (1 - t) + b * t;
}

// begin program
fn program(x: f32, y: f32, i: f32) -> f32 {
  return x;
}
// end program

fn quadOf(group: vec3u, groups: vec3u, lane: u32) -> u32 {
  return params.first / 4 + (group.x + group.y * groups.x) * 64 + lane;
}

fn quadResult(x: vec4f, y: vec4f, quad: u32) -> vec4f {
  let at = params.offset + quad * 4;
  return vec4f(
    program(x.x, y.x, f32(at)),
    program(x.y, y.y, f32(at + 1)),
    program(x.z, y.z, f32(at + 2)),
    program(x.w, y.w, f32(at + 3)),
  );
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let quad = quadOf(group, groups, lane);
  if (quad * 4 >= params.end) { return; }
  result[quad] = quadResult(xs[quad], vec4f(), quad);
}

@compute @workgroup_size(64)
fn both(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let quad = quadOf(group, groups, lane);
  if (quad * 4 >= params.end) { return; }
  resultOfBoth[quad] = quadResult(xs[quad], ys[quad], quad);
}
