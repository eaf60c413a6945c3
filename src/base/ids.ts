/** Names of things. A brand keeps a task's name from being passed where a job's is meant. */
declare const brand: unique symbol
/** One property per brand, so that two brands add up: with one shared property they would cancel to `never`. */
type Brand<T, B extends string> = T & Branded<B>
/** An interface, because declarations for other programs can name one, but not the symbol in it. */
export interface Branded<B extends string> {
  readonly [brand]: { readonly [K in B]: true }
}

/** CIDv1 in base32, `bafy...`: the name of a canonical object or of raw bytes. */
export type Cid = Brand<string, 'Cid'>
export type JobId = Cid & Brand<string, 'JobId'>
export type TaskId = Cid & Brand<string, 'TaskId'>
/** `did:key:z6Mk...`: an account, that is an Ed25519 public key. */
export type Did = Brand<string, 'Did'>
/** A libp2p peer id: the session key of one running node, `12D3KooW...`. */
export type PeerId = Brand<string, 'PeerId'>

export const cid = (text: string): Cid => text as Cid
export const jobId = (text: string): JobId => text as JobId
export const taskId = (text: string): TaskId => text as TaskId
export const did = (text: string): Did => text as Did
export const peerId = (text: string): PeerId => text as PeerId

export const isCid = (text: string): boolean => /^b[a-z2-7]{58}$/.test(text)
export const isDid = (text: string): boolean => /^did:key:z6Mk[1-9A-HJ-NP-Za-km-z]{44}$/.test(text)
