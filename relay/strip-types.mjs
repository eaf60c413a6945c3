// Loaded before the program where it lies in a `node_modules` folder: there Node itself leaves types in
// place. Threads inherit the flag that loads this, and with it the hook.
import { readFileSync } from 'node:fs'
import { registerHooks, stripTypeScriptTypes } from 'node:module'

const ours = new URL('..', import.meta.url).href

registerHooks({
  load(url, context, next) {
    if (!url.startsWith(ours) || !url.endsWith('.ts')) return next(url, context)
    const source = stripTypeScriptTypes(readFileSync(new URL(url), 'utf8'))
    return { format: 'module', shortCircuit: true, source }
  },
})
