/**
 * All that the interface needs of the page and of the program besides a running node. The interface
 * reaches nothing by itself: what is here is made in the composition root, or by hand in a test.
 */
import type { Result } from '../base/result.ts'
import type { Did } from '../base/ids.ts'
import type { MicroCredits } from '../base/units.ts'
import type { Job, Program } from '../core/job.ts'
import type { ModelServices, TextWish } from './model-services.ts'
import type { NodeHandle, OutputView, Problem, TaskView, WalletView } from '../peer/view.ts'

export type SignedReceipt = WalletView['receipts'][number]['signed']
export type Theme = 'auto' | 'light' | 'dark'

/** What the page is found to have before anything runs: an adapter is asked for, nothing is computed. */
export type Probe =
  | { readonly kind: 'gpu'; readonly label: string }
  | { readonly kind: 'software'; readonly label: string }
  | { readonly kind: 'none'; readonly why: 'no-webgpu' | 'no-adapter' | 'insecure' }

/** What this browser can tell by itself; where it cannot, the person is told so, or asked. */
export type Senses = {
  readonly battery: boolean
  readonly metered: boolean
  readonly warmth: boolean
  readonly wakeLock: boolean
}

/** What must be at hand for the first paint, and costs next to nothing. */
export type Shell = {
  /** The page's address without its fragment: what an invitation points to. */
  readonly address: string
  readonly secure: boolean
  readonly senses: Senses
  /** No mouse and a small screen: the node is a phone in a hand. */
  readonly handheld: boolean
  readonly online: () => boolean
  readonly visible: () => boolean
  /** Calls back when the page becomes hidden or visible, goes on-line or off-line. */
  watch(then: () => void): () => void
  probe(): Promise<Probe>
  /** Small choices of this browser, such as the theme; null when there is none. */
  recall(name: string): string | null
  remember(name: string, value: string | null): void
  /** Paints the theme (`auto` follows the system), and stills what moves. */
  paint(theme: Theme, calm: boolean): void
  /** Shows progress in the tab's icon and title: the squares filled of nine. */
  badge(squares: number, title: string): void
  /** A finished update waits for the page's word. */
  updateWaiting(): boolean
  applyUpdate(): void
  /** Asks the server whether there is a newer version; false when it could not be asked. */
  checkForUpdate(): Promise<boolean>
  /** How this browser installs a page: by asking, by hand (its steps in words), or it is done. */
  installable(): 'prompt' | 'by-hand' | 'installed'
  install(): Promise<boolean>
  copy(text: string): Promise<boolean>
  save(name: string, bytes: Blob): void
  reload(): void
  /** Forgets the small choices, and what the relay said last. */
  forgetChoices(): void
}

/** What is asked while the rest of the program loads. */
export type Host = {
  /** What loading is busy with, in a few words. */
  stage(text: string): void
  /** Another tab has taken the node over. */
  moved(tab: OtherTab): void
  /** Something that is wrong for as long as this page is open, such as storage that keeps nothing. */
  trouble(problem: Problem): void
  /** The person wants no direct links: other nodes are not to see the IP address. */
  readonly relayedOnly: boolean
  /** Gives the person a file. */
  save(name: string, bytes: Blob): void
}
/** The node lives in another tab of this browser. */
export type OtherTab = {
  /** Brings the other tab to the front, as far as the browser lets us. */
  show(): void
  /** Takes the node over; the other tab hands its tasks back first. */
  moveHere(): Promise<Booted>
}
export type Remedy = {
  readonly label: string
  /** Asked before it is done, where something is lost for good. */
  readonly ask?: string
  /** What it led to; null where the page stays as it is. Throws a sentence when it fails. */
  run(): Promise<Booted | null>
}
export type Booted =
  | { readonly kind: 'node'; readonly node: NodeHandle; readonly services: Services }
  | { readonly kind: 'other-tab'; readonly tab: OtherTab }
  | { readonly kind: 'failed'; readonly problem: Problem; readonly remedies: readonly Remedy[] }
export type Boot = (host: Host) => Promise<Booted>

export type SpecFile = { readonly name: string; readonly text: string }
/** What is wrong with a spec: the file, the line (from 1), the field, and what was expected there. */
export type SpecProblem = {
  readonly code: string
  readonly file: string
  readonly line: number | null
  readonly field: string | null
  readonly text: string
}
/** One value a person may change. All travel as text; `compile` says what is wrong with them. */
export type Field = {
  readonly key: string
  readonly label: string
  readonly help: string | null
  readonly value: string
} & (
  | { readonly kind: 'integer'; readonly min: number; readonly max: number; readonly step: number }
  | { readonly kind: 'decimal' }
  | { readonly kind: 'choice'; readonly choices: readonly string[] }
  | { readonly kind: 'code' }
)
export type Slot = {
  readonly name: string
  /** `picture`: an image file. `model`: an .onnx file. `numbers`: a .npy, .csv or raw file. */
  readonly accepts: 'picture' | 'model' | 'numbers'
  /** What fits, in words: `f32, 512 x 512`. */
  readonly wants: string
  /** Seeded numbers can be made where a person brings none. */
  readonly optional: boolean
}
export type OpenSpec = {
  readonly file: SpecFile
  readonly name: string
  readonly title: string
  /** The spec's first sentence of prose. */
  readonly about: string
  readonly fields: readonly Field[]
  readonly slots: readonly Slot[]
}
/** A picture as it goes into a job: 8-bit RGBA, row by row. */
export type Picture = {
  readonly width: number
  readonly height: number
  readonly rgba: Uint8Array<ArrayBuffer>
}
export type SlotValue =
  | { readonly kind: 'picture'; readonly name: string; readonly picture: Picture }
  | { readonly kind: 'file'; readonly name: string; readonly bytes: Uint8Array<ArrayBuffer> }
