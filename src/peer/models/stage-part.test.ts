import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { inputDigest, nextAnswers, NO_ANSWERS, outputOfPart, taskOfPart } from './stage-part.ts'

const sha = (...parts: Uint8Array[]): Uint8Array => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return new Uint8Array(hash.digest())
}

describe('what requester and node say of a part', () => {
  it('has a digest over all answers, each after the one before', () => {
    const [a, b] = [Uint8Array.of(1, 2, 3), Uint8Array.of(4)]
    const first = nextAnswers(NO_ANSWERS, a)
    expect(first).toEqual(sha(new Uint8Array(32), a))
    expect(nextAnswers(first, b)).toEqual(sha(sha(new Uint8Array(32), a), b))
  })

  it('names tokens as words of 32 bits, the lowest byte first, and rows by their bytes', () => {
    expect(inputDigest([1, 0x010203])).toEqual(sha(Uint8Array.of(1, 0, 0, 0, 3, 2, 1, 0)))
    expect(inputDigest(Uint8Array.of(7, 8))).toEqual(sha(Uint8Array.of(7, 8)))
  })

  it('is another task for each part, stage and talk', () => {
    const session = '0'.repeat(32)
    const names = [
      taskOfPart(session, 0, 0),
      taskOfPart(session, 0, 1),
      taskOfPart(session, 1, 0),
      taskOfPart('1'.repeat(32), 0, 0),
    ]
    expect(new Set(names).size).toBe(4)
    expect(taskOfPart(session, 0, 0)).toBe(names[0])
    expect(outputOfPart(NO_ANSWERS)).not.toBe(outputOfPart(nextAnswers(NO_ANSWERS, NO_ANSWERS)))
  })
})
