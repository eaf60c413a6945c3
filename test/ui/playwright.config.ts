/** Every state of the interface, drawn without a swarm. */
import { defineConfig } from '@playwright/test'
import base from '../e2e/playwright.config.ts'

export default defineConfig(base, { outputDir: '../../test-results/ui-runs' })
