/**
 * Kinds of tests: `unit` needs only Node, `net` opens sockets on 127.0.0.1, `gpu` needs a Chromium,
 * `soak` takes longer than anyone waits for and is not part of `npm test`.
 */
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { playwright } from '@vitest/browser-playwright'
import { defineConfig } from 'vitest/config'
import { chromiumFlags, findChromium } from './relay/find-chromium.mjs'

/** Looked for only when a browser is going to be started: asking a Chromium its version takes a while. */
const wanted = (name: string): boolean => {
  const named = process.argv.flatMap((word, i, all) =>
    word === '--project' ? [all[i + 1]] : word.startsWith('--project=') ? [word.slice(10)] : [],
  )
  return named.length === 0 || named.includes(name)
}

const chromium = wanted('gpu') ? await findChromium() : null

export default defineConfig({
  test: {
    projects: [
      {
        plugins: [svelte()],
        test: {
          name: 'unit',
          environment: 'node',
          include: [
            '{kernels,src,workers,relay}/**/*.test.ts',
            'test/*.test.ts',
            'test/{models,sim,ports,tensor,vectors}/**/*.test.ts',
          ],
          // Two slow cores shared with others: a property test of a second there is not a hang.
          testTimeout: 180_000,
          hookTimeout: 180_000,
          // Vitest leaves a core to itself: of two, that is half of the machine.
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: 'net',
          environment: 'node',
          include: ['test/net/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'soak',
          environment: 'node',
          include: ['test/soak/**/*.test.ts'],
          testTimeout: 12 * 60 * 60_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        // Found before the browser starts: a dependency discovered later reloads the page mid-test.
        optimizeDeps: { entries: ['test/gpu/**/*.ts', 'workers/**/*.ts'] },
        test: {
          name: 'gpu',
          include: ['test/gpu/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 60_000,
          fileParallelism: false,
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({
              launchOptions: {
                ...(chromium === null ? {} : { executablePath: chromium }),
                args: chromiumFlags,
              },
            }),
            instances: [{ browser: 'chromium' }],
          },
          api: { host: '127.0.0.1' },
        },
      },
    ],
  },
})
