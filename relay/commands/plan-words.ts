/** What a job would be cut into, and what that costs by formula: for a person, before anything is sent. */
import { GRAPH, graphKernel } from '../../kernels/graph.ts'
import { nodeLabel } from '../../kernels/tensor/graph.ts'
import type { Plan, PlannedTask } from '../../src/core/plan.ts'
import { credits, table } from '../terminal.ts'

/** More tasks are counted and not listed. */
const LISTED_MAX = 40
/** Of a part's operators. */
const NAMED_MAX = 4

export const planInWords = ({ tasks, totals }: Plan, redundancy: number): string => {
  const listed = tasks.slice(0, LISTED_MAX)
  const lines = [
    table(
      ['task', 'kernel', 'operations', 'bytes', 'credits', ''],
      listed.map((task) => [
        String(task.index),
        task.kernel,
        String(task.flop),
        String(task.bytes),
        credits(task.microCredits),
        operatorsOf(task),
      ]),
    ),
    ...(listed.length < tasks.length ? [`and ${tasks.length - listed.length} more`] : []),
    '',
    `${tasks.length} tasks, ${totals.flop} operations, ${totals.bytes} bytes`,
    `${credits(totals.microCredits * redundancy)} credits at most; nothing was sent`,
  ]
  return lines.join('\n')
}

const operatorsOf = ({ kernel, params }: PlannedTask): string => {
  const parsed = kernel === GRAPH ? graphKernel.parse(params) : null
  if (parsed?.ok !== true) return ''
  const labels = parsed.value.bound.nodes.map(({ node }) => nodeLabel(node))
  const more = labels.length > NAMED_MAX ? `, and ${labels.length - NAMED_MAX} more` : ''
  return labels.slice(0, NAMED_MAX).join(', ') + more
}
