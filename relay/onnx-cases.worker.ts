/** The process that runs operator cases, one after another: it can be killed where a case does not end. */
import { runCase } from './onnx-cases.ts'
import { openEngine } from './tensor-engines.ts'
import type { CaseMessage } from './case-process.ts'

const tell = (message: CaseMessage): void => void process.send!(message)

const engine = await openEngine(process.argv[2] === 'cpu' ? 'cpu' : 'webgpu')
if (engine.ok) tell({ kind: 'ready', name: engine.value.name })
else tell({ kind: 'none', error: engine.error })

const answer = async (folder: string): Promise<void> => {
  if (engine.ok) tell({ kind: 'done', result: await runCase(folder, engine.value) })
}
process.on('message', (folder: string) => void answer(folder))
// Nobody is left to answer.
process.on('disconnect', () => process.exit())
