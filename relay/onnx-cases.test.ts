import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PbfWriter } from 'pbf'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCase } from './onnx-cases.ts'

/** A model of one node that answers y. */
const modelOf = (op: string): Uint8Array => {
  const at = new PbfWriter()
  const node = (_: null, to: PbfWriter): void => {
    to.writeStringField(2, 'y')
    to.writeStringField(4, op)
  }
  const output = (_: null, to: PbfWriter): void => to.writeStringField(1, 'y')
  const graph = (_: null, to: PbfWriter): void => {
    to.writeMessage(1, node, null)
    to.writeMessage(12, output, null)
  }
  at.writeMessage(7, graph, null)
  return at.finish()
}

describe('an operator case', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'swarm-cases-'))
  })
  afterAll(() => rm(folder, { recursive: true }))

  it('is named as not covered, also where what it answers is no tensor', async () => {
    const sequence = new PbfWriter()
    sequence.writeStringField(1, 'a name where a tensor has its dimensions')
    await mkdir(join(folder, 'test_data_set_0'))
    await writeFile(join(folder, 'model.onnx'), modelOf('SplitToSequence'))
    await writeFile(join(folder, 'test_data_set_0', 'output_0.pb'), sequence.finish())
    const engine = { name: '', run: async () => expect.unreachable(), close: () => undefined }
    expect(await runCase(folder, engine)).toMatchObject({
      result: 'not-covered',
      why: 'SplitToSequence: there is no such operator here (unknown-op)',
    })
  })
})
