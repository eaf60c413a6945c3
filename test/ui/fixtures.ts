/** Views made by hand, one for each state the interface has to show. Tests only: nothing here happened. */
import {
  cid,
  did,
  jobId,
  peerId,
  taskId,
  type Cid,
  type Did,
  type PeerId,
} from '../../src/base/ids.ts'
import { prng } from '../../src/base/prng.ts'
import { epochMs, microCredits, ms } from '../../src/base/units.ts'
import type { Job } from '../../src/core/job.ts'
import { DEFAULT_LIMITS } from '../../src/peer/donor.ts'
import type {
  DonateView,
  JobView,
  NodeView,
  OutputView,
  TaskState,
  TaskView,
  View,
  WalletView,
} from '../../src/peer/view.ts'

const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567'
const text = (alphabet: string, length: number, seed: number): string => {
  const random = prng(seed)
  return Array.from({ length }, () => alphabet[random.below(alphabet.length)]).join('')
}
export const account = (n: number): Did => did(`did:key:z6Mk${text(BASE58, 44, 1000 + n)}`)
export const peer = (n: number): PeerId => peerId(`12D3KooW${text(BASE58, 44, 2000 + n)}`)
export const name = (n: number): Cid => cid(`b${text(BASE32, 58, 3000 + n)}`)

export const ME = account(0)
const HOUR = 498_700

export const GPU = {
  adapter: 'gpu',
  label: 'apple metal-3',
  f32FlopPerSecond: 1.24e12,
  i8OpPerSecond: 3.1e12,
  copyBytesPerSecond: 118e9,
  memoryBytes: 256 * 2 ** 20,
  graphs: { engine: 'gpu', measured: { gpu: 0.6, software: 2.1 } },
} as const
export const SOFTWARE = {
  adapter: 'software',
  label: 'Software adapter (SwiftShader)',
  f32FlopPerSecond: 9.1e9,
  i8OpPerSecond: 12e9,
  copyBytesPerSecond: 4.2e9,
  memoryBytes: 256 * 2 ** 20,
  graphs: { engine: 'wasm', measured: { software: 18, WebAssembly: 6.2 } },
} as const

export const job = (change: Partial<Job> = {}): Job => ({
  v: 1,
  spec: name(1),
  name: 'mandelbrot',
  program: {
    kind: 'mandelbrot',
    width: 1024,
    height: 768,
    centerX: '-0.7436438',
    centerY: '0.1318259',
    zoom: '260',
    iterations: 600,
    palette: 'sheet',
  },
  inputs: [],
  needs: { adapter: 'any', memoryBytes: 256 * 2 ** 20 },
  redundancy: 1,
  deadlineMs: ms(600_000),
  budget: microCredits(40_000),
  privacy: 'public',
  tile: 128,
  ...change,
})

export const SHADER: Job['program'] = {
  kind: 'wgsl',
  source: '',
  items: 1,
  itemLength: 1,
  iterations: 1,
  output: 'u32',
  constants: [],
}
export const IMAGE: OutputView = { name: 'image', dtype: 'u32', shape: [768, 1024] }
const STATES: readonly TaskState[] = [
  'leased',
  'computing',
  'returned',
  'computing',
  'leased',
  'rejected',
]

/** The tiles of a picture, the first `done` of them verified and the next few on their way. */
export const tiles = (done: number, moving: number, total = 48, columns = 8): TaskView[] =>
  Array.from({ length: total }, (_, index): TaskView => {
    const state: TaskState =
      index < done
        ? 'verified'
        : index < done + moving
          ? (STATES[(index - done) % STATES.length] ?? 'leased')
          : 'queued'
    const busy = state !== 'queued'
    return {
      id: taskId(name(100 + index)),
      index,
      kernel: 'mandelbrot@1',
      state,
      permille: state === 'computing' ? 640 : state === 'verified' ? 1000 : 0,
      node: busy ? account(1 + (index % 5)) : null,
      attempt: busy ? 1 : 0,
      verdict: state === 'verified' ? 'accepted' : state === 'rejected' ? 'rejected' : null,
      check: state === 'verified' ? 'bit-equality' : null,
      why: state === 'rejected' ? 'wrong-result' : null,
      receipt: state === 'verified' ? name(500 + index) : null,
      flop: 78_643_200,
      bytes: 65_536,
      microCredits: microCredits(100),
      queuedMs: state === 'verified' ? 340 : 0,
      computeMs: state === 'verified' ? 512 : 0,
      by: state === 'verified' ? { adapter: 'gpu', link: 'direct', rttMs: 12 } : null,
      tensor: 'image',
      rect: {
        row: Math.floor(index / columns) * 128,
        rows: 128,
        col: (index % columns) * 128,
        cols: 128,
      },
    }
  })

export const jobView = (change: Partial<JobView> = {}): JobView => {
  const tasks = change.tasks ?? tiles(19, 9)
  return {
    id: jobId(name(10)),
    job: job(),
    title: 'Seahorse valley',
    state: 'running',
    problem: null,
    tasks,
    outputs: [IMAGE],
    verified: tasks.filter((task) => task.state === 'verified').length,
    spent: microCredits(1_900),
    submittedAt: epochMs(HOUR * 3_600_000),
    elapsedMs: ms(21_400),
    firstResultMs: ms(900),
    ...change,
  }
}

