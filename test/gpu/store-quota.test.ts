/** A browser that gives no more space, for real. */
import { expect, it } from 'vitest'
import { cdp } from 'vitest/browser'
import { openStore } from '../../src/adapters/indexeddb.ts'

/** Typed where the provider's own types are not. */
const devtools = (): { send(method: string, params: object): Promise<unknown> } => cdp() as never

it('says quota-full when the browser gives no more, and keeps what it had', async () => {
  const { origin } = location
  const { usage = 0 } = await navigator.storage.estimate()
  const quotaSize = usage + 3_000_000
  await devtools().send('Storage.overrideQuotaForOrigin', { origin, quotaSize })
  const opened = await openStore({ name: crypto.randomUUID() })
  if (!opened.ok) throw new Error(opened.error.code)
  const { store } = opened.value
  try {
    const codes: (true | string)[] = []
    for (let i = 0; i < 50 && codes.at(-1) !== 'quota-full'; i++) {
      // Chromium remembers for half a minute how much there was before.
      if (i > 10) await new Promise((done) => setTimeout(done, 1_000))
      const writes = [
        { table: 'meta', key: 'tip', value: i },
        { table: 'job-outputs', key: `o${i}`, value: noise(600_000) },
      ] as const
      const result = await store.write(writes, 'strict')
      codes.push(result.ok || result.error.code)
    }
    expect(codes[0]).toBe(true)
    expect(codes).toContain('quota-full')
    const kept = codes.length - 2
    expect(await store.read('meta', 'tip')).toEqual({ ok: true, value: kept })
    const outputs = await store.all('job-outputs')
    expect(outputs).toMatchObject({ value: { corrupt: [] } })
    if (outputs.ok)
      expect(outputs.value.records.length).toBe(codes.filter((c) => c === true).length)
    expect(await store.clear()).toEqual({ ok: true, value: null })
  } finally {
    await devtools().send('Storage.overrideQuotaForOrigin', { origin })
  }
  expect(await store.write([{ table: 'meta', key: 'after', value: 1 }], 'strict')).toMatchObject({
    ok: true,
  })
  store.close()
})

const noise = (length: number): Uint8Array<ArrayBuffer> => {
  const bytes = new Uint8Array(length)
  for (let at = 0; at < length; at += 65_536)
    crypto.getRandomValues(bytes.subarray(at, at + 65_536))
  return bytes
}
