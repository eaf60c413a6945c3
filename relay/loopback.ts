/**
 * Keeps everything on 127.0.0.1: in a network namespace that has nothing but `lo`, which needs no
 * rights on most machines; else in one made by root; else by rewriting what headless pages announce.
 */
import { spawn, spawnSync } from 'node:child_process'
import { networkInterfaces } from 'node:os'
import { fileURLToPath } from 'node:url'

export type LoopbackMode =
  /** This process already sees no other interface. */
  | 'inside'
  /** A namespace of one's own user. */
  | 'user-namespace'
  /** The same, by root, where users may not. */
  | 'root-namespace'
  /** No namespace: headless pages announce loopback candidates only. */
  | 'rewriting'

export type PageSetup = {
  readonly args: readonly string[]
  /** Makes Chromium enumerate interfaces, `lo` among them. Nothing is ever recorded. */
  readonly permissions: readonly string[]
  readonly initScript: string | null
}

/** Set for programs started in a namespace, so that they do not look for another. */
const ENTERED = 'SWARM_LOOPBACK_ENTERED'
const PROBE_MS = 5_000

/** `lo` is down in a new namespace. iproute2, net-tools, busybox; failing those, the ioctl itself. */
const LO_UP = [
  'ip link set lo up 2>/dev/null',
  'ifconfig lo up 2>/dev/null',
  'busybox ip link set lo up 2>/dev/null',
  // SIOCSIFFLAGS (0x8914) with IFF_UP | IFF_LOOPBACK | IFF_RUNNING on an ifreq of 40 bytes.
  `perl -e '$r=pack("a16 s x22","lo",0x49); socket(S,2,2,0) && ioctl(S,0x8914,$r) or exit 1' 2>/dev/null`,
  `python3 -c 'import fcntl,socket,struct; fcntl.ioctl(socket.socket(2,2),0x8914,struct.pack("16sh22x",b"lo",0x49))' 2>/dev/null`,
].join(' || ')

export const loopbackOnly = (env: NodeJS.ProcessEnv = process.env): boolean =>
  env['SWARM_LOOPBACK_ONLY'] === '1' || env[ENTERED] === '1' || seesOnlyLoopback()

export const seesOnlyLoopback = (): boolean =>
  Object.values(networkInterfaces()).every((list) => (list ?? []).every(({ internal }) => internal))

/** The best way this machine offers. Asking takes a few milliseconds. */
export const loopbackMode = (env: NodeJS.ProcessEnv = process.env): LoopbackMode => {
  if (env[ENTERED] === '1' || seesOnlyLoopback()) return 'inside'
  if (process.platform !== 'linux') return 'rewriting'
  if (works(['-rn'])) return 'user-namespace'
  if (process.getuid?.() === 0 && works(['-n'])) return 'root-namespace'
  return 'rewriting'
}

const works = (flags: readonly string[]): boolean =>
  spawnSync('unshare', [...flags, 'sh', '-c', LO_UP], { stdio: 'ignore', timeout: PROBE_MS })
    .status === 0

/** The words that run `command` where only `lo` is; null when it has to run right here. */
export const inLoopback = (mode: LoopbackMode, command: readonly string[]): string[] | null => {
  if (mode === 'inside' || mode === 'rewriting') return null
  const flags = mode === 'user-namespace' ? ['-rn'] : ['-n']
  return ['unshare', ...flags, 'sh', '-c', `(${LO_UP}) && exec "$@"`, 'sh', ...command]
}

/**
 * Runs this very program again where only `lo` is, and gives its exit code; null when there is no need
 * or no way, so that the caller goes on itself.
 */
export const rerunInLoopback = async (
  mode: LoopbackMode = loopbackMode(),
): Promise<number | null> => {
  const words = inLoopback(mode, [process.execPath, ...process.execArgv, ...process.argv.slice(1)])
  if (words === null) return null
  const [command, ...rest] = words
  const child = spawn(command!, rest, {
    stdio: 'inherit',
    env: { ...process.env, [ENTERED]: '1', SWARM_LOOPBACK_ONLY: '1' },
  })
  const pass = (signal: NodeJS.Signals): void => void child.kill(signal)
  process.on('SIGINT', pass).on('SIGTERM', pass)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      process.off('SIGINT', pass).off('SIGTERM', pass)
      resolve(code ?? (signal === 'SIGINT' ? 130 : 1))
    })
  })
}

/** What a headless page needs to reach others over WebRTC on this machine alone. */
export const loopbackPage = (mode: LoopbackMode): PageSetup =>
  mode === 'rewriting'
    ? {
        // Hidden behind an mDNS name, the one candidate could not be rewritten.
        args: ['--disable-features=WebRtcHideLocalIpsWithMdns'],
        permissions: [],
        initScript: fileURLToPath(new URL('loopback-page.js', import.meta.url)),
      }
    : {
        args: ['--allow-loopback-in-peer-connection'],
        permissions: ['microphone', 'camera'],
        initScript: null,
      }
