import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { icons } from './make-icons.mjs'

it('keeps the icon files as the script draws them, and names only those in the manifest', () => {
  const files = icons()
  for (const [name, bytes] of Object.entries(files)) {
    const kept = readFileSync(new URL(`../public/icons/${name}`, import.meta.url))
    expect(Buffer.compare(kept, Buffer.from(bytes)), name).toBe(0)
  }
  const manifest = readFileSync(new URL('../public/manifest.webmanifest', import.meta.url), 'utf8')
  const named = [...manifest.matchAll(/"icons\/([^"]+)"/g)].map(([, name]) => name)
  expect(named.length).toBeGreaterThan(0)
  for (const name of named) expect(Object.keys(files)).toContain(name)
})
