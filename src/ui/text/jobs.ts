/** The words of Jobs: the list, one job, its units and its result. */
import { count, plural } from '../format.ts'

export const jobs = {
  title: 'Jobs',
  newJob: 'New job',
  lost: 'This browser has no such job. Jobs are kept where they were started.',
  empty:
    'No job yet. A job is cut into units; nodes take them, and each square below stands for one. It fills as its unit is leased, computed and verified.',
  emptySheet: 'An empty sheet',
  choose: 'Choose a template',
  filter: 'Filter by name',
  state: 'State',
  none: 'No job fits this filter.',
  units: (verified: number, total: number): string =>
    total === 0
      ? `${count(verified)} verified`
      : `${count(verified)} of ${plural(total, 'unit', 'units')}`,
  credits: (amount: string): string => `${amount} credits`,
  left: (time: string): string => `${time} left`,
  took: (time: string): string => `took ${time}`,
  kept: 'kept on this device',

  all: 'All jobs',
  waiting: (why: string): string =>
    `Nobody can take a unit at the moment: ${why}. The job waits until its deadline, and goes on by itself when that changes.`,
  facts: {
    state: 'State',
    verified: 'Verified',
    of: (done: number, total: number): string =>
      total === 0 ? count(done) : `${count(done)} of ${count(total)}`,
    left: 'Left',
    took: 'Took',
    nodes: 'Nodes',
    each: 'Each unit by',
    nodeCount: (n: number): string => plural(n, 'node', 'nodes'),
    paid: 'Paid',
    paidOf: 'Paid, of its budget',
    free: 'free',
    ofBudget: (spent: string, budget: string): string => `${spent} of ${budget}`,
  },
  acts: {
    cancel: 'Cancel job',
    goOn: 'Go on',
    again: 'Try the rest again',
    delete: 'Delete',
    sure: 'Yes, delete its data here',
    keep: 'Keep',
    earn: 'Lend some time',
  },

  sheet: {
    title: 'Units',
    keys: 'arrow keys move',
    choose: 'Choose a square to see who has it, how it was checked and its receipt.',
    label: (title: string): string => `Units of ${title}`,
    planning: 'The plan is being made.',
    folded: 'Its units are read from the disk when it goes on.',
    workers: 'Who works on it',
    nobody: 'Nobody yet.',
    receipts: 'The receipts of this job are in the wallet.',
    done: (n: number): string => `${count(n)} done`,
    now: (n: number): string => `${count(n)} now`,
    others: (n: number): string => `and ${plural(n, 'other node', 'other nodes')}`,
  },
  unit: {
    before: 'Unit before',
    next: 'Next unit',
    node: 'Node',
    nobody: 'nobody yet',
    unknown: 'not remembered',
    handedBack: (why: string): string => `Handed back and queued again. ${why}`,
    attempt: (n: number): string => `attempt ${count(n)}`,
    kernel: 'Kernel',
    check: 'Check',
    time: 'Time',
    times: (computing: string, waiting: string): string =>
      `${computing} computing, ${waiting} waiting`,
    size: 'Size',
    cost: 'Cost',
    name: 'Name',
    receipt: 'Receipt',
    none: 'none yet',
  },

  result: {
    title: 'Result',
    outputs: 'Outputs',
    nothing: 'Nothing yet.',
    reading: 'Reading the result from this device.',
    gone: 'The result is no longer stored here.',
    partly: 'What is verified so far; the rest is left blank.',
    range: (n: number, low: string, high: string): string =>
      `${plural(n, 'number', 'numbers')} from ${low} to ${high}`,
    line: (name: string, low: string, high: string): string =>
      `${name}: numbers from ${low} to ${high}, as a line`,
    first: (name: string): string => `The first numbers of ${name}`,
    from: 'from',
    columns: (shown: number, all: number): string =>
      `${count(shown)} of ${plural(all, 'column', 'columns')}; the file has all.`,
    picture: (name: string, title: string, done: number, total: number): string =>
      `${name} of ${title}, ${count(done)} of ${count(total)} ${total === 1 ? 'piece' : 'pieces'}`,
    wide: (width: number, height: number): string =>
      `${count(width)} × ${count(height)} pixels; scroll to see all of it.`,
    png: 'Download PNG',
    npy: 'Download NPY',
    alsoNpy: 'NPY',
    json: 'JSON',
    noJson: (most: number): string =>
      `JSON is for up to ${count(most)} numbers; NPY holds them all.`,
    later: 'when all units are verified',
  },
} as const
