/// <reference types="vite/types/import-meta.d.ts" />
/** The shaders' text. The only file that takes *.wgsl from the bundler; everything else asks here. */
const FILES = import.meta.glob<string>('./*.wgsl', {
  query: '?raw',
  import: 'default',
  eager: true,
})

/** `stem` is a kernel's `shader`: `matmul` for matmul.wgsl. */
export const shaderSource = (stem: string): string | undefined => FILES[`./${stem}.wgsl`]
