/** The words of Chat: a model that is brought, a text that it goes on with, and where that is computed. */
import type { StageView } from '../../peer/models/session-view.ts'
import { bytes, count, duration, plural, short } from '../format.ts'

const STATES: Readonly<Record<StageView['state'], string>> = {
  calling: 'is asked',
  fetching: 'is given its weights',
  loading: 'loads its weights',
  ready: 'ready',
  replaying: 'is told what went before',
  lost: 'gone',
}

/** What happened to a node, as `name …`. Codes of the asking side. */
const WHYS: Readonly<Record<string, string>> = {
  gone: 'left',
  silent: 'fell silent',
  stalled: 'did not go on',
  'wrong-result': 'answered wrongly',
  'bad-answer': 'answered wrongly',
  'wrong-bill': 'asked for too much',
  'handed-back': 'was stopped by its owner',
  paused: 'was paused by its owner',
  closed: 'left',
  engine: 'could not go on',
  unpaid: 'wants to be paid first',
  'no-weights': 'did not get its weights',
  'no-room': 'has no room any more',
  'free-tier-used-up': 'gave no more away',
  'no-credit': 'did not see that it can be paid',
}

/** Sentences for what a code means to a person; others bring their own. */
const PROBLEMS: Readonly<Record<string, (detail: string) => string>> = {
  'wrong-tokenizer': (why) => `These files do not belong together: ${why}.`,
  'missing-tensor': (why) => `The file is not whole: ${why}.`,
  truncated: (why) => `The file is not whole: ${why}.`,
  'unknown-architecture': (why) => `This kind of model is not known here: ${why}.`,
  unsupported: (why) => `This model has something that is not known here: ${why}.`,
  'bad-header': (why) => `The model cannot be read: ${why}.`,
  'bad-tensor': (why) => `The model cannot be read: ${why}.`,
  'bad-config': (why) => `The model cannot be read: ${why}.`,
  'bad-tokenizer': (why) => `The tokenizer cannot be used: ${why}.`,
  unreadable: (why) => `The model cannot be read: ${why}.`,
  'too-large': (why) => `The model cannot be read, for it is too large: ${why}.`,
  'prompt-too-long': (why) => `The text is too long: ${why}.`,
  'empty-prompt': () => 'This model needs a beginning: write something.',
  'over-budget': () => 'The budget is used up. What has come is paid.',
  'other-model': (why) => why,
  'free-tier-used-up': () =>
    'What the nodes here give away is used up for now; it comes back little by little, all of it within an hour. Lend this device to earn credits and set a budget, or go on later from here.',
  'no-credit': () => 'There is not enough credit. Lend some time first, or use the free tier.',
}

export type RecoveryFacts = {
  readonly lost: string
  readonly why: string
  /** Below 1: while the prompt was read. */
  readonly token: number
  readonly layers: string | null
  readonly to: string | null
  /** 0: it does not go on yet. */
  readonly ms: number
}

