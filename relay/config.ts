/** What a relay allows, in one place. Raised from libp2p's defaults, which serve 15 nodes, and written down. */
export type RelayLimits = {
  /** Places for nodes that can be called; a node and its place cost about 0.25 MB (measured). */
  readonly reservations: number
  /** Of one host, counted by /24 or /48; this machine itself is not counted. */
  readonly reservationsPerHost: number
  /**
   * One circuit, both directions together. Signalling needs 20 kB; the rest lets two nodes work that
   * have no direct path, which costs the relay about 13 s of CPU per GB (measured).
   */
  readonly circuitBytes: bigint
  readonly circuitMs: number
  /** Circuits one node may ask for: at once, and then per minute. */
  readonly circuitsBurst: number
  readonly circuitsPerMinute: number
  /**
   * Requests of one node to the registry, and as many queries to the DHT: at once, and then per
   * second. A node that starts makes about twenty; an announce costs a signature check.
   */
  readonly requestsBurst: number
  readonly requestsPerSecond: number
  readonly connections: number
  /** Past half of these, connections without a place or a circuit go that are older than this. */
  readonly unusedMs: number
  /** New connections per second and host; a school, or a TLS proxy, is one host. */
  readonly inboundPerSecond: number
  readonly sockets: number
  /** Of one address; this machine itself, and with it a proxy on it, is not counted. */
  readonly socketsPerAddress: number
  readonly headersMs: number
  readonly requestMs: number
  readonly idleMs: number
}

export const RELAY_LIMITS: RelayLimits = {
  reservations: 2_500,
  reservationsPerHost: 256,
  circuitBytes: 64n * 1024n * 1024n,
  circuitMs: 30 * 60_000,
  circuitsBurst: 40,
  circuitsPerMinute: 60,
  requestsBurst: 60,
  requestsPerSecond: 5,
  connections: 5_000,
  // A node that joins has its place within seconds.
  unusedMs: 60_000,
  inboundPerSecond: 500,
  sockets: 8_192,
  socketsPerAddress: 256,
  // A slow client holds a socket no longer than this: Node's own defaults are 60 s and 300 s.
  headersMs: 5_000,
  requestMs: 15_000,
  idleMs: 10_000,
}

export type RelayOptions = {
  /** Default: this machine only. */
  readonly host?: string
  /** 0 = any free one. */
  readonly port?: number
  /** Where the key and the genesis document stay; null = nowhere, a new key each time. */
  readonly dataDir: string | null
  /** What people type, when a proxy in front terminates TLS: `https://swarm.example`. */
  readonly publicUrl?: string
  /** Passed on to tabs; the relay itself contacts none of them. */
  readonly stun?: readonly string[]
  /** `turn:user:password@host:port`. */
  readonly turn?: readonly string[]
  /** The canonical bytes of a genesis document, for a relay whose data directory has none. */
  readonly genesis?: Uint8Array
  /** The built app, and the job templates; what is missing is not served. */
  readonly appDir?: string
  readonly jobsDir?: string
  readonly version: string
  /** Of the repository it runs from; absent where there is none. */
  readonly commit?: string | null
  /** Other relays of the same swarm: kept in touch with, and named to tabs after this one. */
  readonly others?: readonly string[]
  readonly limits?: Partial<RelayLimits>
  /** Counts sockets and reservations of this machine like those of any other. */
  readonly countLoopback?: boolean
}

/** Ice servers in the form a browser takes; null when one is not understood. */
export const iceServers = (
  stun: readonly string[],
  turn: readonly string[],
): { urls: string; username?: string; credential?: string }[] | null => {
  const servers: { urls: string; username?: string; credential?: string }[] = []
  for (const url of stun) {
    if (!/^stuns?:[^\s@]+$/.test(url)) return null
    servers.push({ urls: url })
  }
  for (const url of turn) {
    const found = /^(turns?):([^:@\s]+):([^@\s]+)@([^\s@]+)$/.exec(url)
    if (!found) return null
    const [, scheme, username, credential, rest] = found
    servers.push({ urls: `${scheme}:${rest}`, username: username!, credential: credential! })
  }
  return servers
}
