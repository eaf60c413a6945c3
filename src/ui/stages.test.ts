import { describe, expect, it } from 'vitest'
import { asked, moved, spread } from '../../test/ui/sessions.ts'
import { cellsOf, colourOf, letterOf, mapWords, recoveryWords } from './stages.ts'

describe('the map of layers', () => {
  it('has a square for each layer, held by its stage or by nobody', () => {
    expect(cellsOf(5, asked.stages).map(({ stage }) => stage?.index ?? null)).toEqual([
      0, 0, 1, 1, 2,
    ])
    expect(cellsOf(3, []).map(({ stage }) => stage)).toEqual([null, null, null])
  })

  it('tells stages apart by letters, however many there are', () => {
    expect([0, 25, 26, 52].map(letterOf)).toEqual(['A', 'Z', 'A1', 'A2'])
  })

  it('gives a node one colour, also where it has taken over a stage of another', () => {
    const [first, second, third] = asked.stages
    const moved = [{ ...first!, node: third!.node }, second!, third!]
    expect(moved.map((stage) => colourOf(stage, moved))).toEqual([0, 1, 0])
    const open = asked.stages.map((stage) => ({ ...stage, node: null }))
    expect(open.map((stage) => colourOf(stage, open))).toEqual([0, 1, 2])
  })

  it('is one sentence for whoever does not see it', () => {
    expect(mapWords(5, spread.stages)).toBe(
      'layers 1–2: solid-stone-17, ready; layers 3–4: fleet-ant-67, is given its weights; layer 5: no node yet, looked for',
    )
    expect(mapWords(5, [])).toBe('5\u00a0layers, held by no node yet')
  })
})

describe('what moved', () => {
  it('is told with who left, when, and who took over', () => {
    expect(recoveryWords(moved, 0)).toBe(
      'fleet-ant-67 left at token 20; layers 3–4 moved to even-boar-50, 1.2\u00a0s.',
    )
  })

  it('names nobody who has lost the layers again since, and no time before it goes on', () => {
    const again = {
      ...moved,
      recoveries: [moved.recoveries[0]!, { ...moved.recoveries[0]!, code: 'silent', ms: 0 }],
    }
    expect(recoveryWords(again, 0)).toBe('fleet-ant-67 left at token 20, 1.2\u00a0s.')
    expect(recoveryWords(again, 1)).toBe(
      'fleet-ant-67 fell silent at token 20; layers 3–4 move to even-boar-50.',
    )
  })

  it('may be so while the prompt is read, and for reasons that nobody has words for', () => {
    const early = { ...moved, recoveries: [{ ...moved.recoveries[0]!, replayed: 3, code: 'odd' }] }
    expect(recoveryWords(early, 0)).toContain('left while the prompt was read')
  })
})
