/**
 * How the library is built: what a program imports, with its workers and everything else beside it, so that a
 * page without a bundler can import it by its address.
 */
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

export default defineConfig({
  base: './',
  publicDir: false,
  worker: { format: 'es' },
  build: {
    outDir: 'dist/sdk',
    target: 'es2024',
    lib: { entry: here('src/sdk.ts'), formats: ['es'], fileName: 'sdk' },
  },
})
