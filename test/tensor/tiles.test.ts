/** Every way to divide a product or a convolution answers the same. */
import { describe, expect, it } from 'vitest'
import { classOf, TILES, tileOf } from '../../kernels/tensor/tiles.ts'
import { opByName } from '../../kernels/tensor/ops.ts'
import { engine } from './device.ts'
import { opTrouble } from './op-trouble.ts'
import type { Target } from '../../kernels/tensor/draft.ts'
import type { Product, Tile, Tiles } from '../../kernels/tensor/tiles.ts'

const CASES = [
  ['MatMul', 'matrices that are worth tiles'],
  ['Gemm', 'turned operands that are worth tiles'],
  ['Conv', 'groups that are worth tiles'],
] as const

/** One tile for every class there is. */
const everywhere = (tile: Tile): Tiles =>
  Object.fromEntries(
    (['product', 'conv'] as const).flatMap((kind) =>
      ['small', 'medium', 'large'].flatMap((size) =>
        ['square', 'tall', 'wide'].map((form) => [`${kind} ${size} ${form}`, tile] as const),
      ),
    ),
  )

const others = (['software', 'gpu'] as const).flatMap((family) =>
  TILES[family].slice(1).map((tile) => ({ family, tile, words: JSON.stringify(tile) })),
)

describe.skipIf(engine === null)('tiles', () => {
  it.each(others)('of $words in family $family answer the same', async ({ family, tile }) => {
    const tiles = everywhere(tile)
    for (const [op, name] of CASES) {
      const trial = { name, seed: 7, family, tiles }
      expect(await opTrouble(engine!, opByName('', op)!, trial)).toBe('')
    }
  })
})

describe('a class of products', () => {
  it('tells sizes and forms apart, and is what tiles are kept by', () => {
    const product: Product = { kind: 'product', m: 1024, n: 64, k: 512 }
    expect(classOf(product)).toBe('product medium tall')
    expect(classOf({ ...product, m: 64, n: 1024 })).toBe('product medium wide')
    expect(classOf({ kind: 'conv', m: 64, n: 64, k: 27 })).toBe('conv small square')
    expect(classOf({ ...product, m: 4096, n: 4096 })).toBe('product large square')
    const target: Target = {
      family: 'gpu',
      subgroup: null,
      tiles: { 'product medium tall': OTHER },
    }
    expect(tileOf(target, product)).toEqual(OTHER)
    expect(tileOf(target, { ...product, m: 64 })).toEqual(TILES.gpu[0])
  })
})

const OTHER: Tile = { rows: 4, columns: 32 }