const node = (n: number, change: Partial<NodeView> = {}): NodeView => ({
  account: account(n),
  peer: peer(n),
  adapter: 'gpu',
  f32: 19 + (n % 4),
  state: n % 3 === 0 ? 'busy' : 'ready',
  link: 'direct',
  rttMs: 4 + ((n * 17) % 90),
  queued: n % 3,
  wgsl: false,
  trust: 0.5 + ((n * 7) % 50) / 100,
  accepted: n * 13,
  rejected: 0,
  self: false,
  ...change,
})
const SELF = node(0, { self: true, link: 'none', rttMs: null, queued: 1, state: 'busy', f32: 20 })
export const nodes = (): NodeView[] => [
  SELF,
  node(1),
  node(2, { link: 'relayed', rttMs: 148 }),
  node(3),
  node(4, { adapter: 'software', f32: 13 }),
  node(5, { adapter: 'cpu', f32: 11, rttMs: 2.3 }),
  node(6, { state: 'paused', link: 'none', rttMs: null }),
  node(7, { rejected: 3, trust: 0.08, rttMs: 22 }),
  node(8, { rttMs: 11 }),
  node(9, { link: 'relayed', rttMs: 210, adapter: 'software', f32: 12 }),
]
export const manyNodes = (count: number): NodeView[] => [
  SELF,
  ...Array.from({ length: count }, (_, i) => node(20 + i, i % 4 === 0 ? { link: 'relayed' } : {})),
]

const receipt = (n: number): WalletView['receipts'][number] => {
  const worker = n % 3 !== 0
  return {
    cid: name(500 + n),
    role: worker ? 'worker' : 'requester',
    block: null,
    answer: null,
    signed: {
      body: {
        v: 1,
        kind: 'receipt',
        swarm: name(2),
        job: jobId(name(10)),
        task: taskId(name(100 + n)),
        attempt: 1,
        kernel: n % 4 === 0 ? 'matmul@1' : 'mandelbrot@1',
        requester: worker ? account(1 + (n % 5)) : ME,
        worker: worker ? ME : account(1 + (n % 5)),
        inputs: n % 4 === 0 ? [name(800 + n), name(900 + n)] : [],
        output: name(700 + n),
        check: n % 4 === 0 ? 'freivalds' : 'bit-equality',
        flop: 268_435_456,
        bytes: 786_432,
        microCredits: microCredits(100 + n * 9),
        hour: HOUR + n,
      },
      requesterSig: Uint8Array.from({ length: 64 }, (_, i) => (i * 7 + n) % 256),
      workerSig: n === 3 ? null : Uint8Array.from({ length: 64 }, (_, i) => (i * 11 + n) % 256),
    },
  }
}
export const wallet = (change: Partial<WalletView> = {}): WalletView => ({
  account: ME,
  balance: microCredits(12_345_678),
  inFlight: microCredits(300),
  history: Array.from({ length: 60 }, (_, i) => ({
    hour: HOUR + i,
    seq: i + 1,
    balance: microCredits(i < 20 ? i * 400_000 : 8_000_000 + (i % 7) * 400_000 + i * 30_000),
  })),
  receipts: Array.from({ length: 24 }, (_, i) => receipt(i)),
  blocks: [],
  backedUp: false,
  ...change,
})
export const manyReceipts = (count: number): WalletView =>
  wallet({ receipts: Array.from({ length: count }, (_, i) => receipt(i)) })
export const emptyWallet = (): WalletView =>
  wallet({ balance: microCredits(0), inFlight: microCredits(0), history: [], receipts: [] })

export const donate = (change: Partial<DonateView> = {}): DonateView => ({
  state: 'idle',
  pause: null,
  measuringPermille: 0,
  capability: null,
  share: 0.5,
  measuredShare: 0,
  now: null,
  queued: 0,
  doneTasks: 0,
  handedBack: 0,
  refused: {},
  earned: microCredits(0),
  stopsAt: null,
  ...change,
})
export const working = (change: Partial<DonateView> = {}): DonateView =>
  donate({
    state: 'working',
    capability: GPU,
    measuredShare: 0.48,
    now: {
      lease: 'a/1',
      job: jobId(name(11)),
      title: 'Lantern room',
      kernel: 'matmul@1',
      requester: account(3),
      permille: 640,
      startedAt: ms(0),
      microCredits: microCredits(420),
    },
    queued: 3,
    doneTasks: 16,
    handedBack: 1,
    earned: microCredits(3_214),
    ...change,
  })

export const view = (change: Partial<View> = {}): View => ({
  swarm: { cid: name(2), name: 'demo swarm' },
  account: ME,
  peer: peer(0),
  reachability: { kind: 'reachable', relay: '/ip4/127.0.0.1/tcp/8080/ws' },
  donate: donate(),
  jobs: [],
  sessions: [],
  nodes: nodes(),
  wallet: wallet(),
  problems: [],
  ...change,
})

export const LIMITS = DEFAULT_LIMITS