export const chat = {
  title: 'A text that goes on',
  about:
    'A language model of yours, its layers spread over the nodes that are here. It goes on with what you write, token by token.',
  example: 'Once upon a time',

  model: {
    title: 'Model',
    begin: 'Drop a model here',
    again: (name: string): string => `Drop ${name} here`,
    what: 'A GGUF file, or the files of a folder as Hugging Face has it: config.json, tokenizer.json, safetensors. It stays on this device until you ask it; then its layers go to the nodes that compute them.',
    file: 'Choose a GGUF file',
    folder: 'Choose a folder',
    nothing: 'There are no files in it that can be read.',
    another: 'Another model',
    reading: (name: string): string => `Reading ${name}`,
    files: (n: number): string => plural(n, 'file', 'files'),
    name: 'Name',
    size: 'Size',
    layers: 'Layers',
    context: 'Looks back over',
    tokens: (n: number): string => plural(n, 'token', 'tokens'),
    license: 'License',
    noLicense: 'none is named',
  },

  share: {
    title: 'May this model be given to others?',
    yes: 'I may share it',
    no: 'Not now',
  },

  ask: {
    title: 'Beginning',
    prompt: 'What the text begins with',
    measured: (n: number, most: number): string =>
      `${plural(n, 'token', 'tokens')} of ${count(most)}`,
    tokens: 'New tokens, at most',
    manner: 'How words are chosen',
    manners: { likeliest: 'likeliest', steady: 'steady', lively: 'lively', own: 'own' },
    temperature: 'Temperature',
    topK: 'Top-k',
    topKHelp: '0 for all',
    topP: 'Top-p',
    seed: 'Seed',
    seedHelp: 'the same draws the same',
    nodes: 'Nodes, at most',
    any: 'as many as help',
    budget: 'Budget, credits',
    free: 'Free tier, which is slow',
    go: 'Go on with the text',
    anew: 'Begin anew',
    stop: 'Stop',
    privacy:
      'Who holds the first layers can read your text, and who holds the last ones what comes of it. Do not put anything private in.',
  },

  text: {
    title: 'Text',
    label: 'The text so far',
    waiting: 'The text appears here.',
    made: (made: number, wanted: number): string =>
      `${count(made)} of ${plural(wanted, 'token', 'tokens')}`,
    speed: (perSecond: number): string => `${short(perSecond)}\u00a0a\u00a0second`,
    takeUp: 'Begin from here',
    copy: 'Copy',
    copied: 'The text is copied.',
    goOn: 'Go on',
    left: (n: number): string => `${plural(n, 'token is', 'tokens are')} still to come`,
    needsModel: (name: string): string =>
      `To go on, bring ${name} again: a model is not kept, only what came of it.`,
    ended: 'It ends here: the model ended its answer, or looks back no further.',
    stopped: 'Stopped.',
    spent: (amount: string): string => `${amount} credits`,
  },

  kept: {
    title: 'Your last texts',
    about: 'Kept in this browser only, as far as they had come.',
    show: 'Open',
    close: 'Close the text',
    delete: 'Delete',
    deleteAll: 'Delete all texts',
    sureAll: 'Yes, delete all texts',
    facts: (model: string, made: number, wanted: number): string =>
      `${model} · ${count(made)} of ${plural(wanted, 'token', 'tokens')}`,
    shown: (model: string): string => `The text is open. Bring ${model} to go on with it.`,
    forgotten: 'Deleted.',
    labelled: (act: string, prompt: string): string => `${act}: ${prompt}`,
  },

  map: {
    title: 'Where it runs',
    before: 'Each square is a layer. It takes the colour of the node that holds it.',
    layers: (from: number, to: number): string =>
      from === to ? `layer ${count(from)}` : `layers ${count(from)}–${count(to)}`,
    unassigned: (layers: number): string =>
      `${plural(layers, 'layer', 'layers')}, held by no node yet`,
    nobody: 'no node yet',
    looking: 'looked for',
    states: STATES,
    weights: (here: number, given: number, others: number): string =>
      [
        [here, 'were there'] as const,
        [given, 'from you'] as const,
        [others, 'from others'] as const,
      ]
        .filter(([n]) => n > 0)
        .map(([n, from]) => `${bytes(n)} ${from}`)
        .join(', '),
    compute: (ms: number): string => `${duration(ms)}\u00a0a\u00a0token`,
    audited: (n: number): string => `checked ${n === 1 ? 'once' : `${count(n)} times`}`,
    credits: (amount: string): string => `${amount}\u00a0credits`,
    moved: 'Moved while it ran',
  },

  recovery: ({ lost, why, token, layers, to, ms }: RecoveryFacts): string => {
    const when = token < 1 ? 'while the prompt was read' : `at token ${count(token)}`
    const verb = ms > 0 ? 'moved' : 'move'
    const moved = layers === null || to === null ? '' : `; ${layers} ${verb} to ${to}`
    return `${lost} ${why} ${when}${moved}${ms > 0 ? `, ${duration(ms)}` : ''}.`
  },
  whys: WHYS,

  time: {
    title: 'A token takes',
    compute: 'computing',
    between: 'between nodes',
    here: 'here',
    label: (all: string): string => `Where ${all} of a token go`,
  },

  states: {
    naming: 'Naming its parts',
    calling: 'Asking nodes',
    loading: 'The nodes get their layers',
    prompt: 'Reading the beginning',
    tokens: 'Going on',
    settling: 'Paying',
    done: 'Done',
    failed: 'Failed',
    stopped: 'Stopped',
  },
  alone: 'Waiting for other nodes',
  problem: (code: string, text: string): string | null => PROBLEMS[code]?.(text) ?? null,

  said: {
    open: (name: string): string => `${name} is open.`,
    begun: 'The nodes are asked.',
    done: 'The text is done.',
    stopped: 'Stopped.',
  },
} as const
