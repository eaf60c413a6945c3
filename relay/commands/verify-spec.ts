/** The spec that `swarm run` left beside a job's outputs: is it still the contract that the job names? */
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { parseSpec } from '../../src/spec/spec.ts'
import { specFileName } from '../result-files.ts'
import type { Bundle } from './verify-bundle.ts'
import type { Finding } from './verify-checks.ts'
import { specFiles, type Places } from './verify-inputs.ts'

export const checkSpec = ({ job }: Bundle, { dirs }: Places): Finding[] => {
  if (job === null || typeof job.spec !== 'string' || typeof job.name !== 'string') return []
  const name = specFileName(job.name, job.spec)
  const file = dirs.flatMap(specFiles).find((path) => basename(path) === name)
  if (file === undefined) return []
  const spec = parseSpec(new Uint8Array(readFileSync(file)), name)
  const holds = spec.ok && spec.value.cid === job.spec
  const detail = holds ? file : `${file} says something else than the job`
  return [{ what: 'spec', holds, detail }]
}
