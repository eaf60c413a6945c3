import { afterEach, expect, it, vi } from 'vitest'
import { oneNode } from '../../src/adapters/one-node.ts'
import { oneNodeSuite } from './one-node.suite.ts'

oneNodeSuite('Node')

afterEach(() => vi.unstubAllGlobals())

it('says in words that a browser without locks cannot tell the tabs apart', async () => {
  vi.stubGlobal('navigator', {})
  const nobody = async (): Promise<void> => undefined
  const silent = (): void => undefined
  const tab = oneNode({ finish: nobody, lost: silent, vacant: silent, show: silent })
  expect(await tab.claim()).toMatchObject({ ok: false, error: { code: 'no-locks' } })
  expect(await tab.moveHere()).toMatchObject({ ok: false, error: { code: 'no-locks' } })
  tab.close()
})
