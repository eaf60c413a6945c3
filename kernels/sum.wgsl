// One sum per block of the input. A workgroup takes one block: 64 lanes each add every 64th element,
// in runs of 64 which are then added up, and lane 0 adds the 64 lanes in eights. An element thus
// passes at most 64 + ceil(length / 4096) + 16 additions: rounding hardly grows with the block.

struct Params {
  length: u32,
  block: u32,
  // Blocks [first, end) are added up by this dispatch.
  first: u32,
  end: u32,
}

const LANES = 64u;
const RUN = 64u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> sums: array<f32>;

var<workgroup> lanes: array<f32, 64>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let item = params.first + group.x + group.y * groups.x;
  // Items past the end have nothing to add and nothing to write, but meet at the barrier.
  let begin = item * params.block;
  let finish = select(begin, min(begin + params.block, params.length), item < params.end);

  var sum = 0f;
  var at = begin + lane;
  while (at < finish) {
    let stop = min(at + RUN * LANES, finish);
    var run = 0f;
    for (; at < stop; at += LANES) { run += x[at]; }
    sum += run;
  }
  lanes[lane] = sum;
  workgroupBarrier();

  if (lane == 0 && item < params.end) {
    var total = 0f;
    for (var i = 0u; i < LANES; i += 8) {
      total += ((lanes[i] + lanes[i + 1]) + (lanes[i + 2] + lanes[i + 3]))
        + ((lanes[i + 4] + lanes[i + 5]) + (lanes[i + 6] + lanes[i + 7]));
    }
    sums[item] = total;
  }
}
