/** Lines of a graph's text as words, and what can be read from them: see `graph-text.ts`. */
import { ELEMENT_TYPES } from './tensor.ts'
import type { Attribute } from './graph.ts'
import type { ElementType, Shape, Tensor, TensorType } from './tensor.ts'

/** What is wrong with a line, as a sentence's object: "a name". */
export class Wrong {
  readonly expected: string

  constructor(expected: string) {
    this.expected = expected
  }
}

const RANK_MAX = 16
const LIST_MAX = 4_096
const NAME_MAX = 128

/** A text, a number, a name, or a sign. */
const WORD =
  /\s*(?:("(?:[^"\\]|\\.)*")|(-?(?:inf\b|nan\b|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?))|([A-Za-z_][A-Za-z0-9_.]*)|([=(),[\]@]))/y

/** One line; what does not fit is `Wrong`, and nothing is thrown. */
export class Line {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text.trimEnd()
  }

  /** Nothing is left but a comment. */
  get ended(): boolean {
    return /^\s*(?:#.*)?$/.test(this.#text.slice(this.#at))
  }

  /** What stands behind `#`. */
  get comment(): string {
    return /^\s*#\s*(.*)$/.exec(this.#text.slice(this.#at))?.[1] ?? ''
  }

  /** Whether the next word is this sign or name; it is passed then. */
  takes(word: string): boolean {
    const before = this.#at
    const found = this.#next()
    if (found !== null && found[0].trim() === word) return true
    this.#at = before
    return false
  }

  name(): string | Wrong {
    const found = this.#next()?.[3]
    const plain = found !== undefined && found.length <= NAME_MAX && !found.startsWith('__')
    return plain ? found : new Wrong('a name')
  }

  number(): number | Wrong {
    const found = this.#next()
    const text = found?.[2] ?? found?.[3]
    if (text === 'nan') return Number.NaN
    if (text === 'inf') return Number.POSITIVE_INFINITY
    if (text === '-inf') return Number.NEGATIVE_INFINITY
    return found?.[2] === undefined ? new Wrong('a number') : Number(found[2])
  }

  whole(): number | Wrong {
    const found = this.number()
    return typeof found === 'number' && Number.isSafeInteger(found) && found >= 0
      ? found
      : new Wrong('a whole number')
  }

  element(): ElementType | Wrong {
    const found = this.name()
    return (
      ELEMENT_TYPES.find((each) => each === found) ??
      new Wrong(`one of ${ELEMENT_TYPES.join(', ')}`)
    )
  }

  /** `[2,3]`, or null where there is no bracket. */
  shape(): Shape | null | Wrong {
    if (!this.takes('[')) return null
    const sizes: number[] = []
    while (!this.takes(']')) {
      if (sizes.length > 0 && !this.takes(',')) return new Wrong('a comma or a bracket')
      const size = this.whole()
      if (size instanceof Wrong) return size
      if (sizes.push(size) > RANK_MAX) return new Wrong(`at most ${RANK_MAX} dimensions`)
    }
    return sizes
  }

  /** As many numbers as the type has places. */
  tensor({ element, shape }: TensorType): Tensor | Wrong {
    const count = shape.reduce((product, size) => product * size, 1)
    if (!(count <= LIST_MAX)) return new Wrong(`at most ${LIST_MAX} numbers`)
    const float = element.includes('f')
    const data = new Float64Array(count)
    for (let i = 0; i < count; i++) {
      const found = this.number()
      if (found instanceof Wrong) return found
      if (!float && !Number.isSafeInteger(found)) return new Wrong('a whole number')
      data[i] = float ? Math.fround(found) : found
    }
    return { element, shape, data }
  }

  attribute(): Attribute | Wrong {
    const before = this.#at
    const found = this.#next()
    if (found?.[1] !== undefined) return textOf(found[1])
    this.#at = before
    if (this.takes('[')) return this.#list()
    const element = this.element()
    this.#at = element instanceof Wrong ? before : this.#at
    return element instanceof Wrong ? this.number() : this.#literal(element)
  }

  #list(): Attribute | Wrong {
    const numbers: number[] = []
    const texts: string[] = []
    while (!this.takes(']')) {
      const count = numbers.length + texts.length
      if (count > 0 && !this.takes(',')) return new Wrong('a comma or a bracket')
      if (count >= LIST_MAX) return new Wrong(`at most ${LIST_MAX} in a list`)
      const each = this.attribute()
      if (typeof each === 'number') numbers.push(each)
      else if (typeof each === 'string') texts.push(each)
      else return each instanceof Wrong ? each : new Wrong('numbers or texts')
    }
    if (numbers.length > 0 && texts.length > 0) return new Wrong('numbers or texts, not both')
    return texts.length > 0 ? texts : numbers
  }

  #literal(element: ElementType): Attribute | Wrong {
    const shape = this.shape()
    if (shape instanceof Wrong || shape === null || !this.takes('('))
      return new Wrong('a tensor such as f32[2](1 2)')
    const tensor = this.tensor({ element, shape })
    if (tensor instanceof Wrong) return tensor
    return this.takes(')') ? { tensor } : new Wrong('a bracket')
  }

  #next(): RegExpExecArray | null {
    WORD.lastIndex = this.#at
    const found = WORD.exec(this.#text)
    if (found !== null) this.#at = WORD.lastIndex
    return found
  }
}

const textOf = (quoted: string): string | Wrong => {
  try {
    return JSON.parse(quoted) as string
  } catch {
    return new Wrong('a text in quotes')
  }
}
