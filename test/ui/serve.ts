/** Builds the page of states and serves it under a policy at least as strict as the relay's. */
import { fileURLToPath } from 'node:url'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { build, preview } from 'vite'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "worker-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "require-trusted-types-for 'script'",
  'trusted-types svelte-trusted-html',
].join('; ')

export const serveStates = async (
  name: string,
): Promise<{ origin: string; close(): Promise<void> }> => {
  const outDir = here(`../../test-results/ui-page-${name}`)
  const common = {
    configFile: false,
    root: here('.'),
    publicDir: here('../../public'),
    logLevel: 'warn',
  } as const
  await build({
    ...common,
    base: './',
    plugins: [svelte({ configFile: here('../../svelte.config.js') })],
    build: { outDir, emptyOutDir: true, target: 'es2024', assetsInlineLimit: 0 },
  })
  const server = await preview({
    ...common,
    build: { outDir },
    preview: { host: '127.0.0.1', port: 0, headers: { 'Content-Security-Policy': POLICY } },
  })
  return { origin: server.resolvedUrls!.local[0]!, close: () => server.close() }
}
