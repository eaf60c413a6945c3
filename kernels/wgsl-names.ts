/**
 * What a stranger's kernel may name: the allow-lists of types and built-in functions, and the names it
 * may not declare. What is not on a list is refused; nothing is refused because it is on a list.
 */

/** Every name that the rewriting adds begins so, and no name of a stranger may. */
export const INJECTED_PREFIX = 'swarm_'

const MATRICES = [2, 3, 4].flatMap((columns) => [2, 3, 4].map((rows) => [columns, rows] as const))

/** Memory of a column or vector in 4-byte words: three components take the room of four. */
const lane = (components: number): number => (components === 3 ? 4 : components)

/** Scalars, vectors and matrices spelt without a template list. */
export const LEAF_WORDS: ReadonlyMap<string, number> = new Map([
  ...['f32', 'i32', 'u32', 'bool'].map((name) => [name, 1] as const),
  ...[2, 3, 4].flatMap((n) => ['f', 'i', 'u'].map((t) => [`vec${n}${t}`, lane(n)] as const)),
  ...MATRICES.map(([columns, rows]) => [`mat${columns}x${rows}f`, columns * lane(rows)] as const),
])

/** Vectors and matrices that take a template list, or find it from their arguments. */
export const GENERIC_WORDS: ReadonlyMap<string, number> = new Map([
  ...[2, 3, 4].map((n) => [`vec${n}`, lane(n)] as const),
  ...MATRICES.map(([columns, rows]) => [`mat${columns}x${rows}`, columns * lane(rows)] as const),
])

const CHEAP =
  'abs all any ceil clamp countLeadingZeros countOneBits countTrailingZeros cross degrees dot ' +
  'dot4I8Packed dot4U8Packed extractBits faceForward firstLeadingBit firstTrailingBit floor fma fract ' +
  'insertBits max min mix pack2x16float pack2x16snorm pack2x16unorm pack4x8snorm pack4x8unorm pack4xI8 ' +
  'pack4xI8Clamp pack4xU8 pack4xU8Clamp quantizeToF16 radians reverseBits round saturate select sign ' +
  'step transpose trunc unpack2x16float unpack2x16snorm unpack2x16unorm unpack4x8snorm unpack4x8unorm ' +
  'unpack4xI8 unpack4xU8'

/** Division-like or a polynomial: of the order of sixteen multiplications. */
const DEAR =
  'acos acosh asin asinh atan atan2 atanh cos cosh determinant distance exp exp2 inverseSqrt ldexp length ' +
  'log log2 normalize pow reflect refract sin sinh smoothstep sqrt tan tanh'

/** Built-in functions and what one costs per word of its largest argument. */
export const BUILTINS: ReadonlyMap<string, number> = new Map([
  ...CHEAP.split(' ').map((name) => [name, 2] as const),
  ...DEAR.split(' ').map((name) => [name, 16] as const),
])

const KEYWORDS =
  'alias break case const const_assert continue continuing default diagnostic discard else enable false ' +
  'fn for if let loop override requires return struct switch true var while'

/** Predeclared names that the rewritten shader or this analysis rely on. */
const RELIED_ON =
  'array atomic ptr sampler bitcast arrayLength f16 function private workgroup uniform storage ' +
  'read write read_write'

/** No declaration may take these. The names of functions are free: a call finds the module's own first. */
export const NOT_DECLARABLE: ReadonlySet<string> = new Set([
  ...KEYWORDS.split(' '),
  ...RELIED_ON.split(' '),
  ...LEAF_WORDS.keys(),
  ...GENERIC_WORDS.keys(),
])

export const LOOP_KEYWORDS: ReadonlySet<string> = new Set(['loop', 'for', 'while'])
