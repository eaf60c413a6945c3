/** Reads a graph's text, a stranger's or one's own: see `graph-text.ts`. What it means, the binder says. */
import { NEWEST_OPSET } from './graph-text.ts'
import { Line, Wrong } from './graph-lines.ts'
import type { Attribute, Node, ValueId } from './graph.ts'
import type { GraphText, Source, TextInput } from './graph-text.ts'
import type { Tensor } from './tensor.ts'

export type TextError = { readonly line: number; readonly expected: string; readonly found: string }
export type ReadGraph =
  | { readonly ok: true; readonly value: GraphText }
  | { readonly ok: false; readonly error: TextError }

/** Models of some hundred layers have some thousand nodes. */
const NODES_MAX = 8_192
const LINES_MAX = 32_768
/** Inputs of one node, outputs of one node, attributes of one node. */
const EACH_MAX = 4_096
const OPSET_MAX = 1_000

export const readGraphText = (text: string): ReadGraph => {
  const lines = text.split('\n', LINES_MAX + 1)
  const reader = new Reader()
  for (const [i, line] of lines.entries()) {
    const wrong = i < LINES_MAX ? reader.read(line) : new Wrong(`at most ${LINES_MAX} lines`)
    if (wrong !== null) return refused(i + 1, wrong, line)
  }
  return reader.outputs.length > 0
    ? { ok: true, value: reader.graph() }
    : refused(lines.length, new Wrong('a line such as `output y`'), '')
}

const refused = (line: number, { expected }: Wrong, found: string): ReadGraph => ({
  ok: false,
  error: { line, expected, found: found.trim().slice(0, 60) || 'nothing' },
})

class Reader {
  readonly outputs: ValueId[] = []
  readonly #ids = new Map<string, ValueId>()
  readonly #nodes: Node[] = []
  readonly #inputs: TextInput[] = []
  readonly #constants = new Map<ValueId, Tensor>()
  #opset = NEWEST_OPSET

  graph(): GraphText {
    return {
      graph: {
        opset: this.#opset,
        values: [...this.#ids.keys()],
        nodes: this.#nodes,
        inputs: this.#inputs.map(({ name }) => this.#ids.get(name)!),
        outputs: this.outputs,
        constants: this.#constants,
      },
      inputs: this.#inputs,
    }
  }

  read(text: string): Wrong | null {
    const line = new Line(text)
    if (line.ended) return null
    // Values may be called so too.
    const word = /^\s*(opset|input|const|output)\s+(?![=,\s])/.exec(text)?.[1]
    if (word === undefined) return this.#node(line)
    line.takes(word)
    const wrong = this.#declared(word, line)
    return wrong ?? (line.ended ? null : new Wrong('the end of the line'))
  }

  #declared(word: string, line: Line): Wrong | null {
    switch (word) {
      case 'input':
        return this.#input(line)
      case 'const':
        return this.#constant(line)
      case 'output':
        return this.#output(line)
      default:
        return this.#version(line)
    }
  }

  #version(line: Line): Wrong | null {
    const version = line.whole()
    if (version instanceof Wrong || version < 1 || version > OPSET_MAX)
      return new Wrong('the version of an operator set')
    this.#opset = version
    return null
  }

  #input(line: Line): Wrong | null {
    const name = line.name()
    if (name instanceof Wrong) return name
    const element = line.element()
    if (element instanceof Wrong) return element
    const shape = line.shape()
    if (shape instanceof Wrong) return shape
    const source = line.ended ? null : sourceIn(line)
    if (source instanceof Wrong) return source
    if (source !== null && shape === null) return new Wrong('a shape for a part of a tensor')
    this.#inputs.push({ name, element, shape, source })
    return this.#make(name) ?? null
  }

  #constant(line: Line): Wrong | null {
    const name = line.name()
    if (name instanceof Wrong) return name
    const element = line.element()
    if (element instanceof Wrong) return element
    const shape = line.shape()
    if (shape instanceof Wrong) return shape
    const tensor = line.tensor({ element, shape: shape ?? [] })
    if (tensor instanceof Wrong) return tensor
    const wrong = this.#make(name)
    if (wrong === null) this.#constants.set(this.#ids.get(name)!, tensor)
    return wrong
  }

  #output(line: Line): Wrong | null {
    while (!line.ended) {
      line.takes(',')
      const name = line.name()
      const id = name instanceof Wrong ? undefined : this.#ids.get(name)
      if (id === undefined || this.outputs.includes(id))
        return new Wrong('names of different values that were made before')
      if (this.outputs.push(id) > EACH_MAX) return new Wrong(`at most ${EACH_MAX} outputs`)
    }
    return null
  }

  #node(line: Line): Wrong | null {
    const names: string[] = []
    do {
      const name = line.name()
      if (name instanceof Wrong) return name
      if (names.push(name) > EACH_MAX) return new Wrong(`at most ${EACH_MAX} outputs`)
    } while (line.takes(','))
    if (!line.takes('=')) return new Wrong('= and an operator')
    const op = line.name()
    if (op instanceof Wrong || !line.takes('(')) return new Wrong('an operator and its inputs')
    const inputs = this.#read(line)
    if (inputs instanceof Wrong) return inputs
    const attributes = attributesIn(line)
    if (attributes instanceof Wrong) return attributes
    if (this.#nodes.length >= NODES_MAX) return new Wrong(`at most ${NODES_MAX} nodes`)
    for (const name of names) {
      const wrong = name === '_' ? null : this.#make(name)
      if (wrong !== null) return wrong
    }
    const outputs = names.map((name) => (name === '_' ? null : this.#ids.get(name)!))
    this.#nodes.push({ op, domain: '', name: line.comment, inputs, outputs, attributes })
    return null
  }

  /** Names up to the closing bracket; nothing between commas is null. */
  #read(line: Line): (ValueId | null)[] | Wrong {
    const inputs: (ValueId | null)[] = []
    if (line.takes(')')) return inputs
    while (inputs.length < EACH_MAX) {
      if (line.takes(',')) {
        inputs.push(null)
        continue
      }
      if (line.takes(')')) return [...inputs, null]
      const name = line.name()
      const id = name instanceof Wrong ? undefined : this.#ids.get(name)
      if (id === undefined) return new Wrong('the name of a value that was made before')
      inputs.push(id)
      if (line.takes(')')) return inputs
      if (!line.takes(',')) return new Wrong('a comma or a bracket')
    }
    return new Wrong(`at most ${EACH_MAX} inputs`)
  }

  #make(name: string): Wrong | null {
    if (name === '_' || this.#ids.has(name)) return new Wrong(`a new name in place of ${name}`)
    this.#ids.set(name, this.#ids.size)
    return null
  }
}

const sourceIn = (line: Line): Source | Wrong => {
  const tensor = line.name()
  if (tensor instanceof Wrong || !line.takes('@')) return new Wrong('a tensor and a place, as w@0')
  const at = line.whole()
  return at instanceof Wrong ? at : { tensor, at }
}

const attributesIn = (line: Line): Map<string, Attribute> | Wrong => {
  const attributes = new Map<string, Attribute>()
  while (!line.ended) {
    const key = line.name()
    if (key instanceof Wrong || !line.takes('=')) return new Wrong('an attribute as axis=1')
    const value = line.attribute()
    if (value instanceof Wrong) return value
    if (attributes.has(key)) return new Wrong(`${key} once`)
    attributes.set(key, value)
    if (attributes.size > EACH_MAX) return new Wrong(`at most ${EACH_MAX} attributes`)
  }
  return attributes
}
