/** The words of the Wallet: the balance, its history, receipts and what a receipt proves. */
import { count, plural } from '../format.ts'

export const wallet = {
  title: 'Wallet',
  key: {
    notSaved:
      'Your key is only in this browser. Without a backup of it, credits are lost when the browser deletes its data.',
    impossible:
      'Your key is only in this browser and can no longer be saved. Credits are lost when the browser deletes its data.',
    save: 'Back up the key',
    keep: 'Ask the browser to keep it',
    kept: 'The browser will keep the data.',
    notKept: 'The browser makes no promise.',
  },
  balance: {
    title: 'Balance',
    credits: 'credits',
    exactly: (amount: string): string => `exactly ${amount}`,
    inFlight: (amount: string): string => `${amount} signed away, not yet answered`,
    about:
      'Credits are not money. They pay for jobs of your own: 1 credit buys 10¹² checked operations, or 50 GB moved.',
    account: (name: string): string => `account ${name}`,
  },
  chart: {
    title: 'Balance over time',
    entries: (n: number): string => plural(n, 'entry', 'entries'),
    label: (first: string, last: string, n: number): string =>
      `From ${first} to ${last} credits in ${plural(n, 'entry', 'entries')}`,
    cut: 'The scale does not begin at zero.',
    table: 'The same as a table',
    tableLabel: 'Balance, a table',
    entry: 'Entry',
    hour: 'Hour',
    balance: 'Balance',
    empty:
      'No credits have come yet. The line rises with the first task that is done here, checked and paid.',
  },
  receipts: {
    title: 'Receipts',
    export: 'Export JSONL',
    saved: (n: number): string => `${plural(n, 'receipt', 'receipts')} saved.`,
    filter: 'Filter receipts',
    hint: 'Filter by kind, job or name',
    which: 'Which receipts',
    kinds: { all: 'all', worked: 'worked', asked: 'asked' },
    count: (n: number): string => plural(n, 'receipt', 'receipts'),
    for: (name: string): string => `for ${name}`,
    by: (name: string): string => `by ${name}`,
    empty: 'No receipt yet. Each task done and checked, here or for you, leaves one.',
    none: 'No receipt fits this filter.',
    more: (n: number): string => `Show ${count(n)} more`,
  },
  receipt: {
    title: 'Receipt',
    verify: 'Re-verify',
    verifying: 'Verifying',
    save: 'Save',
    savedAs: (file: string): string => `Saved as ${file}.`,
    copy: 'Copy as JSON',
    copied: 'The receipt is copied.',
    good: 'All of it holds, worked out in this tab.',
    open: 'What there is of it holds, worked out in this tab. The other side has still to sign.',
    bad: 'This receipt does not hold.',
    repeat: (file: string): string =>
      `To repeat the task itself, save it and run: swarm verify ${file}`,
    rows: {
      kernel: 'Kernel',
      check: 'Check',
      paid: 'Paid',
      work: 'Work',
      when: 'When',
      attempt: 'Attempt',
      worker: 'Worker',
      requester: 'Requester',
      job: 'Job',
      task: 'Task',
      inputs: 'Inputs',
      output: 'Output',
      swarm: 'Swarm',
      receipt: 'Receipt',
      requesterSig: 'Requester’s signature',
      workerSig: 'Worker’s signature',
    },
    credits: (amount: string): string => `${amount} credits`,
    none: 'none',
    notGiven: 'not given yet',
  },
} as const
