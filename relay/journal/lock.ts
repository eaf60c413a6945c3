/**
 * One writer per folder. The lock is a file that names its holder; the holder touches it while it
 * lives, so a lock left by a crash, also one from another machine or an earlier container, is
 * recognised and taken over.
 */
import { randomUUID } from 'node:crypto'
import {
  linkSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { hostname } from 'node:os'
import * as v from 'valibot'
import { err, ok, type Result } from '../../src/base/result.ts'
import type { PortError } from '../../src/ports.ts'

export type FileLock = {
  /** False once somebody else has taken it: this process slept too long, or a person removed it. */
  holds(): boolean
  release(): void
}

const BEAT_MS = 5_000
/** Six missed beats; a machine that swaps may miss some. */
const STALE_MS = 30_000

const Holder = v.object({ id: v.string(), pid: v.number(), host: v.string(), started: v.string() })
type Holder = v.InferOutput<typeof Holder>

export const lockFile = (path: string): Result<FileLock, PortError> => {
  const self: Holder = {
    id: randomUUID(),
    pid: process.pid,
    host: hostname(),
    started: startOf(process.pid),
  }
  const own = `${path}.${self.id}`
  try {
    writeFileSync(own, JSON.stringify(self), { flag: 'wx', mode: 0o600 })
    if (!take(own, path)) {
      const holder = readHolder(path)
      if (holder !== null && isAlive(holder, path)) return err(heldBy(holder))
      if (!evict(path, holder?.id ?? null, self.id) || !take(own, path)) {
        return err({
          code: 'store-locked',
          detail: 'Another program is opening this folder right now.',
        })
      }
    }
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : 'unknown'
    return err({ code: 'no-storage', detail: `The folder cannot be written: ${detail}` })
  } finally {
    rmSync(own, { force: true })
  }
  const holds = (): boolean => readHolder(path)?.id === self.id
  const beat = setInterval(() => {
    if (holds()) touch(path)
  }, BEAT_MS)
  beat.unref()
  return ok({
    holds,
    release: () => {
      clearInterval(beat)
      if (holds()) rmSync(path, { force: true })
    },
  })
}

/** A hard link is made by exactly one of those who try. */
const take = (own: string, path: string): boolean => {
  try {
    linkSync(own, path)
    return true
  } catch (cause) {
    if (codeOf(cause) === 'EEXIST') return false
    throw cause
  }
}

/** Removes the stale lock that was read, and not a fresh one that has taken its place meanwhile. */
const evict = (path: string, id: string | null, self: string): boolean => {
  const aside = `${path}.${self}.old`
  try {
    renameSync(path, aside)
  } catch (cause) {
    return codeOf(cause) === 'ENOENT'
  }
  const same = (readHolder(aside)?.id ?? null) === id
  // Given back to its owner; should that fail too, its owner notices before it writes again.
  if (!same) take(aside, path)
  rmSync(aside, { force: true })
  return same
}

const readHolder = (path: string): Holder | null => {
  try {
    const parsed = v.safeParse(Holder, JSON.parse(readFileSync(path, 'utf8')))
    return parsed.success ? parsed.output : null
  } catch {
    return null
  }
}

const isAlive = (holder: Holder, path: string): boolean => {
  if (holder.host === hostname()) {
    try {
      process.kill(holder.pid, 0)
    } catch (cause) {
      // A process of somebody else may not be asked, but it is there.
      if (codeOf(cause) === 'ESRCH') return false
    }
    // The number may have been given to another process since.
    const started = startOf(holder.pid)
    if (started !== '' && holder.started !== '') return started === holder.started
  }
  return Date.now() - statSync(path).mtimeMs < STALE_MS
}

/** When a process started, in the kernel's ticks since boot with the boot's id; '' where nobody says. */
const startOf = (pid: number): string => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name in brackets may hold spaces; the 22nd field is the 20th behind it.
    const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}/${ticks}`
  } catch {
    return ''
  }
}

const touch = (path: string): void => {
  try {
    const now = new Date()
    utimesSync(path, now, now)
  } catch {
    // Gone in between: the next write finds out.
  }
}

const heldBy = (holder: Holder): PortError => ({
  code: 'store-locked',
  detail: `Process ${holder.pid} on ${holder.host} already uses this folder. Stop it, or choose another folder.`,
})

const codeOf = (cause: unknown): string =>
  typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : ''
