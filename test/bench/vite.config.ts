/** Builds the page of the benchmarks: the product's own network and compute worker, and nothing around them. */
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: './',
  publicDir: false,
  worker: { format: 'es' },
  build: { target: 'es2024', emptyOutDir: true, assetsInlineLimit: 0 },
})
