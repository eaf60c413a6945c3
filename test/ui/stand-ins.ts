/** What stands in for a node and for the rest of the program on the page of states. */
import { err, ok } from '../../src/base/result.ts'
import { microCredits, ms } from '../../src/base/units.ts'
import type { Limits, NodeHandle, View } from '../../src/peer/view.ts'
import type { KeptText, OpenModel, TextNews } from '../../src/ui/model-services.ts'
import type { OpenSpec, Probe, Senses, Services, Shell } from '../../src/ui/services.ts'
import { IMAGE, job, LIMITS, SHADER } from './fixtures.ts'
import { imageBytes } from './jobs.ts'

export const stillNode = (view: View, limits: Limits = LIMITS): NodeHandle => {
  let now = view
  let bounds = limits
  const watchers = new Set<() => void>()
  const change = (donate: Partial<View['donate']>): void => {
    now = { ...now, donate: { ...now.donate, ...donate } }
    watchers.forEach((then) => then())
  }
  return {
    view: () => now,
    watch: (then) => {
      watchers.add(then)
      return () => watchers.delete(then)
    },
    start: () => change({ state: 'measuring', measuringPermille: 400 }),
    pause: () => change({ state: 'paused', pause: 'paused-by-you' }),
    resume: () => change({ state: 'ready', pause: null }),
    finish: () => change({ state: 'finishing' }),
    stop: () => change({ state: 'idle', now: null, pause: null }),
    setLimits: (next) => {
      bounds = next
      change({ share: next.share })
    },
    limits: () => bounds,
    condition: () => undefined,
    submit: () => now.jobs[0]!.id,
    cancel: () => undefined,
    resumeJob: () => undefined,
    forgetJob: () => undefined,
    output: (id) => {
      const one = now.jobs.find((other) => other.id === id)
      if (one?.outputs[0]?.name === 'image') return imageBytes(one)
      if (one?.outputs[0]?.dtype === 'f32') {
        const length = one.outputs[0].shape.reduce((a, b) => a * b, 1)
        const values = Float32Array.from(
          { length },
          (_, i) => Math.sin(i / 90) * 3 + Math.sin(i / 7) / 4,
        )
        return new Uint8Array(values.buffer)
      }
      return null
    },
    talk: () => '',
    stopTalk: () => undefined,
    close: async () => undefined,
  }
}

export const SENSES: Senses = { battery: true, metered: true, warmth: true, wakeLock: true }

export const stillShell = (change: {
  probe?: Probe
  secure?: boolean
  online?: boolean
  update?: boolean
  handheld?: boolean
  install?: boolean
  relayed?: boolean
  senses?: Partial<Senses>
}): Shell => ({
  address: 'https://swarm.example.org/',
  secure: change.secure ?? true,
  senses: { ...SENSES, ...change.senses },
  handheld: change.handheld ?? false,
  online: () => change.online ?? true,
  visible: () => true,
  watch: () => () => undefined,
  probe: async () => change.probe ?? { kind: 'gpu', label: 'apple metal-3' },
  recall: (name) => (name === 'relayed-only' && change.relayed ? 'yes' : null),
  remember: () => undefined,
  paint: () => undefined,
  badge: () => undefined,
  updateWaiting: () => change.update ?? false,
  applyUpdate: () => undefined,
  checkForUpdate: async () => true,
  installable: () => (change.install ? 'prompt' : 'by-hand'),
  install: async () => false,
  copy: async () => true,
  save: () => undefined,
  reload: () => undefined,
  forgetChoices: () => undefined,
})

