/** How a slice reaches the GPU: uniform blocks and grids of workgroups, within WebGPU's limits. */

/** WebGPU's default for maxComputeWorkgroupsPerDimension. */
const MAX_GROUPS = 65_535

/** A uniform block of u32 words, padded to the 16 bytes that WGSL rounds a struct with vectors to. */
export const uniformWords = (words: readonly number[]): ArrayBuffer => {
  const block = new Uint32Array(Math.ceil(words.length / 4) * 4)
  block.set(words)
  return block.buffer
}

/**
 * Lays a line of workgroups out in two dimensions. The shader finds its place as
 * `group.x + group.y * groups.x` and returns when that lies past the end.
 */
export const lineOfGroups = (count: number): readonly [number, number, number] => {
  if (count <= MAX_GROUPS) return [count, 1, 1]
  const rows = Math.ceil(count / MAX_GROUPS)
  return [Math.ceil(count / rows), rows, 1]
}
