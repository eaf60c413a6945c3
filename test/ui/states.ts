/** Every state of the interface by name: what the node shows, what the browser has, and where to look. */
import { epochMs, microCredits, ms } from '../../src/base/units.ts'
import type { View } from '../../src/peer/view.ts'
import {
  donate,
  emptyWallet,
  jobView,
  manyNodes,
  manyReceipts,
  name,
  nodes,
  SHADER,
  SOFTWARE,
  view,
  wallet,
  working,
} from './fixtures.ts'
import { chatStates } from './chat-states.ts'
import {
  alone,
  big,
  failed,
  finished,
  jobs,
  line,
  partly,
  product,
  running,
  tall,
  waiting,
  wide,
  wordy,
} from './jobs.ts'
import type { State } from './state.ts'

const busy = view({ donate: working(), jobs })
const paused = (pause: NonNullable<View['donate']['pause']>): View =>
  view({ donate: working({ state: 'paused', pause, now: null, measuredShare: 0, queued: 0 }) })
const trouble = (code: string, text: string): View =>
  view({ donate: working(), problems: [{ code, text }] })
const none = (why: 'no-webgpu' | 'no-adapter' | 'insecure'): State => ({
  at: '#/donate',
  view: view({ wallet: emptyWallet() }),
  shell: { probe: { kind: 'none', why }, secure: why !== 'insecure' },
})