const open = (
  name: string,
  title: string,
  about: string,
  rest: Partial<OpenSpec> = {},
): OpenSpec => ({
  file: { name: `${name}.swarm.md`, text: `---\nswarm: 1\nname: ${name}\n---\n\n${about}\n` },
  name,
  title,
  about,
  fields: [],
  slots: [],
  ...rest,
})
const whole = { kind: 'integer', step: 1 } as const
export const SPECS: readonly OpenSpec[] = [
  open('mandelbrot', 'Mandelbrot', 'A fractal in exact integers, as deep as you like.', {
    fields: [
      {
        ...whole,
        key: 'width',
        label: 'Width',
        help: 'pixels',
        value: '1024',
        min: 16,
        max: 16_384,
      },
      {
        ...whole,
        key: 'height',
        label: 'Height',
        help: 'pixels',
        value: '768',
        min: 16,
        max: 16_384,
      },
      { kind: 'decimal', key: 'centerX', label: 'Centre, real', help: null, value: '-0.7436438' },
      {
        kind: 'decimal',
        key: 'centerY',
        label: 'Centre, imaginary',
        help: null,
        value: '0.1318259',
      },
      { kind: 'decimal', key: 'zoom', label: 'Zoom', help: '1 shows a plane 4 wide', value: '260' },
      {
        ...whole,
        key: 'iterations',
        label: 'Iterations',
        help: null,
        value: '600',
        min: 1,
        max: 65_535,
      },
      {
        kind: 'choice',
        key: 'palette',
        label: 'Palette',
        help: null,
        value: 'sheet',
        choices: ['sheet', 'fire', 'ice', 'grey'],
      },
    ],
  }),
  open('image', 'Picture filter', 'Blur, edges or sharpness for any JPEG or PNG, tile by tile.', {
    slots: [{ name: 'photo', accepts: 'picture', wants: 'any JPEG or PNG', optional: false }],
    fields: [
      {
        kind: 'choice',
        key: 'filter',
        label: 'Filter',
        help: null,
        value: 'gaussian-blur',
        choices: ['gaussian-blur', 'sobel', 'unsharp'],
      },
    ],
  }),
  open('matmul', 'Matrix product', 'Two matrices multiplied in blocks; checked by Freivalds.', {
    slots: [
      { name: 'a', accepts: 'numbers', wants: 'f32, 512 x 512', optional: true },
      { name: 'b', accepts: 'numbers', wants: 'f32, 512 x 512', optional: true },
    ],
  }),
  open('map', 'Formula', 'One formula over many numbers.', {
    fields: [
      {
        kind: 'code',
        key: 'program',
        label: 'Formula',
        help: 'x is the element',
        value: 'sin(x) * x',
      },
    ],
  }),
]

export type Twist = {
  readonly model?: Partial<OpenModel> | 'wrong-tokenizer' | 'opening'
  /** What a model goes on with, and how far it gets: `ended` is what it ends with. */
  readonly text?: {
    readonly session?: string
    readonly pieces: readonly string[]
    readonly ended?: Parameters<TextNews['ended']>[0]
  }
  /** Those of earlier visits. */
  readonly texts?: readonly KeptText[]
  readonly specTrouble?: boolean
  readonly dear?: boolean
  readonly shader?: boolean
  readonly noTemplates?: boolean
  readonly badReceipt?: boolean
  readonly openReceipt?: boolean
  readonly key?: ReturnType<Services['keyState']>
}

export const keptText = (change: Partial<KeptText> = {}): KeptText => ({
  id: '1795132800000 one',
  beganAt: 1_795_132_800_000,
  model: { name: 'Tiny stories', root: 'ab' },
  wish: {
    ...{ prompt: 'Once upon a time', tokens: 64, temperature: 0, topK: 0, topP: 1, seed: 0 },
    ...{ stages: 0, budget: microCredits(0) },
  },
  ...{ jobs: [], promptIds: [1, 2, 3, 4], ids: [], text: '', over: false, ...change },
})

const model = (twist: Twist): OpenModel => ({
  ...{ name: 'Tiny stories', bytes: 1_060_992, layers: 5, context: 512, license: 'mit' },
  doubt: null,
  measure: (prompt) =>
    prompt.length > 400
      ? err({ code: 'prompt-too-long', text: 'the prompt has 612 tokens, the model takes 512' })
      : ok(Math.ceil(prompt.length / 4)),
  goOn(wish, news, from) {
    const { session, pieces = [], ended } = twist.text ?? {}
    if (session === undefined) news.naming(420)
    else news.began(session)
    for (const piece of pieces) news.piece(piece)
    const text = from ?? keptText({ wish, ids: pieces.map((_, id) => id), text: pieces.join('') })
    const going = { stop: () => undefined, soFar: () => (session === undefined ? from : text) }
    if (ended !== undefined) queueMicrotask(() => news.ended(ended))
    return going
  },
  ...(typeof twist.model === 'object' ? twist.model : {}),
})

export const stillServices = (twist: Twist): Services => servicesWith(twist, twist.texts ?? [])

