/** Shaders that nobody wrote: words of the language in any order, and good shaders with a few words changed. */
import fc from 'fast-check'
import { bombs } from './bombs.ts'
import { HEAD, kernel } from './bomb.ts'
import { honest } from './honest.ts'

const WORDS = (
  'loop for while if else switch case default break continue continuing return let var const fn struct alias ' +
  'override enable requires diagnostic discard const_assert array ptr atomic vec2 vec3f mat4x4f f32 u32 i32 bool ' +
  'function private storage workgroup read read_write x y i n a b params main f swarm_fuel _ true false abs max ' +
  'arrayLength bitcast select 0 1u 7 0xffu 2.5 1e9 .5 3f ( ) ( ) { } { } [ ] < > < > <= >= == != = ; ; ; , , : . @ ' +
  '+ - * / % & | ^ && || << >> += -= >>= ++ -- -> ! ~ /* */ // group binding compute workgroup_size builtin'
).split(' ')

const word = fc.constantFrom(...WORDS, '\n', '\r', '\u2028', '\0', 'é', '"')
const soup = fc
  .array(fc.tuple(word, fc.constantFrom(' ', ' ', ' ', '', '\n')), { maxLength: 80 })
  .map((parts) => parts.map(([text, gap]) => text + gap).join(''))

/** Words, numbers, signs and blanks, so that joining the pieces gives the text back. */
const pieces = (source: string): string[] => source.match(/\w+|\s+|[^\w\s]/g) ?? []

/** What breaks the bindings is refused early and tries nothing: the changes begin after them. */
const start = pieces(HEAD).length
const originals = [...honest, ...bombs().filter(({ expect }) => expect === 'bounded')].map(
  ({ source }) => pieces(source),
)
type Edit = {
  readonly at: number
  readonly to: number
  readonly kind: number
  readonly word: string
}
const edit: fc.Arbitrary<Edit> = fc.record({
  at: fc.nat(),
  to: fc.nat(),
  kind: fc.nat({ max: 3 }),
  word,
})

const changed = (source: readonly string[], edits: readonly Edit[]): string => {
  const parts = [...source]
  for (const { at, to, kind, word: text } of edits) {
    const room = parts.length - start
    if (room < 2) break
    const one = start + (at % room)
    const two = start + (to % room)
    if (kind === 0) parts.splice(one, 1)
    else if (kind === 1) parts.splice(one, 0, parts[two]!)
    else if (kind === 2) parts.splice(one, 1, text)
    else [parts[one], parts[two]] = [parts[two]!, parts[one]!]
  }
  return parts.join('')
}

/** A good shader with one to four words dropped, doubled, replaced or exchanged. */
export const mutant: fc.Arbitrary<string> = fc
  .tuple(fc.constantFrom(...originals), fc.array(edit, { minLength: 1, maxLength: 4 }))
  .map(([source, edits]) => changed(source, edits))

export const anything: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: mutant },
  { weight: 3, arbitrary: soup.map((text) => kernel(text)) },
  { weight: 2, arbitrary: soup.map((text) => kernel('', text)) },
  { weight: 1, arbitrary: soup },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 200 }) },
)
