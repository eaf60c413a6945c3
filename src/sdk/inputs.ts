/** What a program may give for an input of a spec, and the tensor that it becomes. */
import type { DType, Tensor, TensorData } from '../../kernels/kernel.ts'
import { elements } from '../../kernels/kernel.ts'
import { readImage } from '../boot/images.ts'
import { imageInput, makeInput, readInput, type WantedInput } from '../spec/inputs.ts'
import type { Brought } from '../spec/sizes.ts'
import { SwarmError } from './error.ts'

/** Elements with a shape, bare elements, pixels, or a file: .npy, raw elements, JPEG or PNG. */
export type Input =
  | TensorData
  | { readonly data: TensorData; readonly shape: readonly number[] }
  | ImageData
  | Blob

const bad = (name: string, expected: string, found: string): SwarmError =>
  new SwarmError('bad-input', `inputs.${name}: expected ${expected}, found ${found}`)

/** How large each input is, as far as that can be told before its spec is read. */
export const broughtBy = async (
  inputs: Readonly<Record<string, Input>>,
): Promise<Record<string, Brought>> => {
  const brought: Record<string, Brought> = {}
  for (const [from, given] of Object.entries(inputs)) {
    if (given instanceof Blob)
      brought[from] = { from, bytes: new Uint8Array(await given.arrayBuffer()) }
    else if (ArrayBuffer.isView(given)) brought[from] = { from, shape: [given.length] }
    // What is no input at all is for `tensorFor` to say.
    else if (Array.isArray((given as { shape?: unknown } | null)?.shape))
      brought[from] = { from, shape: (given as { shape: readonly number[] }).shape }
  }
  return brought
}

/** @throws SwarmError bad-input, bad-image */
export const tensorFor = async (wanted: WantedInput, given: Input | undefined): Promise<Tensor> => {
  if (given === undefined) {
    const made = makeInput(wanted)
    if (made) return made
    throw bad(
      wanted.name,
      wanted.kind === 'image' ? 'a picture' : `${wanted.dtype} elements`,
      'nothing',
    )
  }
  if (given instanceof Blob) return fromFile(wanted, given)
  if (typeof given !== 'object' || given === null) throw bad(wanted.name, 'numbers', typeof given)
  if ('colorSpace' in given) return fromPixels(wanted, given)
  if (ArrayBuffer.isView(given)) return fromElements(wanted, given, shapeOf(wanted, given.length))
  const { data, shape } = given
  if (!Array.isArray(shape))
    throw bad(wanted.name, 'a typed array, or data with a shape', 'neither')
  return fromElements(wanted, data, shape)
}

const fromFile = async (wanted: WantedInput, file: Blob): Promise<Tensor> => {
  if (wanted.kind === 'image') {
    const picture = await readImage(file)
    if (!picture.ok) throw new SwarmError(picture.error.code, picture.error.text)
    return fromPixels(wanted, { ...picture.value, data: picture.value.rgba })
  }
  // Whatever kind of file the spec names, a program may have the other one at hand.
  const kind = wanted.kind === 'onnx' ? 'onnx' : 'random'
  const read = readInput({ ...wanted, kind }, new Uint8Array(await file.arrayBuffer()))
  if (read.ok) return read.value
  throw bad(wanted.name, read.error.expected, read.error.found)
}

type Pixels = {
  readonly data: Uint8Array | Uint8ClampedArray
  readonly width: number
  readonly height: number
}

const fromPixels = ({ name }: WantedInput, { data, width, height }: Pixels): Tensor => {
  const image = imageInput(data, width, height)
  if (image.ok) return image.value
  throw bad(name, image.error.expected, image.error.found)
}

/** The one size that the spec leaves open follows from how many elements there are. */
const shapeOf = ({ shape }: WantedInput, length: number): readonly number[] => {
  if (shape.filter((n) => n === 0).length !== 1) return shape.includes(0) ? [length] : shape
  const known = shape.reduce((product, n) => product * (n || 1), 1)
  return shape.map((n) => n || length / known)
}

const fromElements = (
  { name }: WantedInput,
  data: TensorData,
  shape: readonly number[],
): Tensor => {
  const dtype = DTYPES.get((data as TensorData | undefined)?.constructor)
  if (dtype === undefined) throw bad(name, 'a typed array of f32, i32, u32, i8 or u8', typeof data)
  if (elements(shape) !== data.length)
    throw bad(name, `${elements(shape)} elements`, `${data.length}`)
  // Copied: the caller may go on writing into hers while the job runs.
  return { dtype, shape, data: data.slice() }
}

const DTYPES = new Map<unknown, DType>([
  [Float32Array, 'f32'],
  [Int32Array, 'i32'],
  [Uint32Array, 'u32'],
  [Int8Array, 'i8'],
  [Uint8Array, 'u8'],
])
