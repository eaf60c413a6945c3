import { expect, it } from 'vitest'
import { helpWith } from './device.ts'

it('gives one cause and one action for each way a device cannot help', () => {
  const reasons = (['no-webgpu', 'no-adapter', 'insecure'] as const).map((why) =>
    helpWith({ kind: 'none', why }, false),
  )
  for (const { bad, action } of reasons) {
    expect(bad).toBe(true)
    expect(action).not.toBeNull()
  }
  expect(new Set(reasons.map((one) => one.text)).size).toBe(3)
})

it('labels a software adapter, and never calls it a GPU that helps', () => {
  const { text, bad } = helpWith({ kind: 'software', label: 'google swiftshader' }, false)
  expect(text).toContain('software')
  expect(text).toContain('never counted')
  expect(bad).toBe(false)
})

it('names what the browser names, and says so where it names nothing', () => {
  expect(helpWith({ kind: 'gpu', label: 'apple metal-3' }, false).text).toContain('apple metal-3')
  expect(helpWith({ kind: 'gpu', label: '' }, true).text).toContain('does not name')
  expect(helpWith(null, false).bad).toBe(false)
})