export const states: Readonly<Record<string, State>> = {
  'donate-loading': { at: '#/donate', boot: 'never' },
  'donate-contract': { at: '#/donate', view: view({ wallet: emptyWallet() }) },
  'donate-contract-dull': {
    at: '#/donate',
    view: view({ wallet: emptyWallet() }),
    shell: { handheld: true, senses: { battery: false, metered: false, warmth: false } },
  },
  'donate-not-now': { at: '#/donate', view: view({ wallet: emptyWallet() }), press: ['Not now'] },
  'donate-measuring': {
    at: '#/donate',
    view: view({ donate: donate({ state: 'measuring', measuringPermille: 430 }) }),
  },
  'donate-working': { at: '#/donate', view: busy },
  'donate-phone': {
    at: '#/donate',
    view: view({ donate: working({ stopsAt: epochMs(1_795_200_000_000) }), jobs }),
    shell: { handheld: true },
  },
  'donate-ready': {
    at: '#/donate',
    view: view({ donate: working({ state: 'ready', now: null, queued: 0, measuredShare: 0 }) }),
  },
  'donate-finishing': { at: '#/donate', view: view({ donate: working({ state: 'finishing' }) }) },
  'donate-first-task': {
    at: '#/donate',
    view: view({
      donate: working({ doneTasks: 0, earned: microCredits(0), queued: 1 }),
      wallet: emptyWallet(),
    }),
  },
  'donate-software': { at: '#/donate', view: view({ donate: working({ capability: SOFTWARE }) }) },
  'donate-stopped': {
    at: '#/donate',
    view: view({
      donate: donate({ capability: SOFTWARE, doneTasks: 4, earned: microCredits(400) }),
    }),
  },
  'donate-install': { at: '#/donate', view: busy, shell: { install: true } },
  'no-webgpu': none('no-webgpu'),
  'adapter-null': none('no-adapter'),
  'insecure-page': none('insecure'),
  'software-adapter': {
    at: '#/donate',
    view: view(),
    shell: { probe: { kind: 'software', label: 'google swiftshader' } },
  },
  'paused-by-you': { at: '#/donate', view: paused('paused-by-you') },
  'paused-hidden': { at: '#/donate', view: paused('hidden') },
  'paused-battery': { at: '#/donate', view: paused('on-battery') },
  'paused-metered': { at: '#/donate', view: paused('metered') },
  'paused-warm': { at: '#/donate', view: paused('too-warm') },
  'device-lost': {
    at: '#/donate',
    view: {
      ...paused('device-lost'),
      problems: [
        { code: 'device-lost', text: 'The graphics driver restarted. Your unit was handed back.' },
      ],
    },
  },
  'no-relay-alone': {
    at: '#/donate',
    view: view({
      donate: working({ state: 'ready', now: null }),
      nodes: alone,
      reachability: { kind: 'no-relay', detail: 'refused' },
    }),
  },
  'no-relay-linked': {
    at: '#/swarm',
    view: view({ reachability: { kind: 'no-relay', detail: 'refused' } }),
  },
  'no-peers': { at: '#/swarm', view: view({ nodes: alone }) },
  'no-webrtc': {
    at: '#/donate',
    view: view({ reachability: { kind: 'no-webrtc', detail: 'blocked' }, nodes: alone }),
  },
  'relayed-only': {
    at: '#/swarm',
    view: view({
      reachability: { kind: 'no-webrtc', detail: 'chosen' },
      nodes: nodes().map((node) => (node.self ? node : { ...node, link: 'relayed' })),
    }),
    shell: { relayed: true },
  },
  'no-direct-path': {
    at: '#/donate',
    view: view({
      donate: working(),
      nodes: nodes().map((node) => (node.self ? node : { ...node, link: 'relayed' })),
      problems: [{ code: 'no-direct-path', text: 'Every link goes through the relay.' }],
    }),
  },
  connecting: {
    at: '#/donate',
    view: view({ reachability: { kind: 'connecting' }, nodes: alone }),
  },
  offline: {
    at: '#/jobs',
    view: view({ reachability: { kind: 'offline' }, nodes: alone, jobs }),
    shell: { online: false },
  },
  'other-tab': { at: '#/donate', boot: 'other-tab' },
  'storage-corrupt': {
    at: '#/donate',
    boot: {
      code: 'chain-corrupt',
      text: 'The books stored in this browser are damaged, so nothing can be earned or paid with them. Export what can be read, then begin anew or bring a saved key back.',
      remedies: [
        { label: 'Try again', run: async () => null },
        { label: 'Export what can be read', run: async () => null },
        {
          label: 'Delete the data, keep the key',
          ask: 'Receipts, jobs and results stored here are deleted. The key stays.',
          run: async () => null,
        },
      ],
    },
  },
  'storage-corrupt-sure': {
    at: '#/donate',
    boot: {
      code: 'chain-corrupt',
      text: 'The books stored in this browser are damaged.',
      remedies: [
        {
          label: 'Delete the data, keep the key',
          ask: 'Receipts, jobs and results stored here are deleted. The key stays.',
          run: async () => null,
        },
      ],
    },
    press: ['Delete the data'],
  },
  'quota-full': {
    at: '#/jobs',
    view: {
      ...trouble(
        'quota-full',
        'The browser’s storage is full. Receipts are still kept; results of jobs are not.',
      ),
      jobs,
    },
  },
  'storage-record-lost': {
    at: '#/wallet',
    view: trouble(
      'storage-corrupt',
      '2 records of receipts did not match their hash and were left out.',
    ),
  },
  'clock-skew': {
    at: '#/donate',
    view: trouble(
      'clock-skew',
      'This device’s clock is 14 minutes off. Others refuse its adverts until it is set right.',
    ),
  },
  'version-too-old': {
    at: '#/donate',
    view: trouble(
      'version-too-old',
      'This page is older than the swarm’s nodes and can no longer work with them.',
    ),
    shell: { update: true },
  },
  'update-waiting': { at: '#/donate', view: busy, shell: { update: true } },
  'update-chosen': {
    at: '#/donate',
    view: busy,
    shell: { update: true },
    press: ['Finish unit, then update'],
  },
  jobs: { at: '#/jobs', view: view({ jobs }) },
  'jobs-empty': { at: '#/jobs', view: view() },
  'job-running': { at: `#/jobs/${running.id}`, view: view({ jobs }) },
  'job-unit': { at: `#/jobs/${running.id}/4`, view: view({ jobs }) },
  'job-unit-rejected': { at: `#/jobs/${running.id}/24`, view: view({ jobs }) },
  'job-done': { at: `#/jobs/${finished.id}`, view: view({ jobs }) },
  'job-line': { at: `#/jobs/${line.id}`, view: view({ jobs }) },
  'job-matmul': { at: `#/jobs/${product.id}`, view: view({ jobs }) },
  'job-failed': { at: `#/jobs/${failed.id}`, view: view({ jobs }) },
  'job-waiting': { at: `#/jobs/${waiting.id}`, view: view({ jobs, nodes: alone }) },
  'job-waiting-shader': {
    at: `#/jobs/${waiting.id}`,
    view: view({ jobs: [{ ...waiting, job: { ...waiting.job, program: SHADER } }] }),
  },
  'job-no-credit': {
    at: `#/jobs/${failed.id}`,
    view: view({
      jobs: [
        {
          ...failed,
          problem: {
            code: 'no-credit',
            text: 'The credit is used up. Lend some time, then try the rest again.',
          },
        },
      ],
    }),
  },
  'job-many-units': { at: `#/jobs/${big.id}/2210`, view: view({ jobs: [big] }) },
  'job-wide': { at: `#/jobs/${wide.id}`, view: view({ jobs: [wide] }) },
  'job-tall': { at: `#/jobs/${tall.id}`, view: view({ jobs: [tall] }) },
  'job-partly': { at: `#/jobs/${partly.id}`, view: view({ jobs: [partly] }) },
  'job-long-words': { at: `#/jobs/${wordy.id}`, view: view({ jobs: [wordy] }) },
  'jobs-long-words': { at: '#/jobs', view: view({ jobs: [wordy, running] }) },
  'job-folded': {
    at: `#/jobs/${failed.id}`,
    view: view({ jobs: [{ ...failed, tasks: [], verified: 7 }] }),
  },
  'job-planning': {
    at: `#/jobs/${running.id}`,
    view: view({
      jobs: [jobView({ state: 'planning', tasks: [], outputs: [], elapsedMs: ms(0) })],
    }),
  },
  new: { at: '#/new', view: view() },
  'new-image': { at: '#/new', view: view(), press: ['Picture filter'] },
  'new-matmul': { at: '#/new', view: view(), press: ['Matrix product'] },
  'new-map': { at: '#/new', view: view(), press: ['Formula'] },
  'new-own': { at: '#/new', view: view(), press: ['Own spec'] },
  'new-own-wrong': { at: '#/new', view: view(), press: ['Own spec', 'Open this spec'] },
  'new-wrong': { at: '#/new', view: view(), twist: { specTrouble: true } },
  'new-no-credit': { at: '#/new', view: view(), twist: { dear: true } },
  'new-shader': { at: '#/new', view: view(), twist: { shader: true } },
  'new-no-templates': {
    at: '#/new',
    view: view({ reachability: { kind: 'offline' }, nodes: alone }),
    twist: { noTemplates: true },
  },
  ...chatStates,
  swarm: { at: '#/swarm', view: view({ donate: working() }) },
  'swarm-many': { at: '#/swarm', view: view({ nodes: manyNodes(1000) }) },
  'swarm-dozens': { at: '#/swarm', view: view({ nodes: manyNodes(60) }) },
  wallet: { at: '#/wallet', view: view() },
  'wallet-empty': { at: '#/wallet', view: view({ wallet: emptyWallet() }) },
  'wallet-many': { at: '#/wallet', view: view({ wallet: manyReceipts(500) }) },
  'wallet-steady': {
    at: '#/wallet',
    view: view({
      wallet: wallet({
        balance: microCredits(999_999_990_496),
        history: Array.from({ length: 48 }, (_, i) => ({
          hour: 498_700,
          seq: i + 1,
          balance: microCredits(1_000_000_000_000 - i * 198),
        })),
      }),
    }),
  },
  'wallet-saved': { at: '#/wallet', view: view({ wallet: wallet({ backedUp: true }) }) },
  receipt: { at: `#/wallet/${name(504)}`, view: view() },
  'receipt-verified': { at: `#/wallet/${name(505)}`, view: view(), press: ['Re-verify'] },
  'receipt-false': {
    at: `#/wallet/${name(503)}`,
    view: view(),
    press: ['Re-verify'],
    twist: { badReceipt: true },
  },
  'receipt-open': {
    at: `#/wallet/${name(503)}`,
    view: view(),
    press: ['Re-verify'],
    twist: { openReceipt: true },
  },
  settings: { at: '#/settings', view: view() },
  'settings-dull': {
    at: '#/settings',
    view: view(),
    shell: { senses: { battery: false, metered: false, warmth: false, wakeLock: false } },
  },
  'settings-diagnostics': { at: '#/settings', view: view(), press: ['Diagnostics'] },
  'settings-phone': { at: '#/settings', view: view(), shell: { handheld: true } },
  'settings-key-saved': { at: '#/settings', view: view(), twist: { key: 'saved' } },
  'settings-key-lost': {
    at: '#/settings',
    view: view(),
    twist: { key: 'impossible' },
    press: ['Bring a key back'],
  },
  'wallet-key-lost': { at: '#/wallet', view: view(), twist: { key: 'impossible' } },
  'settings-delete-all': { at: '#/settings', view: view(), press: ['Delete everything'] },
  keys: { at: '#/donate', view: view(), press: ['key:?'] },
  log: { at: '#/donate', view: busy, press: ['Pause', 'Resume', 'key:l'] },
  'log-empty': { at: '#/donate', view: view(), press: ['key:l'] },
}
