import { describe, expect, it } from 'vitest'
import { matmulSuite } from '../test/matmul.suite.ts'
import { chain, matmul, run } from './matmul.ts'

describe('matmul@1', () => {
  matmulSuite(matmul)
})

describe('the rounding of matmul@1', () => {
  it('passes through chains that grow with the root of k', () => {
    expect(run(512)).toBe(64)
    expect(chain(1)).toBe(3)
    expect(chain(4096)).toBe(1 + 64 + 64)
    expect(chain(65_536)).toBe(1 + 256 + 256)
  })

  it('takes runs in whole fours, as the shader does', () => {
    for (let k = 1; k <= 65_536; k = Math.ceil(k * 1.3)) expect(run(k) % 4).toBe(0)
  })
})
