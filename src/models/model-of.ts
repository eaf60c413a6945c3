/**
 * A model from its manifest and its leaves, as stages want it. The manifest is a stranger's: all of it is looked at
 * before anything is read, and what contradicts itself has a code.
 */
import { ok } from '../base/result.ts'
import { leafFiles } from './leaf-file.ts'
import { blockWeightName } from './llama/block-parts.ts'
import { readConfigText } from './llama/config-text.ts'
import { findParts } from './llama/parts.ts'
import { modelError } from './model-error.ts'
import { leavesBytes } from './published.ts'
import { BLOCKS, weightBytes } from './weight.ts'
import type { ReadLeaf } from './leaf-file.ts'
import type { LlamaConfig } from './llama/config.ts'
import type { ModelResult } from './model-error.ts'
import type { ModelFile } from './model-file.ts'
import type { PublishedBlock, PublishedModel } from './published.ts'
import type { StageModel } from './stage.ts'
import type { Weight } from './weight.ts'

/** A leaf is asked for when a weight in it is read. @error bad-header, bad-config, bad-tensor, missing-tensor, too-large */
export const modelOf = (
  { config: text, blocks }: PublishedModel,
  readLeaf: ReadLeaf,
): ModelResult<StageModel> => {
  const read = readConfigText(text)
  if (!read.ok) return read
  const config = read.value
  if (blocks.length !== config.layers + 2)
    return modelError('bad-config', `${blocks.length} blocks for ${config.layers} layers`)
  const fileOf = leafFiles(readLeaf)
  const weights = new Map<string, Weight>()
  for (const [i, block] of blocks.entries()) {
    const found = blockWeights(block, { i, config, file: fileOf(`block ${i}`, block) })
    if (!found.ok) return found
    for (const weight of found.value) weights.set(weight.name, weight)
  }
  const parts = findParts(config, weights, 'hf')
  return parts.ok ? ok({ config, parts: parts.value }) : parts
}

type Place = { readonly i: number; readonly config: LlamaConfig; readonly file: ModelFile }

const blockWeights = (
  { bytes, tensors, leaves }: PublishedBlock,
  { i, config, file }: Place,
): ModelResult<readonly Weight[]> => {
  const weights = new Map<string, Weight>()
  let end = 0
  for (const { part, type, shape, at } of tensors) {
    const what = `${part} in block ${i}`
    const name = blockWeightName(part, i, config)
    if (name === null) return modelError('bad-tensor', `${what} does not belong there`)
    if (weights.has(name)) return modelError('bad-tensor', `${what} is there twice`)
    if (!Object.hasOwn(BLOCKS, type)) return modelError('bad-tensor', `${what}: ${type}`)
    const size = weightBytes(type, shape)
    if (size === null) return modelError('bad-tensor', `${what}: [${shape.join(', ')}] in ${type}`)
    if (at !== end) return modelError('bad-tensor', `${what} begins at ${at} and not at ${end}`)
    end = at + size
    weights.set(name, { name, type, shape, file, from: at, to: end })
  }
  if (end !== bytes)
    return modelError('bad-tensor', `block ${i} has ${bytes} bytes and tensors of ${end}`)
  if (leaves.byteLength !== leavesBytes(bytes))
    return modelError('bad-tensor', `block ${i} has ${leaves.byteLength} bytes of names`)
  return ok([...weights.values()])
}
