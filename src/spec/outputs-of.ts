/** What a program makes, by name, and the formats that a person may have it in. */
import type { Program } from '../core/job.ts'
import { graphOutputs } from './graph-ends.ts'
import { outputRules, type OutputRule } from './program.ts'

/** null for a model that is not there yet. */
export const outputsOf = (program: Program): Readonly<Record<string, OutputRule>> | null =>
  program.kind === 'graph' ? graphOutputs(program.graph) : outputRules(program.kind)