export type Draft = {
  readonly values: Readonly<Record<string, string>>
  readonly slots: Readonly<Record<string, SlotValue>>
  /** Costs nothing; each node gives only a small part of its speed to such jobs. */
  readonly free: boolean
}
export type Compiled = {
  readonly job: Job
  readonly title: string
  /** Fields whose values follow from the files that were brought. */
  readonly fitted: Readonly<Record<string, string>>
  readonly inputs: Readonly<Record<string, Uint8Array<ArrayBuffer>>>
  readonly outputs: readonly OutputView[]
  readonly tasks: number
  readonly flop: number
  readonly bytes: number
  /** With the job's redundancy. */
  readonly microCredits: MicroCredits
}

/** One thing that was looked at when a receipt was verified again in this tab. */
export type Finding = {
  readonly what: string
  /** Null: nothing to look at yet, since the other side has still to sign. */
  readonly holds: boolean | null
  readonly detail: string
}
export type StorageReport = {
  readonly usedBytes: number
  readonly quotaBytes: number | null
  /** The browser has promised not to delete it by itself. */
  readonly kept: boolean
  readonly parts: readonly {
    /** `jobs`, `receipts`, ... as `erase` takes it. */
    readonly name: string
    readonly label: string
    readonly records: number
    readonly bytes: number
    readonly erasable: boolean
  }[]
}
export type Build = { readonly version: string; readonly commit: string; readonly protocol: string }

export type Services = ModelServices & {
  readonly build: Build
  /** Every kernel of this program, with its version, and what stands for layers of models. */
  readonly kernels: readonly string[]
  /** The templates the relay serves, in the order they are offered. */
  templates(): Promise<Result<readonly SpecFile[], Problem>>
  openSpec(file: SpecFile): Promise<Result<OpenSpec, SpecProblem>>
  /** What a spec with `run: generate` asks for; null for any other file. */
  openTalk(file: SpecFile): Promise<Result<TextWish, SpecProblem> | null>
  /** Parses, puts the values in, hashes the inputs, plans and prices. Called after each change. */
  compile(spec: OpenSpec, draft: Draft): Promise<Result<Compiled, SpecProblem>>
  readImage(file: Blob): Promise<Result<Picture, Problem>>
  /** RGBA of a piece of an output that is a picture (`rect` counts elements); null where it is none. */
  pixels(
    program: Program,
    output: OutputView,
    bytes: Uint8Array<ArrayBuffer>,
    rect: TaskView['rect'],
  ): Uint8ClampedArray<ArrayBuffer> | null
  outputFile(
    program: Program,
    output: OutputView,
    bytes: Uint8Array<ArrayBuffer>,
    format: 'png' | 'npy' | 'json',
  ): Promise<Result<{ file: Blob; extension: string }, Problem>>
  /** Signatures, name and price of a receipt, worked out anew from its bytes. */
  verifyReceipt(signed: SignedReceipt): Promise<readonly Finding[]>
  /** A receipt as one line of JSON, the way `swarm verify` reads it. */
  receiptLine(signed: SignedReceipt): string
  storage(): Promise<Result<StorageReport, Problem>>
  /** Asks the browser to keep the data. */
  keepStorage(): Promise<boolean>
  exportData(): Promise<Result<Blob, Problem>>
  /** `reload`: the node still remembers what was deleted until the page is loaded anew. */
  erase(part: string): Promise<Result<{ reload: boolean }, Problem>>
  /** Deletes everything including the key, then the page is to be loaded anew. */
  eraseAll(): Promise<Result<null, Problem>>
  /** `impossible`: made by an earlier version and not saved then; it can be used and not read. */
  keyState(): 'not-saved' | 'saved' | 'confirmed' | 'impossible'
  /** The key as a file that nobody can use without the passphrase. */
  backupKey(passphrase: string): Promise<Result<Blob, Problem>>
  /** Whether this file is a readable copy of this very key. `sealed-backup`: it needs its passphrase. */
  confirmKey(file: Blob, passphrase: string | null): Promise<Result<null, Problem>>
  /** Makes a saved key this browser's; the page is to be loaded anew. `sealed-backup`: as above. */
  restoreKey(file: Blob, passphrase: string | null): Promise<Result<{ account: Did }, Problem>>
  /** What helps to understand a fault; names no file, job content or other person. */
  diagnostics(): Promise<string>
  /** Keeps the screen on while the node runs. */
  keepAwake(on: boolean): void
}

export type ReceiptEntry = WalletView['receipts'][number]
export type { Problem }
