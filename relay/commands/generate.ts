/** `swarm generate`: a language model on this machine alone, in as many stages as asked for. */
import { ok, type Result } from '../../src/base/result.ts'
import { generate, type Piece } from '../../src/models/generate.ts'
import { openModel, type Model } from '../../src/models/open-model.ts'
import { splitLayers } from '../../src/models/split-layers.ts'
import { openStage, type Stage } from '../../src/models/stage.ts'
import { openModelFiles } from '../model-files.ts'
import { GRAPH_ENGINES, openGraphEngine, type GraphEngineName } from '../tensor-engines.ts'
import { writeJson } from '../terminal.ts'
import { EXIT, readArgs, usage, whole, type Args, type Flags, type Usage } from './args.ts'
import { explain, failed } from './outcome.ts'
import type { GraphEngine } from '../../src/models/graph-engine.ts'
import type { ModelResult } from '../../src/models/model-error.ts'
import type { Sampling } from '../../src/models/sampling.ts'

const FLAGS: Flags = {
  prompt: { type: 'string', help: 'what the text begins with' },
  tokens: { type: 'string', help: 'how many to add at most; 64' },
  engine: { type: 'string', help: 'webgpu, cpu or reference; webgpu' },
  stages: { type: 'string', help: 'into how many parts the layers are cut; 1' },
  temperature: { type: 'string', help: 'how daring, such as 0.8; 0, which is the likeliest' },
  'top-k': { type: 'string', help: 'only so many of the likeliest tokens; 0 for all' },
  'top-p': { type: 'string', help: 'only those that together are so likely; 1 for all' },
  seed: { type: 'string', help: 'the same seed draws the same tokens; 0' },
  json: {
    type: 'string',
    help: 'writes ids, text, logits and times to a file, - for standard output',
  },
}
const TOKENS = 64
const TOKENS_MAX = 1_000_000

type Asked = {
  readonly path: string
  readonly prompt: string
  readonly tokens: number
  readonly engine: GraphEngineName
  readonly stages: number
  readonly sampling: Sampling
  readonly seed: number
}

const number = (args: Args, flag: string, missing: number): number => {
  const text = args.text(flag)
  if (text === undefined) return missing
  return /^\d*\.?\d+$/.test(text) ? Number(text) : Number.NaN
}

const isEngine = (name: string): name is GraphEngineName =>
  GRAPH_ENGINES.some((engine) => engine === name)

const asked = (args: Args): Result<Asked, Usage> => {
  const [path] = args.rest
  if (path === undefined) return usage('which model? a GGUF file, or a folder with config.json')
  const engine = args.text('engine') ?? 'webgpu'
  if (!isEngine(engine)) return usage(`--engine: expected ${GRAPH_ENGINES.join(' or ')}`)
  const tokens = whole('tokens', args.text('tokens'), 1, TOKENS_MAX, TOKENS)
  if (!tokens.ok) return tokens
  const stages = whole('stages', args.text('stages'), 1, 1024, 1)
  if (!stages.ok) return stages
  const seed = whole('seed', args.text('seed'), 0, 0xffff_ffff, 0)
  if (!seed.ok) return seed
  const sampling = {
    temperature: number(args, 'temperature', 0),
    topK: number(args, 'top-k', 0),
    topP: number(args, 'top-p', 1),
  }
  const prompt = args.text('prompt') ?? ''
  const counts = { tokens: tokens.value, stages: stages.value, seed: seed.value }
  return ok({ path, prompt, engine, sampling, ...counts })
}

const openStages = async (
  model: Model,
  count: number,
  engine: GraphEngine,
): Promise<ModelResult<readonly Stage[]>> => {
  const stages: Stage[] = []
  for (const range of splitLayers(model.config.layers, count)) {
    const stage = await openStage(model, range, engine)
    if (!stage.ok) return stage
    stages.push(stage.value)
  }
  return ok(stages)
}

/** Text as it comes, unless standard output is for the document. */
const follow = async (
  pieces: AsyncIterable<ModelResult<Piece>>,
  {
    prompt,
    json,
    began,
  }: { readonly prompt: string; readonly json: string | undefined; readonly began: number },
): Promise<ModelResult<object>> => {
  const ids: number[] = []
  let [text, promptMs, first] = ['', 0, null as Piece | null]
  for await (const piece of pieces) {
    if (!piece.ok) return piece
    if (piece.value.id === null) [first, promptMs] = [piece.value, performance.now() - began]
    else ids.push(piece.value.id)
    text += piece.value.text
    // Not before it is clear that the model takes the prompt.
    if (json !== '-' && piece.value.id === null) process.stdout.write(prompt)
    if (json !== '-') process.stdout.write(piece.value.text)
  }
  if (json !== '-') process.stdout.write('\n')
  const tokensMs = performance.now() - began - promptMs
  return ok({
    promptIds: first?.promptIds ?? [],
    ids,
    text,
    logitsAfterPrompt: [...(first?.logits ?? [])],
    promptMs,
    tokensMs,
  })
}

const run = async (argv: readonly string[]): Promise<number> => {
  const args = readArgs(argv, FLAGS, 1)
  if (!args.ok) return explain(args.error)
  const options = asked(args.value)
  if (!options.ok) return explain(options.error)
  const { path, prompt, tokens, sampling, seed } = options.value
  const files = await openModelFiles(path)
  if (!files.ok) return explain(files.error)
  const model = await openModel(files.value.files, files.value.folder)
  if (!model.ok) {
    await files.value.close()
    const { code, detail } = model.error
    return explain({ code, detail: `${path}: ${detail}` })
  }
  const engine = await openGraphEngine(options.value.engine)
  if (!engine.ok) return failed(engine.error)
  const json = args.value.text('json')
  const stages = await openStages(model.value, options.value.stages, engine.value)
  if (!stages.ok) return explain(stages.error)
  const began = performance.now()
  const sessions = stages.value.map((stage) => stage.session())
  const asking = { ...model.value, stages: sessions, prompt, tokens, sampling, seed }
  const made = await follow(generate(asking), { prompt, json, began })
  for (const stage of stages.value) stage.close()
  engine.value.close()
  await files.value.close()
  if (!made.ok) return made.error.code === 'engine' ? failed(made.error) : explain(made.error)
  const document = { ...options.value, ...made.value }
  return writeJson(json, document) ? EXIT.done : EXIT.failed
}

export const command = {
  summary: 'a language model on this machine: text goes on from a prompt',
  usage:
    'swarm generate MODEL --prompt TEXT [--tokens N] [--engine webgpu|cpu|reference] [--stages N] [--json F]',
  flags: FLAGS,
  run,
}
