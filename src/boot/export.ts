/** Everything a store holds as lines of JSON, one record each; for a person who wants to have it, or to leave. */
import { ok, type Result } from '../base/result.ts'
import type { PortError, Store } from '../ports.ts'
import { TABLES } from '../wire/stored.ts'

/** Characters made of bytes at once: more arguments than this overflow the stack. */
const CHUNK = 32_768

const base64 = (bytes: Uint8Array): string => {
  let text = ''
  for (let at = 0; at < bytes.length; at += CHUNK)
    text += String.fromCharCode(...bytes.subarray(at, at + CHUNK))
  return btoa(text)
}

/** Bytes as dag-json writes them, so that other programs can read them back. */
const plain = (_key: string, value: unknown): unknown => {
  if (value instanceof Uint8Array) return { '/': { bytes: base64(value) } }
  return value instanceof Map ? Object.fromEntries(value) : value
}

/** What cannot be read is named in its place: a damaged store is exported as far as it goes. */
export const exportStore = async (
  store: Pick<Store, 'all'>,
  account: string,
): Promise<Result<Blob, PortError>> => {
  const lines = [`${JSON.stringify({ kind: 'swarmharness-export', v: 2, account })}\n`]
  for (const table of TABLES) {
    const found = await store.all(table)
    if (!found.ok) return found
    for (const { key, value } of found.value.records)
      lines.push(`${JSON.stringify({ table, key, value }, plain)}\n`)
    for (const key of found.value.corrupt)
      lines.push(`${JSON.stringify({ table, key, damaged: true })}\n`)
  }
  return ok(new Blob(lines, { type: 'application/jsonl' }))
}
