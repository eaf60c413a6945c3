/** Kinds of work as an owner chooses among them; each stands for some kernels. */
import type { Limits } from '../peer/view.ts'

export type Kind = {
  readonly label: string
  /** Within a sentence. */
  readonly word: string
  /** One task of it, as a line in a list. */
  readonly one: string
  /** Kernels by name, without their version. */
  readonly kernels: readonly string[]
}

export const KINDS: readonly Kind[] = [
  {
    label: 'Matrix products',
    word: 'matrix products',
    one: 'Matrix block',
    kernels: ['matmul', 'matmul-i8'],
  },
  {
    label: 'Picture filters',
    word: 'picture filters',
    one: 'Picture tile',
    kernels: ['image-filter'],
  },
  {
    label: 'Parts of models',
    word: 'parts of models',
    one: 'Part of a model',
    kernels: ['graph'],
  },
  {
    label: 'Layers of language models',
    word: 'layers of language models',
    one: 'Layers of a model',
    kernels: ['stage'],
  },
  { label: 'Fractals', word: 'fractals', one: 'Fractal tile', kernels: ['mandelbrot'] },
  { label: 'Formulas', word: 'formulas', one: 'Stretch of a formula', kernels: ['map'] },
  { label: 'Sums', word: 'sums', one: 'Part of a sum', kernels: ['sum'] },
]

/** `matmul@1` is a version of `matmul`. */
export const kernelName = (id: string): string => id.split('@')[0] ?? id

/** Those of the list and, by their own names, kernels that it does not know. */
export const kindsOf = (kernels: readonly string[]): readonly Kind[] => {
  const known = new Set(KINDS.flatMap((kind) => kind.kernels))
  const names = [...new Set(kernels.map(kernelName))]
  const others = names
    .filter((name) => !known.has(name))
    .map((name): Kind => ({ label: name, word: name, one: name, kernels: [name] }))
  const there = KINDS.filter((kind) => kind.kernels.some((name) => names.includes(name)))
  return [...there, ...others]
}

export const accepts = (limits: Limits, kind: Kind): boolean =>
  !kind.kernels.every((name) => limits.refuses.includes(name))

/** The limits with a kind switched on or off. */
export const withKind = (limits: Limits, kind: Kind, on: boolean): Pick<Limits, 'refuses'> => {
  const others = limits.refuses.filter((name) => !kind.kernels.includes(name))
  return { refuses: on ? others : [...others, ...kind.kernels] }
}

/** One task of a kernel in words: `mandelbrot@1` is a fractal tile. */
export const taskWords = (kernel: string): string => {
  const name = kernelName(kernel)
  if (name === 'wgsl') return 'Own shader'
  return KINDS.find((kind) => kind.kernels.includes(name))?.one ?? kernel
}
