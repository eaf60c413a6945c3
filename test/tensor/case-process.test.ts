/** Operator cases in a process of their own: one that does not end fails, and the rest goes on. */
import { afterAll, describe, expect, it } from 'vitest'
import { CaseProcess } from '../../relay/case-process.ts'

describe('a process for operator cases', () => {
  const script = new URL('./never-answers.ts', import.meta.url)
  const never = new CaseProcess('cpu', { limitMs: 3_000, script })
  afterAll(() => never.close())

  it('is killed where a case does not end in time, and takes the next case all the same', async () => {
    for (const name of ['loop', 'loop again'])
      expect(await never.run(name)).toMatchObject({
        name,
        result: 'failed',
        why: 'no answer within 3000 ms (timed-out)',
      })
  })

  it('says so when it ends by itself', async () => {
    expect((await never.run('crash')).why).toBe('the process ended (worker-crashed)')
  })

  it('names a folder without a model as a failure', async () => {
    const cases = new CaseProcess('cpu')
    expect(await cases.open()).toEqual({ ok: true, value: 'cpu, WebAssembly' })
    const found = await cases.run(import.meta.dirname)
    cases.close()
    expect(found.result).toBe('failed')
    expect(found.why).toContain('ENOENT')
  })
})
