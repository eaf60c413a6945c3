/** Protocol names and the limits every reader enforces. Numbers are explained in docs/PROTOCOL.md. */
export const WIRE_VERSION = 1

export const WORK_PROTOCOL = '/swarm/work/2.0.0'
export const REGISTRY_PROTOCOL = '/swarm/registry/1.0.0'
export const KAD_PROTOCOL = '/swarm/kad/1.0.0'

/** 64 KiB: one head never costs a reader more; tensors travel as chunks behind their head. */
export const HEAD_BYTES_MAX = 64 * 1024
/** 48 KiB: below the 64 KiB data channel message size, with room for the muxer's own header. */
export const CHUNK_BYTES = 48 * 1024
/** 2 MiB in flight: WebRTC streams reset a reader that holds 4 MiB (libp2p maxReadBufferLength). */
export const WINDOW_BYTES = 2 * 1024 * 1024
/** One tensor of one task. Plans cut far below it; it bounds what a hostile sender can make us hold. */
export const BODY_BYTES_MAX = 32 * 1024 * 1024
/** A signed advert, all included. */
export const ADVERT_BYTES_MAX = 512
/** Ten minutes; renewed at half its life. */
export const ADVERT_LIFE_MS = 600_000
/** Ten minutes: how long a session key may speak for an account before it must be renewed. */
export const DELEGATION_LIFE_MS = 600_000
/** Clocks of honest strangers may differ by this much. */
export const CLOCK_SKEW_MS = 120_000
/** Blocks per message: 48 pairs of about 600 bytes stay below the 64 KiB head. */
export const BLOCKS_PER_HEAD = 40
/** Shown on one link: 64 heads, a quarter of what may wait there; a reader checks 5 000 signatures in a second. */
export const BLOCKS_PER_SECOND = 64 * BLOCKS_PER_HEAD
