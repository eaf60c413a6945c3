/** The words of Donate: the contract, the measuring, the work. `*` marks what is set strong. */
import { count, plural } from '../format.ts'

export const donate = {
  title: 'Lend this device’s GPU for a while.',
  about:
    'SwarmHarness is a computer made of browser tabs: people run each other’s jobs, results are checked, and what you lend comes back as credits.',
  stopped: (tasks: number, credits: string): string =>
    `Stopped. ${plural(tasks, 'task', 'tasks')} done in this visit, *${credits}* credits earned.`,
  running: 'Donate',
  install: 'Put it on this device like an app? It opens without a network then.',
  installYes: 'Install',
  installNo: 'No thanks',

  contract: {
    title: 'What you agree to',
    nothingYet: 'nothing runs yet',
    runs: 'What runs',
    pieces: (kinds: string, own: boolean): string =>
      `Pieces of other people’s jobs: ${kinds}; ${
        own
          ? 'with programs of this page, and shaders that others wrote.'
          : 'with programs of this page only.'
      }`,
    nothing: 'Nothing: every kind of job is switched off in the settings.',
    much: 'How much',
    share: (share: string, part: string, memory: string): string =>
      `At most *${share}* of the ${part}’s time, measured, and *${memory}* for one task.`,
    stops: 'It stops',
    pauses: 'It pauses',
    costs: 'It costs',
    power: 'Some electricity, and battery if you allow that.',
    see: 'Others see',
    seen: 'Your *IP address*, a name drawn from your key, and a coarse class of this device. None of your files.',
    seenRelayed:
      'A name drawn from your key and a coarse class of this device. Only the relay sees your *IP address*. None of your files.',
    get: 'You get',
    credits: (free: boolean): string =>
      `Credits for checked work${free ? ', none for the free jobs of newcomers' : ''}. They are not money, and no cryptocurrency is involved.`,
    stopAfter: (time: string): string => `Stop by itself after ${time}`,
    start: 'Start',
    notNow: 'Not now',
    declined: 'Not now. Nothing runs.',
    lookAround: 'You can look around, run jobs of your own, and come back to this at any time.',
    show: 'Show what would run',
    ownJob: 'Run a job of mine',
    gpu: 'GPU',
    processor: 'processor',
  },

  benchmark: {
    title: 'Measuring this device.',
    about:
      'Three seconds of arithmetic and copying, to know which tasks fit. The figures stay here; only a coarse class is told to others.',
    label: 'Measuring',
    progress: 'Progress',
    stop: 'Stop',
  },

  share: {
    title: (part: string): string => `${part} share`,
    allowed: 'allowed',
    spoken: (percent: number): string => `${percent} percent of the device's time`,
    measured: 'measured, last 10 s',
  },

  device: {
    title: 'This device',
    found: 'Found',
    f32: 'Arithmetic, f32',
    i8: 'Whole numbers, i8',
    copy: 'Memory speed',
    memory: 'One task may take',
    graphs: 'Models run on',
    engines: {
      gpu: 'the GPU, with tiles in its own memory',
      software: 'the software adapter, with tiles in registers',
      wasm: 'the processor, with WebAssembly',
      reference: 'the processor, with plain loops',
    },
    atMost: (credits: string): string =>
      `At this share that is at most *${credits}* credits an hour, if there is always work.`,
    notCounted: (adapter: string): string =>
      `Counted as *${adapter}*, never as a GPU. It can do small tasks.`,
    watch: 'Watch the swarm',
    send: 'Send to another device',
  },

  now: {
    working: 'Working.',
    waiting: 'Waiting for work.',
    stopsAt: 'stops itself at',
    now: 'Now',
    more: (n: number): string => `${count(n)} more here`,
    task: 'This task',
    left: (time: string): string => `about ${time} left`,
    idle: 'Nothing to do, which is good news: nobody waits. You are used when you are needed.',
    ownJob: 'Run a job of your own',
    none: 'No task is being worked on.',
    forWhom: 'For whom',
    job: 'job',
    earned: 'Earned in this visit',
    credits: 'credits',
    done: (tasks: number, back: number): string =>
      `${plural(tasks, 'task', 'tasks')} done${back > 0 ? `, ${count(back)} handed back` : ''}`,
    plugged: 'Plugged in? This browser cannot tell.',
    yes: 'Yes',
    no: 'No',
    resumeHalf: 'Resume at half',
    resume: 'Resume',
    pause: 'Pause',
    finish: 'Finish this task',
    stop: 'Stop',
  },

  mine: {
    title: 'Work done here',
    receipts: (n: number): string => plural(n, 'receipt', 'receipts'),
    label: (done: number, computing: boolean, waiting: number): string =>
      `${count(done)} verified tasks, ${computing ? 'one' : 'none'} computing, ${count(waiting)} waiting`,
    for: (name: string): string => `for ${name}`,
    empty: 'Each task that is done and checked becomes a receipt here.',
  },
} as const
