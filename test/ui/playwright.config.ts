/** Every state of the interface, drawn without a swarm: each by itself, so two at a time. */
import { defineConfig } from '@playwright/test'
import base from '../e2e/playwright.config.ts'

export default defineConfig(base, {
  outputDir: '../../test-results/ui-runs',
  workers: 2,
  fullyParallel: true,
})
