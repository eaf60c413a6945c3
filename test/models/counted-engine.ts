/** An engine that says how many talks were in each run. */
import { ok } from '../../src/base/result.ts'
import type { GraphEngine } from '../../src/models/graph-engine.ts'

export type CountedEngine = GraphEngine & {
  /** Of every run, in their order. */
  readonly talks: number[]
  /** Once nothing is being made ready any more. */
  settled(): Promise<void>
}

export const counted = (engine: GraphEngine): CountedEngine => {
  const talks: number[] = []
  const making = new Set<Promise<unknown>>()
  return {
    talks,
    answersInMemory: engine.answersInMemory,
    tables: (types) => engine.tables(types),
    async settled() {
      while (making.size > 0) await Promise.all(making)
      await new Promise((resolve) => {
        setTimeout(resolve)
      })
    },
    prepare(bound, states) {
      const made = engine.prepare(bound, states).then((prepared) => {
        if (!prepared.ok) return prepared
        const ready = prepared.value
        return ok({
          kind: ready.kind,
          run: (...[inputs, tables = []]: Parameters<typeof ready.run>) => {
            talks.push(tables.length)
            return ready.run(inputs, tables)
          },
          close: () => ready.close(),
        })
      })
      making.add(made)
      void made.finally(() => making.delete(made))
      return made
    },
  }
}
