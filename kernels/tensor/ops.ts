/** The operators there are: ONNX's default domain, as far as it is covered. Adding one is a file and a line. */
import { ACTIVATIONS } from './ops/activations.ts'
import { affineGrid } from './ops/affine-grid.ts'
import { ARGS } from './ops/arg.ts'
import { attention } from './ops/attention.ts'
import { batchNorm } from './ops/batch-norm.ts'
import { BINARY } from './ops/binary.ts'
import { bitCast } from './ops/bit-cast.ts'
import { BLOCKS } from './ops/blocks.ts'
import { CASTS } from './ops/cast.ts'
import { centerCropPad } from './ops/center-crop-pad.ts'
import { causalConv } from './ops/causal-conv.ts'
import { CHANNEL_NORMS } from './ops/channel-norm.ts'
import { compress, nonZero } from './ops/chosen.ts'
import { col2im } from './ops/col2im.ts'
import { conv } from './ops/conv.ts'
import { convTranspose } from './ops/conv-transpose.ts'
import { deformConv } from './ops/deform-conv.ts'
import { det } from './ops/det.ts'
import { dropout } from './ops/dropout.ts'
import { dynamicQuantize } from './ops/dynamic-quantize.ts'
import { einsum } from './ops/einsum.ts'
import { FOURIER } from './ops/fourier.ts'
import { gather } from './ops/gather.ts'
import { LOOKUPS } from './ops/gather-nd.ts'
import { GLOBAL_POOLS } from './ops/global-pools.ts'
import { gridSample } from './ops/grid-sample.ts'
import { gru } from './ops/gru.ts'
import { INTEGER_CONVS } from './ops/integer-conv.ts'
import { INTEGER_PRODUCTS } from './ops/integer-matmul.ts'
import { JOINS } from './ops/joins.ts'
import { linearAttention } from './ops/linear-attention.ts'
import { LOSSES } from './ops/losses.ts'
import { lstm } from './ops/lstm.ts'
import { PRODUCTS } from './ops/matmul.ts'
import { ROW_NORMS } from './ops/layer-norm.ts'
import { MAX_POOLS } from './ops/max-pool.ts'
import { OTHER_NORMS } from './ops/other-norms.ts'
import { pad } from './ops/pad.ts'
import { PATTERNS } from './ops/patterns.ts'
import { POOLS } from './ops/pools.ts'
import { QUANTIZES } from './ops/quantize.ts'
import { REDUCTIONS } from './ops/reduce.ts'
import { RESHAPES } from './ops/reshapes.ts'
import { RESIZES } from './ops/resize.ts'
import { reverseSequence } from './ops/reverse-sequence.ts'
import { rnn } from './ops/rnn.ts'
import { roiAlign } from './ops/roi-align.ts'
import { rotaryEmbedding } from './ops/rotary.ts'
import { RUNNING } from './ops/running.ts'
import { SCATTERS } from './ops/scatter.ts'
import { SHAPES } from './ops/shapes.ts'
import { SLICES } from './ops/slices.ts'
import { SOFTMAX } from './ops/softmax.ts'
import { TAPERS } from './ops/tapers.ts'
import { topK } from './ops/top-k.ts'
import { UNARY } from './ops/unary.ts'
import { VARIADIC } from './ops/variadic.ts'
import type { Op } from './op.ts'

export const OPS: readonly Op[] = [
  ...ACTIVATIONS,
  affineGrid,
  ...ARGS,
  attention,
  batchNorm,
  ...BINARY,
  bitCast,
  ...BLOCKS,
  ...CASTS,
  causalConv,
  centerCropPad,
  ...CHANNEL_NORMS,
  col2im,
  compress,
  conv,
  convTranspose,
  deformConv,
  det,
  dropout,
  dynamicQuantize,
  einsum,
  ...FOURIER,
  gather,
  ...GLOBAL_POOLS,
  gridSample,
  gru,
  ...INTEGER_CONVS,
  ...INTEGER_PRODUCTS,
  ...JOINS,
  linearAttention,
  ...LOOKUPS,
  ...LOSSES,
  lstm,
  ...MAX_POOLS,
  nonZero,
  ...OTHER_NORMS,
  pad,
  ...PATTERNS,
  ...POOLS,
  ...PRODUCTS,
  ...QUANTIZES,
  ...REDUCTIONS,
  ...RESHAPES,
  ...RESIZES,
  reverseSequence,
  rnn,
  roiAlign,
  rotaryEmbedding,
  ...ROW_NORMS,
  ...RUNNING,
  ...SCATTERS,
  ...SHAPES,
  ...SLICES,
  ...SOFTMAX,
  ...TAPERS,
  topK,
  ...UNARY,
  ...VARIADIC,
]

const BY_NAME: ReadonlyMap<string, Op> = new Map(OPS.map((op) => [op.name, op]))

/** ONNX's default domain has two spellings. */
const DOMAINS = ['', 'ai.onnx']

export const opByName = (domain: string, name: string): Op | undefined =>
  DOMAINS.includes(domain) ? BY_NAME.get(name) : undefined
