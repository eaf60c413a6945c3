import { describe, expect, it } from 'vitest'
import { ownScript } from './trusted-types.ts'

const PAGE = 'https://swarm.example/app/?share=50#/jobs'

describe('what may run as script', () => {
  it('is what the build put beside the page', () => {
    for (const address of [
      'https://swarm.example/app/assets/compute.worker-Ab_1.js',
      './offline.sw.js',
      '/app/assets/tick.worker-x.js',
    ])
      expect(ownScript(address, PAGE)).toBe(address)
  })
  it('is nothing that mallory can name', () => {
    for (const address of [
      'https://mallory.example/app/assets/a.js',
      '//mallory.example/assets/a.js',
      'data:text/javascript,alert(1)',
      'blob:https://swarm.example/1234',
      '/assets/a.js',
      '/app/assets/../../jobs/a.js',
      './assets/a.js?callback=alert',
      './jobs/sum.swarm.md',
      'https://',
    ])
      expect(ownScript(address, PAGE), address).toBeNull()
  })
})
