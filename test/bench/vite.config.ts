/** Builds the pages of the benchmarks: the product's own network, compute worker and tensor engine, and nothing around them. */
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'

const page = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: './',
  publicDir: false,
  worker: { format: 'es' },
  build: {
    target: 'es2024',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    rolldownOptions: { input: [page('index.html'), page('kernels.html'), page('llm.html')] },
  },
})
