import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium, type Browser, type Page } from 'playwright'
import { build } from 'vite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { chromiumFlags, findChromium } from '../../relay/find-chromium.mjs'
import { loopbackMode, loopbackPage } from '../../relay/loopback.ts'
import type { RunningRelay } from '../../relay/relay.ts'
import { recorder } from '../ports/network.suite.ts'
import { nodeFor, relayFor, until } from './rig.ts'
import type { Tab } from './tab.ts'

declare const tab: Tab

const mode = loopbackMode()
const setup = loopbackPage(mode === 'inside' ? 'inside' : 'rewriting')
const body = { length: 5_000_001, fill: 7 }

describe(`tabs on ${mode === 'inside' ? 'a loopback-only machine' : 'a machine with a network'}`, () => {
  let root: string
  let relay: RunningRelay
  let browser: Browser
  const pages: Page[] = []
  const complaints: string[] = []

  const openTab = async (): Promise<{ page: Page; peer: string }> => {
    const context = await browser.newContext({ permissions: [...setup.permissions] })
    if (setup.initScript !== null) await context.addInitScript({ path: setup.initScript })
    const page = await context.newPage()
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
    page.on('pageerror', (error) => complaints.push(String(error)))
    pages.push(page)
    await page.goto(relay.url)
    await page.waitForFunction(() => 'tab' in globalThis)
    const peer = await page.evaluate((relays) => tab.open(relays), [...relay.multiaddrs])
    await page.waitForFunction(() => tab.relay() !== null)
    return { page, peer }
  }

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'swarm-tabs-'))
    await build({
      configFile: false,
      logLevel: 'error',
      root: fileURLToPath(new URL('.', import.meta.url)),
      build: {
        outDir: root,
        emptyOutDir: true,
        target: 'es2024',
        lib: {
          entry: fileURLToPath(new URL('tab.ts', import.meta.url)),
          formats: ['es'],
          fileName: 'tab',
        },
      },
    })
    await writeFile(
      join(root, 'index.html'),
      '<!doctype html><title>tab</title><link rel="icon" href="data:,"><script type="module" src="/tab.js"></script>',
    )
    relay = await relayFor({ appDir: root })
    const executablePath = await findChromium()
    expect(executablePath, 'a Chromium is needed').not.toBeNull()
    browser = await chromium.launch({
      executablePath: executablePath!,
      args: [...chromiumFlags, ...setup.args],
    })
  })
  afterAll(async () => {
    await browser?.close()
    await relay?.close()
    await rm(root, { recursive: true, force: true })
  })

  it('alice and bob link directly, say hello, and carry bodies both ways', async () => {
    const [alice, bob] = await Promise.all([openTab(), openTab()])
    const from = Date.now()
    await alice.page.evaluate(
      ([peer, at]) => tab.connect(peer!, at!),
      [bob.peer, relay.multiaddrs[0]!],
    )
    await alice.page.waitForFunction(() => tab.told().opened.length === 1)
    await bob.page.waitForFunction(() => tab.told().opened.length === 1)
    console.info(
      `tab to tab: linked in ${Date.now() - from} ms (${mode === 'inside' ? 'permission' : 'rewriting'})`,
    )
    for (const { page } of [alice, bob]) {
      const { links } = await page.evaluate(() => tab.told())
      expect(Object.values(links)).toMatchObject([{ direct: true }])
    }
    await alice.page.evaluate((peer) => tab.beat(peer), bob.peer)
    const start = Date.now()
    await Promise.all([
      alice.page.evaluate(([peer, { length, fill }]) => tab.body(peer, length, fill), [
        bob.peer,
        body,
      ] as const),
      bob.page.evaluate(([peer, { length, fill }]) => tab.body(peer, length, fill), [
        alice.peer,
        body,
      ] as const),
    ])
    for (const { page } of [alice, bob]) {
      await page.waitForFunction(() => tab.told().bodies.length === 1)
      const sum = await page.evaluate(({ length, fill }) => tab.sumOf(length, fill), body)
      expect((await page.evaluate(() => tab.told())).bodies).toEqual([{ bytes: body.length, sum }])
    }
    console.info(`tab to tab: 5 MB each way in ${Date.now() - start} ms`)
    expect((await bob.page.evaluate(() => tab.told())).heads).toEqual(['beat', 'tensor'])
    expect(complaints, 'no violation of the policy, no error').toEqual([])
  })

  it('need no timer of the page to carry bytes, so that a hidden tab is as fast', async () => {
    const [alice, bob] = [pages[0]!, pages[1]!]
    const peers = await Promise.all(
      [alice, bob].map((page) => page.evaluate(() => tab.told().opened[0]!)),
    )
    const restore: (() => Promise<void>)[] = []
    for (const page of [alice, bob]) {
      await page.evaluate(() => {
        const kept = { setTimeout, setInterval, requestAnimationFrame }
        Object.assign(globalThis, {
          kept,
          setTimeout: () => 0,
          setInterval: () => 0,
          requestAnimationFrame: () => 0,
        })
      })
      restore.push(() =>
        page.evaluate(
          () => void Object.assign(globalThis, (globalThis as unknown as { kept: object }).kept),
        ),
      )
    }
    await alice.evaluate(([peer, { length, fill }]) => tab.body(peer, length, fill), [
      peers[0]!,
      body,
    ] as const)
    await bob.evaluate(([peer, { length, fill }]) => tab.body(peer, length, fill), [
      peers[1]!,
      body,
    ] as const)
    for (const page of [alice, bob]) {
      await until(
        'arrived',
        async () => (await page.evaluate(() => tab.told().bodies.length)) === 2,
        30_000,
      )
    }
    await Promise.all(restore.map((undo) => undo()))
    const { bodies } = await bob.evaluate(() => tab.told())
    expect(bodies[1]).toEqual(bodies[0])
  })

  it('a node in Node links directly with a tab, whoever calls', async () => {
    const { page, peer } = await openTab()
    const events = recorder()
    const node = await nodeFor(relay.multiaddrs, events.events)
    await until('a place', () => node.relay() !== null)
    node.connect(peer as never, relay.multiaddrs[0]!)
    await until('linked', () => events.count('opened') === 1)
    expect(Object.values((await page.evaluate(() => tab.told())).links)).toMatchObject([
      { direct: true },
    ])
    await page.evaluate((self) => tab.beat(self), node.self as string)
    await until('heard', () => events.heads().length === 1)
    await node.close()

    const other = recorder()
    const callee = await nodeFor(relay.multiaddrs, other.events)
    await until('a place', () => callee.relay() !== null)
    await page.evaluate(
      ([self, at]) => tab.connect(self!, at!),
      [callee.self as string, relay.multiaddrs[0]!],
    )
    await until('linked', () => other.count('opened') === 1)
    await page.waitForFunction(
      (self) => tab.told().links[self]?.direct === true,
      callee.self as string,
    )
    await callee.close()
  })

  it('links live on when the relay dies, and say so in words', async () => {
    const [alice, bob] = [pages[0]!, pages[1]!]
    await relay.close()
    await alice.waitForFunction(() => tab.relay() === null)
    const bobPeer = await alice.evaluate(() => tab.told().opened[0]!)
    const before = await bob.evaluate(() => tab.told().heads.length)
    await alice.evaluate((peer) => tab.beat(peer), bobPeer)
    await bob.waitForFunction((count) => tab.told().heads.length === count + 1, before)
    const { reachability, closed } = await alice.evaluate(() => tab.told())
    expect(closed.filter((line) => line.startsWith(bobPeer))).toEqual([])
    expect(['no-relay', 'offline']).toContain(reachability.at(-1)?.kind)
  })
})
