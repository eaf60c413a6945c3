/** What headless nodes lend: the command is their owner's consent, and these flags are its terms. */
import { kernelIds } from '../../kernels/index.ts'
import { ok, type Result } from '../../src/base/result.ts'
import { STAGE_KERNEL } from '../../src/peer/models/stage-part.ts'
import { oneOf } from '../../src/spec/spec-error.ts'
import type { Lent } from '../headless.ts'
import type { PreparedJob } from '../prepare-job.ts'
import { usage, type Args, type Flags, type Usage } from './args.ts'

export const ALLOW_WGSL: Flags = {
  'allow-wgsl': {
    type: 'boolean',
    help: 'these nodes run shaders that others wrote (run: wgsl), within bounds; off',
  },
}

/** `--skills A,B` and `--allow-wgsl` as the limits of a node. @error usage */
export const lentOf = (args: Args): Result<Lent, Usage> => {
  const allowWgsl = args.on('allow-wgsl')
  const text = args.text('skills')
  if (text === undefined) return ok({ allowWgsl })
  // Layers of models are no kernel, and an owner's to refuse like one.
  const known = [...kernelIds(), STAGE_KERNEL].map(stem)
  const wanted = text.split(',').map((word) => stem(word.trim()))
  for (const skill of wanted.filter((word) => word !== 'wgsl')) {
    if (!known.includes(skill))
      return usage(`--skills: expected ${oneOf([...known, 'wgsl'], skill)}, found "${skill}"`)
  }
  if (wanted.includes('wgsl') && !allowWgsl)
    return usage('--skills: wgsl needs --allow-wgsl, for it runs what others wrote')
  return ok({ allowWgsl, refuses: known.filter((name) => !wanted.includes(name)) })
}

/** `matmul` for `matmul@1`. */
const stem = (kernel: string): string => kernel.split('@')[0]!

/** Why nodes that a command brings itself could never do a job; null where they could. */
export const neverDone = (
  { job }: PreparedJob,
  nodes: number,
  { allowWgsl = false }: Lent,
): string | null => {
  if (job.program.kind === 'wgsl' && !allowWgsl)
    return 'the spec brings a shader of its own, and these nodes run none: allow it with --allow-wgsl'
  if (job.redundancy > nodes)
    return `the job wants each result from ${job.redundancy} different nodes: bring as many with --nodes ${job.redundancy}`
  return null
}
