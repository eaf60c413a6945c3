/**
 * How the library is built: what a program imports, with its workers and everything else beside it, so that a
 * page without a bundler can import it by its address.
 */
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { defineConfig, type Plugin } from 'vite'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** How ONNX Runtime names its WebAssembly. */
const WASM = /new URL\("(ort-wasm[\w.-]+\.wasm)",import\.meta\.url\)/g

/** Builds of libraries write assets into the script, which would be 38 MB of text for the CPU engine. */
const wasmBeside = (): Plugin => ({
  name: 'wasm-beside',
  apply: 'build',
  enforce: 'pre',
  async transform(code, id) {
    const names = new Set([...code.matchAll(WASM)].map(([, name]) => name!))
    if (names.size === 0) return null
    const references = new Map<string, string>()
    for (const name of names) {
      const source = await readFile(new URL(name, `file://${id.split('?', 1)[0]}`))
      references.set(name, this.emitFile({ type: 'asset', name, source }))
    }
    const named = (_: string, name: string): string =>
      `new URL(import.meta.ROLLUP_FILE_URL_${references.get(name)!})`
    return { code: code.replaceAll(WASM, named), map: null }
  },
})

export default defineConfig({
  base: './',
  publicDir: false,
  worker: { format: 'es', plugins: () => [wasmBeside()] },
  build: {
    outDir: 'dist/sdk',
    target: 'es2024',
    lib: { entry: here('src/sdk.ts'), formats: ['es'], fileName: 'sdk' },
  },
})