const servicesWith = (twist: Twist, texts: readonly KeptText[]): Services => ({
  build: { version: '0.1.0', commit: '3f2a91c', protocol: '1.0.0' },
  kernels: [
    ...['image-filter@1', 'mandelbrot@1', 'map@1', 'matmul-i8@1', 'matmul@1', 'sum@1'],
    'stage@1',
  ],
  templates: async () =>
    twist.noTemplates
      ? err({
          code: 'no-relay',
          text: 'The templates cannot be read: the relay does not answer. You can open a spec from a file.',
        })
      : ok(SPECS.map((spec) => spec.file)),
  openSpec: async (file) => {
    const found = SPECS.find((spec) => spec.file.name === file.name)
    return found
      ? ok(found)
      : err({
          code: 'bad-field',
          file: file.name,
          line: 4,
          field: 'params.width',
          text: 'params.width: expected a whole number from 16 to 16 384, found “wide”.',
        })
  },
  compile: async (spec, draft) =>
    twist.specTrouble
      ? err({
          code: 'bad-field',
          file: spec.file.name,
          line: 6,
          field: 'width',
          text: 'Expected a whole number from 16 to 16 384, found “wide”.',
        })
      : ok({
          job: job({
            budget: microCredits(draft.free ? 0 : 4_800),
            deadlineMs: ms(600_000),
            ...(twist.shader ? { program: SHADER } : {}),
          }),
          title: spec.title,
          fitted: {},
          inputs: {},
          outputs: [IMAGE],
          tasks: 48,
          flop: 3.8e12,
          bytes: 3.1e6,
          microCredits: microCredits(twist.dear ? 99_000_000 : 4_800),
        }),
  openModel: async () => {
    if (twist.model === 'opening') return new Promise(() => undefined)
    return twist.model === 'wrong-tokenizer'
      ? err({ code: 'wrong-tokenizer', text: 'the tokenizer has 32000 tokens, the model 512' })
      : ok(model(twist))
  },
  texts: async () => ok(texts),
  forgetText: async (id) => {
    texts = id === null ? [] : texts.filter((text) => text.id !== id)
    return ok(null)
  },
  openTalk: async ({ text }) =>
    text.includes('run: generate')
      ? ok({
          ...{ prompt: 'It was a dark night', tokens: 7, temperature: 0.8, topK: 40, topP: 0.95 },
          ...{ seed: 3, stages: 2, budget: microCredits(2_500_000) },
        })
      : null,
  readImage: async () => {
    const [width, height] = [96, 64]
    const rgba = Uint8Array.from({ length: width * height * 4 }, (_, i) =>
      i % 4 === 3 ? 255 : (i * 13) % 256,
    )
    return ok({ width, height, rgba })
  },
  pixels: (_program, output, bytes, rect) => {
    const counts = new Uint32Array(bytes.buffer)
    const rgba = new Uint8ClampedArray(rect.rows * rect.cols * 4)
    for (let y = 0, to = 0; y < rect.rows; y++) {
      for (let x = 0; x < rect.cols; x++, to += 4) {
        const count = counts[(rect.row + y) * output.shape[1]! + rect.col + x]!
        const part = count >= 600 ? 0 : 0.5 - 0.5 * Math.cos(Math.sqrt(count))
        rgba.set([237 - 210 * part, 242 - 179 * part, 232 - 58 * part, 255], to)
      }
    }
    return rgba
  },
  outputFile: async () => ok({ file: new Blob([]), extension: 'png' }),
  verifyReceipt: async () => [
    {
      what: 'The receipt’s name is the hash of its bytes',
      holds: true,
      detail: 'dag-cbor, sha2-256',
    },
    { what: 'The requester signed it', holds: true, detail: 'Ed25519' },
    {
      what: 'The worker signed it',
      holds: twist.openReceipt ? null : !twist.badReceipt,
      detail: twist.badReceipt
        ? 'the signature is of other bytes'
        : twist.openReceipt
          ? 'the worker has not countersigned yet'
          : 'Ed25519',
    },
    { what: 'The price follows from the shapes', holds: true, detail: '0.000100 credits' },
  ],
  receiptLine: () => '{}',
  storage: async () =>
    ok({
      usedBytes: 14_200_000,
      quotaBytes: 9_000_000_000,
      kept: false,
      parts: [
        { name: 'receipts', label: 'Receipts', records: 24, bytes: 31_000, erasable: false },
        { name: 'blocks', label: 'Own books', records: 60, bytes: 64_000, erasable: false },
        {
          name: 'jobs',
          label: 'Jobs and their results',
          records: 3,
          bytes: 14_000_000,
          erasable: true,
        },
        {
          name: 'trust',
          label: 'What is remembered of other nodes',
          records: 9,
          bytes: 4_100,
          erasable: true,
        },
      ],
    }),
  keepStorage: async () => true,
  exportData: async () => ok(new Blob([])),
  erase: async () => ok({ reload: false }),
  eraseAll: async () => ok(null),
  keyState: () => twist.key ?? 'not-saved',
  backupKey: async () => ok(new Blob([])),
  confirmKey: async () => ok(null),
  restoreKey: async () => err({ code: 'bad-backup', text: 'This file is not a key.' }),
  diagnostics: async () =>
    JSON.stringify({ version: '0.1.0', commit: '3f2a91c', protocol: '1.0.0', nodes: 9 }, null, 2),
  keepAwake: () => undefined,
})
