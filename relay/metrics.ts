/**
 * The relay in numbers, in Prometheus' text form (version 0.0.4). Sums only: no peer, account or
 * address is ever named.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'

export type Metric = {
  readonly name: string
  readonly kind: 'counter' | 'gauge'
  readonly help: string
  readonly samples: readonly {
    readonly labels?: Readonly<Record<string, string>>
    readonly value: number
  }[]
}

export const gauge = (name: string, help: string, value: number): Metric => ({
  name,
  kind: 'gauge',
  help,
  samples: [{ value }],
})
export const counter = (name: string, help: string, value: number): Metric => ({
  name,
  kind: 'counter',
  help,
  samples: [{ value }],
})
export const counters = (
  name: string,
  help: string,
  label: string,
  values: ReadonlyMap<string, number>,
): Metric => ({
  name,
  kind: 'counter',
  help,
  samples: [...values].map(([key, value]) => ({ labels: { [label]: key }, value })),
})

export const exposition = (metrics: readonly Metric[]): string =>
  metrics
    .map(({ name, kind, help, samples }) =>
      [
        `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`,
        `# TYPE ${name} ${kind}`,
        ...samples.map(
          ({ labels, value }) => `${name}${braces(labels)} ${Number.isFinite(value) ? value : 0}`,
        ),
        '',
      ].join('\n'),
    )
    .join('')

const braces = (labels: Readonly<Record<string, string>> | undefined): string => {
  if (!labels) return ''
  const quoted = Object.entries(labels).map(([key, value]) => `${key}="${escaped(value)}"`)
  return `{${quoted.join(',')}}`
}

const escaped = (value: string): string =>
  value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')

/** What the process itself shows; the delay is how late the event loop was since the last look. */
export const processMetrics = (): { read(): Metric[]; close(): void } => {
  const delay = monitorEventLoopDelay({ resolution: 20 })
  delay.enable()
  return {
    read() {
      const { user, system } = process.cpuUsage()
      const late = delay.percentile(99) / 1e9
      delay.reset()
      return [
        gauge(
          'process_resident_memory_bytes',
          'Memory of this process.',
          process.memoryUsage.rss(),
        ),
        counter('process_cpu_seconds_total', 'CPU time of this process.', (user + system) / 1e6),
        gauge('process_uptime_seconds', 'Since this process started.', process.uptime()),
        gauge('nodejs_eventloop_delay_p99_seconds', '99th percentile since the last scrape.', late),
      ]
    },
    close: () => delay.disable(),
  }
}
