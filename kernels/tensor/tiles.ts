/**
 * How products and convolutions are divided among invocations, as data: what is the fastest differs between
 * adapters and shapes, and can be tried on the spot.
 */

/** Kinds of kernels. A software adapter wants few invocations with long runs, and no workgroup memory. */
export type Family = 'gpu' | 'software'

/**
 * Software adapters: sums of a lane, rows by columns. GPUs: rows of an invocation, and the side of the square
 * that a workgroup computes.
 */
export type Tile = { readonly rows: number; readonly columns: number }

/** A product, or a convolution as one: `m` filters, `n` places along the last axis, `k` weights of a filter. */
export type Product = {
  readonly kind: 'product' | 'conv'
  readonly m: number
  readonly n: number
  readonly k: number
}

/** By class of shapes; where there is none, the first of `TILES` is taken. */
export type Tiles = Readonly<Record<string, Tile>>

/**
 * Worth trying. Of GPUs: at most 256 invocations and 16 KB of workgroup memory, which WebGPU promises; of
 * software adapters: what still compiles within seconds.
 */
export const TILES: Readonly<Record<Family, readonly Tile[]>> = {
  software: [
    { rows: 16, columns: 4 },
    { rows: 8, columns: 4 },
    { rows: 16, columns: 2 },
  ],
  gpu: [
    { rows: 8, columns: 64 },
    { rows: 4, columns: 64 },
    { rows: 4, columns: 32 },
  ],
}

/** Operations up to which a product is small, and medium: those of squares with sides of 256 and 512. */
const SIZES = [
  ['small', 2 ** 25],
  ['medium', 2 ** 28],
] as const
/** How much longer one side is, where it makes another shape. */
const LONGER = 4

export const classOf = ({ kind, m, n, k }: Product): string => {
  const size = SIZES.find(([, most]) => 2 * m * n * k <= most)?.[0] ?? 'large'
  const form = m >= LONGER * n ? 'tall' : n >= LONGER * m ? 'wide' : 'square'
  return `${kind} ${size} ${form}`
}

export const tileOf = (
  { family, tiles = {} }: { readonly family: Family; readonly tiles?: Tiles },
  product: Product,
): Tile => tiles[classOf(product)] ?? TILES[family][0]!
