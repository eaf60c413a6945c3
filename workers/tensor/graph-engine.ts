/** The tensor engine of a node as stages of models ask for it. */
import { err, ok } from '../../src/base/result.ts'
import { computeError } from '../errors.ts'
import { FREE } from '../runnable.ts'
import { areOwn, Tables } from './tables.ts'
import type { GraphEngine } from '../../src/models/graph-engine.ts'
import type { Control } from '../runnable.ts'
import type { TensorEngine } from './engine.ts'

export const graphEngine = (
  engine: TensorEngine,
  answersInMemory = false,
  control: Control = FREE,
): GraphEngine & { close(): void } => ({
  answersInMemory,
  close: () => engine.close(),
  tables: (types) => new Tables(types),
  async prepare(bound, states, given) {
    const prepared = await engine.prepare(bound, states, given)
    if (!prepared.ok) return prepared
    return ok({
      kind: prepared.value.kind,
      async run(inputs, tables = []) {
        if (!areOwn(tables)) return err(computeError('bad-param', 'tables of another engine'))
        const ran = await prepared.value.run(inputs, control, tables)
        return ran.ok ? ok(ran.value.outputs) : ran
      },
      close: () => prepared.value.close(),
    })
  },
})
