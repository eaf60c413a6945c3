/**
 * The inputs of a job found again: in files, or made anew from the spec's seeds. A file counts by its
 * content, which the job names, so that `photo.jpg` may be the input `image`.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, extname, join } from 'node:path'
import { tensorBytes, viewAs, type TensorData } from '../../kernels/kernel.ts'
import type { Cid } from '../../src/base/ids.ts'
import type { Job, JobInput } from '../../src/core/job.ts'
import { importModel } from '../../src/models/onnx/import-model.ts'
import { makeInput, wantedInputs } from '../../src/spec/inputs.ts'
import { readNpy } from '../../src/spec/npy.ts'
import { parseSpec } from '../../src/spec/spec.ts'
import { cidOfBytes } from '../../src/wire/codec.ts'
import { decodeImage } from '../images.ts'
import { root } from '../local-node.mjs'

export type FoundInput = { readonly data: TensorData; readonly from: string }

/** Where files are looked for; `given` is the folder that a person named. */
export type Places = { readonly dirs: readonly string[]; readonly given?: string | undefined }

/** Files looked at in one folder, and the most of one: a job's inputs are at most 1 GiB. */
const FILES_MAX = 1_000
const FILE_BYTES_MAX = 2 ** 30 + 65_536
const SPEC = '.swarm.md'

/** Receipts of one job are looked at one after the other, and a picture is decoded once. */
const RECENT_MAX = 4
const recent = new Map<Cid, FoundInput>()

/** The input whose content is what the job names; null when it is nowhere. */
export const findInput = async (
  job: Job,
  input: JobInput,
  dirs: readonly string[],
  spec: string | null,
): Promise<FoundInput | null> => {
  const found = recent.get(input.cid) ?? (await search(job, input, dirs, spec))
  if (found) recent.set(input.cid, found)
  if (recent.size > RECENT_MAX) recent.delete(recent.keys().next().value!)
  return found
}

const search = async (
  job: Job,
  input: JobInput,
  dirs: readonly string[],
  spec: string | null,
): Promise<FoundInput | null> => {
  for (const path of dirs.flatMap((dir) => candidates(dir, input.name))) {
    const bytes = await readAs(input, path)
    if (bytes && cidOfBytes(bytes) === input.cid)
      return { data: viewAs(input.dtype, bytes), from: path }
  }
  for (const { text, from } of specs(job, dirs, spec)) {
    const made = fromSeed(input, text)
    if (made && cidOfBytes(bytesOf(made)) === input.cid)
      return { data: made, from: `the seed in ${from}` }
  }
  return null
}

export const bytesOf = (data: TensorData): Uint8Array<ArrayBuffer> =>
  new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength)

/** Files of a folder, those with the input's name first. */
const candidates = (dir: string, name: string): string[] => {
  const files = listFiles(dir).filter((file) => !file.endsWith(SPEC))
  const named = (file: string): number => (isNamed(file, name) ? 0 : 1)
  return files.toSorted((a, b) => named(a) - named(b))
}

const isNamed = (file: string, name: string): boolean => basename(file, extname(file)) === name

/** Files that bear an input's name. */
export const namesakes = (dir: string, name: string): string[] =>
  listFiles(dir).filter((file) => !file.endsWith(SPEC) && isNamed(file, name))

export const specFiles = (dir: string): string[] =>
  listFiles(dir).filter((file) => file.endsWith(SPEC))

const listFiles = (dir: string): string[] => {
  if (!existsSync(dir)) return []
  const names = readdirSync(dir, { withFileTypes: true }).filter((entry) => entry.isFile())
  return names
    .slice(0, FILES_MAX)
    .map(({ name }) => join(dir, name))
    .filter((path) => statSync(path).size <= FILE_BYTES_MAX)
}

/** The elements of a file, if it can be such an input at all. */
const readAs = async (input: JobInput, path: string): Promise<Uint8Array | null> => {
  const extension = extname(path).toLowerCase()
  if (extension === '.npy') {
    const tensor = readNpy(new Uint8Array(readFileSync(path)))
    return tensor.ok && tensor.value.dtype === input.dtype ? bytesOf(tensor.value.data) : null
  }
  if (extension === '.onnx') return linesOf(path, input.name)
  if (['.png', '.jpg', '.jpeg'].includes(extension)) {
    if (input.dtype !== 'u8') return null
    const pixels = await decodeImage(readFileSync(path))
    return pixels.ok ? new Uint8Array(pixels.value.rgba) : null
  }
  return statSync(path).size === tensorBytes(input) ? new Uint8Array(readFileSync(path)) : null
}

/** A model's weights, as its job reads them. */
const linesOf = (path: string, name: string): Uint8Array | null => {
  const model = importModel(new Uint8Array(readFileSync(path)))
  const line = model.ok ? Object.entries(model.value.lines).find(([each]) => each === name) : null
  return line ? bytesOf(line[1]) : null
}

/** Spec texts that may say how the input was made: given, beside the inputs, or shipped under its name. */
function* specs(
  job: Job,
  dirs: readonly string[],
  given: string | null,
): Generator<{ text: string | Uint8Array; from: string }> {
  if (given !== null) yield { text: given, from: 'the file' }
  const shipped = join(root, 'public/jobs')
  for (const folder of [...dirs, shipped]) {
    for (const path of specFiles(folder)) {
      const text = readFileSync(path)
      if (folder !== shipped || text.includes(job.name)) yield { text, from: path }
    }
  }
}

const fromSeed = (input: JobInput, text: string | Uint8Array): TensorData | null => {
  const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text
  const spec = parseSpec(bytes, 'the spec', {})
  const wanted = spec.ok
    ? wantedInputs(spec.value).find(({ name }) => name === input.name)
    : undefined
  // Sizes may have been changed on the command line: the job's count.
  return wanted
    ? (makeInput({ ...wanted, dtype: input.dtype, shape: input.shape })?.data ?? null)
    : null
}
