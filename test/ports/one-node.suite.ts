/** Which tab is the node; in Node and in Chromium. Every `oneNode` stands for a tab. */
import { describe, expect, it } from 'vitest'
import { oneNode, type OneNode } from '../../src/adapters/one-node.ts'

type Tab = OneNode & { readonly log: string[]; finishing: () => Promise<void> }

const pause = (milliseconds: number): Promise<void> =>
  new Promise((done) => setTimeout(done, milliseconds))
const until = async (condition: () => boolean): Promise<void> => {
  for (let i = 0; i < 300 && !condition(); i++) await pause(10)
  expect(condition()).toBe(true)
}

export const oneNodeSuite = (where: string): void => {
  let counter = 0
  const origin = () => {
    const name = `one-${where}-${counter++}`
    const tabs: Tab[] = []
    const tab = (waitMs = 5_000): Tab => {
      const log: string[] = []
      const events = { finishing: async (): Promise<void> => undefined }
      const one = oneNode(
        {
          finish: () => {
            log.push('finish')
            return events.finishing()
          },
          lost: (how) => log.push(how),
          vacant: () => log.push('vacant'),
          show: () => log.push('show'),
        },
        { name, waitMs },
      )
      const self: Tab = {
        log,
        claim: () => one.claim(),
        moveHere: () => one.moveHere(),
        showIt: () => one.showIt(),
        close: () => one.close(),
        set finishing(how: () => Promise<void>) {
          events.finishing = how
        },
      }
      tabs.push(self)
      return self
    }
    const close = (): void => {
      for (const one of tabs) one.close()
    }
    return { tab, close }
  }
  const node = { ok: true, value: 'node' }
  const viewer = { ok: true, value: 'viewer' }

  describe(`one node per origin (${where})`, () => {
    it('makes the first tab the node and the others viewers', async () => {
      const { tab, close } = origin()
      const [alice, bob, carol] = [tab(), tab(), tab()]
      expect(await alice.claim()).toEqual(node)
      expect(await alice.claim()).toEqual(node)
      expect(await bob.claim()).toEqual(viewer)
      expect(await carol.claim()).toEqual(viewer)
      close()
    })

    it('moves when asked, after the task in hand', async () => {
      const { tab, close } = origin()
      const [alice, bob] = [tab(), tab()]
      await alice.claim()
      await bob.claim()
      let finished = false
      alice.finishing = async () => {
        await pause(150)
        finished = true
      }
      expect(await bob.moveHere()).toEqual(node)
      expect(finished).toBe(true)
      await until(() => alice.log.includes('gave-way'))
      expect(alice.log).toEqual(['finish', 'gave-way'])
      expect(await alice.claim()).toEqual(viewer)
      expect(await alice.moveHere()).toEqual(node)
      await until(() => bob.log.includes('gave-way'))
      close()
    })

    it('is taken from a tab that does not answer in time, and that tab is told', async () => {
      const { tab, close } = origin()
      const [mallory, bob] = [tab(60_000), tab(200)]
      await mallory.claim()
      mallory.finishing = () => new Promise(() => undefined)
      const began = performance.now()
      expect(await bob.moveHere()).toEqual(node)
      expect(performance.now() - began).toBeGreaterThan(150)
      await until(() => mallory.log.includes('taken'))
      expect(await mallory.claim()).toEqual(viewer)
      close()
    })

    it('tells the viewers when the node is gone, and one of them becomes it', async () => {
      const { tab, close } = origin()
      const [alice, bob, carol] = [tab(), tab(), tab()]
      await alice.claim()
      await bob.claim()
      await carol.claim()
      alice.close()
      await until(() => bob.log.includes('vacant') && carol.log.includes('vacant'))
      const roles = [await bob.claim(), await carol.claim()]
      expect(roles).toEqual([node, viewer])
      close()
    })

    it('shows itself when a viewer asks where it is', async () => {
      const { tab, close } = origin()
      const [alice, bob, carol] = [tab(), tab(), tab()]
      await alice.claim()
      await bob.claim()
      await carol.claim()
      bob.showIt()
      await until(() => alice.log.includes('show'))
      expect([...bob.log, ...carol.log]).toEqual([])
      close()
    })

    it('leaves nothing behind when a waiting tab closes', async () => {
      const { tab, close } = origin()
      const [alice, bob, carol] = [tab(), tab(), tab()]
      await alice.claim()
      alice.finishing = () => pause(100)
      const moving = bob.moveHere()
      bob.close()
      expect(await moving).toMatchObject({ ok: false, error: { code: 'closed' } })
      alice.close()
      const carols = await carol.claim()
      if (carols.ok && carols.value === 'viewer') {
        await until(() => carol.log.includes('vacant'))
        expect(await carol.claim()).toEqual(node)
      }
      close()
    })
  })
}
