/** Real tabs: the app in a Chromium, at the size of a desk and of a phone. */
import { defineConfig } from '@playwright/test'
import { chromiumFlags, findChromium } from '../../relay/find-chromium.mjs'

const chromium = await findChromium()

export default defineConfig({
  testDir: '.',
  testMatch: '**/*.{test,spec}.ts',
  outputDir: '../../test-results',
  // A test that passes the second time has found something: look at it instead of trying again.
  retries: 0,
  workers: 1,
  forbidOnly: true,
  timeout: 120_000,
  expect: { timeout: 20_000 },
  reporter: 'list',
  use: {
    browserName: 'chromium',
    headless: true,
    // Hides WebRTC's own addresses behind mDNS names otherwise, which loopback alone cannot resolve.
    launchOptions: {
      ...(chromium === null ? {} : { executablePath: chromium }),
      args: [...chromiumFlags, '--disable-features=WebRtcHideLocalIpsWithMdns'],
    },
    trace: 'retain-on-failure',
    screenshot: 'only-on-failure',
  },
  projects: [
    { name: 'desktop', use: { viewport: { width: 1280, height: 800 } } },
    {
      name: 'phone',
      use: {
        viewport: { width: 390, height: 844 },
        deviceScaleFactor: 2,
        isMobile: true,
        hasTouch: true,
      },
    },
  ],
})
