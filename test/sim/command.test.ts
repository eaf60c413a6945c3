/** `swarm sim`, as a person and as another program meet it: a process of its own each time. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { SCENARIOS, scenarioByName } from '../../src/sim/scenarios.ts'
import { simulate } from '../../src/sim/simulate.ts'

const cli = fileURLToPath(new URL('../../relay/cli.ts', import.meta.url))

const swarm = (...words: readonly string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, 'sim', ...words], {
    encoding: 'utf8',
    timeout: 60_000,
  })
  return { status, stdout, stderr }
}

describe('swarm sim', () => {
  it('gives the same digest in another process', () => {
    const options = { scenario: scenarioByName('everything')!, seed: 11, nodes: 8, forMs: 30_000 }
    const hours = String(options.forMs / 3_600_000)
    const run = swarm('everything', '--seed', '11', '--nodes', '8', '--hours', hours, '--json', '-')
    expect(run.status, run.stderr).toBe(0)
    const report = JSON.parse(run.stdout) as Record<string, unknown>
    const here = simulate(options)
    expect(report).toMatchObject({
      scenario: 'everything',
      seed: 11,
      nodes: 8,
      digest: here.digest,
      events: here.events,
      simulatedMs: here.simulatedMs,
      violations: [],
      measures: here.measures,
    })
    expect(report['eventsPerSecond']).toBeGreaterThan(0)
  })

  it('says nothing on standard error where nobody looks at a terminal', () => {
    const run = swarm('calm', '--nodes', '3', '--hours', '0.002')
    expect(run.stderr).toBe('')
    expect(run.stdout).toContain('no promise was broken')
    expect(run.status).toBe(0)
  })

  it('names its scenarios', () => {
    const run = swarm('--list')
    expect(run.status).toBe(0)
    for (const { name, summary } of SCENARIOS) {
      expect(run.stdout).toContain(name)
      expect(run.stdout).toContain(summary)
    }
  })

  it.each([
    [['clam'], 'there is no scenario "clam"'],
    [[], 'a scenario is missing'],
    [['calm', '--nodes', '0'], '--nodes: expected a whole number from 1'],
    [['calm', '--nodes', 'many'], '--nodes'],
    [['calm', '--nodes', '2.5'], '--nodes'],
    [['calm', '--seed', '-1'], '--seed'],
    [['calm', '--seed', 'one'], '--seed: expected a whole number from 0'],
    [['calm', '--hours', '0'], '--hours: expected a number'],
    [['calm', '--hours', 'two'], '--hours: expected a number'],
    [['calm', '--hours', '1e3'], '--hours'],
    [['calm', '--hours='], '--hours'],
    [['calm', '--hours', '25'], '--hours'],
    [['calm', '--speed', '3'], '--speed'],
    [['calm', 'churn'], 'churn'],
  ])('refuses %j as bad usage, and says why', (words, why) => {
    const run = swarm(...words)
    expect(run.stderr).toContain(why)
    expect(run.stdout).toBe('')
    expect(run.status).toBe(2)
  })
})
