/** The small real model whose answers are known, where it is on this machine. */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('../../../shared/models/stories260k', import.meta.url))

type Greedy = {
  readonly new_ids: readonly number[]
  readonly text: string
  readonly logits_after_prompt: readonly number[]
  readonly min_top2_logit_margin: number
}

export type OracleCase = {
  readonly prompt: string
  readonly prompt_ids: readonly number[]
  readonly greedy: Readonly<Record<'F32' | 'Q8_0' | 'Q4_0', Greedy>>
}

export type Oracle = { readonly folder: string; readonly cases: readonly OracleCase[] }

export const oracle: Oracle | null = existsSync(`${folder}/oracle.json`)
  ? {
      folder,
      ...(JSON.parse(readFileSync(`${folder}/oracle.json`, 'utf8')) as Pick<Oracle, 'cases'>),
    }
  : null

if (oracle === null) process.stderr.write(`skipped without a model: there is no ${folder}\n`)
