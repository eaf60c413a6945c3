/** The words around every screen: head, places, strip, notices, dialogs. `*` marks what is set strong. */
import { count, plural } from '../format.ts'

export const frame = {
  name: 'SwarmHarness',
  home: 'SwarmHarness, to Donate',
  skip: 'Skip to the content',
  opening: (place: string): string => `Opening ${place}`,
  notLoaded: 'This part did not load.',
  again: 'Load again',
  loading: 'The rest of the program is loading.',
  drop: 'Drop a spec (.swarm.md), a picture or a model',
  places: 'Places',
  own: 'Your own',
  menu: 'Wallet, settings and more',
  keys: 'Keys',
  log: 'Log',
  sheet: 'sheet',
  swarm: 'swarm',
  node: 'node',
  keyNotSaved: 'Key not saved',
  keyNotSavedWhy: 'It is only in this browser: back it up',

  whatRuns: 'What runs',
  stop: 'Stop',
  measured: 'measured share of the device',
  words: {
    loading: 'Loading',
    otherTab: 'In another tab',
    failed: 'Not running',
    nothing: 'nothing runs here',
    measuring: 'three seconds',
    forWork: 'for work',
    lookingForRelay: 'looking for the relay',
  },
  peers: (direct: number, relayed: number): string =>
    `${plural(direct + relayed, 'peer', 'peers')} (${count(direct)} direct, ${count(relayed)} relayed)`,

  noNetworkYet: 'No network. The program is loaded from this device.',
  updateComes: 'The update is put in as soon as this task is done.',
  updateReady: 'A new version is ready.',
  taskFirst: 'This task is finished first.',
  update: 'Update',
  finishThenUpdate: 'Finish unit, then update',
  acts: {
    resumeHalf: 'Resume at half share',
    storage: 'Look at the data',
    earn: 'Lend some time',
    update: 'Update',
    reload: 'Load again',
    saveKey: 'Look at the key',
  },

  otherTab: {
    title: 'Another tab is the node.',
    text: 'A browser has one node, however many tabs are open. You can go to that tab, or move the node here; the task in hand is finished first, for at most 20 seconds.',
    show: 'Show it',
    move: 'Move here',
  },
  failed: { title: 'This cannot run here now.', code: 'Code:', keep: 'Leave it' },

  dim: { touch: 'Touch to see', done: (tasks: number): string => `${count(tasks)} done` },

  dialog: { close: 'Close' },
  help: { title: 'Keys', key: 'Key', does: 'What it does' },
  logbook: {
    title: 'Log',
    about: 'What happened since this page was opened, latest first. It is kept nowhere else.',
    empty: 'Nothing has happened yet.',
    filter: 'Filter the log',
    none: 'Nothing in the log fits this filter.',
    copy: 'Copy the log',
    copied: 'The log is copied.',
    dropped: (n: number): string => `${plural(n, 'earlier line', 'earlier lines')} forgotten.`,
  },
  pages: {
    earlier: 'Earlier units',
    later: 'Later units',
    page: (n: number, all: number): string => `sheet ${count(n)} of ${count(all)}`,
  },
  stages: {
    program: 'loading the program',
    handOver: 'waiting for the other tab to hand over',
  },
  said: {
    notNow: 'Not now. Nothing runs.',
    tooLarge: (file: string): string => `${file} is too large for a spec.`,
    handed: (title: string, units: number): string =>
      `${title}: handed to the swarm as ${plural(units, 'unit', 'units')}.`,
    notLoaded: (why: string): string => `The program did not load: ${why}`,
  },
  notAllowed: 'Copying is not allowed here.',
} as const
