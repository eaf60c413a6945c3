/** Goodput of tensors between two tabs, beside a bare data channel in the same two pages. */
import type { Page } from 'playwright'
import { ok, type Result } from '../../src/base/result.ts'
import type { PortError } from '../../src/ports.ts'
import { benchPages, joinRaw, type BenchPages, type BenchTab } from './bench-page.ts'
import { inTurn, row, type Row } from './bench-rows.ts'

declare const tab: BenchTab

const RUNS = 5
/** As large as a task's tensor comes: 8 MiB; and below the 64 MiB that may wait on one link. */
const TENSOR_BYTES = 8 * 1024 * 1024
const TENSORS = 4
const ALL_BYTES = TENSOR_BYTES * TENSORS
/** What is still in the queues of the one must not slow the other down. */
const REST_MS = 200

export const benchLinks = async (): Promise<Result<Row[], PortError>> => {
  const pages = await benchPages()
  if (!pages.ok) return pages
  try {
    return ok(await measure(pages.value))
  } finally {
    await pages.value.close()
  }
}

const measure = async (pages: BenchPages): Promise<Row[]> => {
  const [alice, bob] = await Promise.all([pages.newPage(), pages.newPage()])
  const open = (page: Page): Promise<string> =>
    page.evaluate((relays) => tab.open(relays), [...pages.multiaddrs])
  const [, peer] = await Promise.all([open(alice), open(bob)])
  for (const page of [alice, bob]) await page.waitForFunction(() => tab.ready())
  await alice.evaluate(([to, at]) => tab.connect(to!, at!), [peer, pages.multiaddrs[0]!])
  for (const page of [alice, bob]) await page.waitForFunction(() => tab.direct())
  await joinRaw(alice, bob)
  const timed = async (send: () => Promise<void>): Promise<number> => {
    await bob.evaluate((length) => tab.expect(length), ALL_BYTES)
    const began = performance.now()
    await Promise.all([send(), bob.evaluate(() => tab.arrived())])
    const seconds = (performance.now() - began) / 1_000
    await new Promise((resolve) => setTimeout(resolve, REST_MS))
    return ALL_BYTES / 1e6 / seconds
  }
  const contenders = {
    ours: () =>
      timed(() =>
        alice.evaluate(([to, length, count]) => tab.sendTensors(to, length, count), [
          peer,
          TENSOR_BYTES,
          TENSORS,
        ] as const),
      ),
    raw: () => timed(() => alice.evaluate((length) => tab.raw.send(length), ALL_BYTES)),
  }
  // The first of each opens windows and warms the code up.
  await inTurn(1, contenders)
  const { ours, raw } = await inTurn(RUNS, contenders)
  const name = `tensors from tab to tab, ${TENSORS} × ${TENSOR_BYTES / 2 ** 20} MiB`
  return [row(name, 'MB/s', ours, { 'bare data channel': raw })]
}
