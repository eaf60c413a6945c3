/** What the interface asks of the browser, made from the parts of a joined node. */
import { ok, err } from '../base/result.ts'
import { requestPersistence } from '../adapters/persistence.ts'
import { WIRE_VERSION } from '../wire/version.ts'
import type { Problem, Services } from '../ui/services.ts'
import { AGENT, type Joined } from './join.ts'
import { readImage } from './images.ts'
import { receiptLine, verifyReceipt } from './receipts.ts'
import { resultServices } from './results.ts'
import { compiler, openSpec, templates } from './specs.ts'
import { storageServices } from './storage.ts'

const VERSION = AGENT.split('/')[1]!

/** The screen stays on while the node runs, and only then. */
const awake = () => {
  let lock: WakeLockSentinel | null = null
  let wanted = false
  const take = async (): Promise<void> => {
    if (!wanted || document.visibilityState !== 'visible' || lock) return
    lock = await navigator.wakeLock?.request('screen').catch(() => null)
    lock?.addEventListener('release', () => (lock = null))
  }
  document.addEventListener('visibilitychange', () => void take())
  return (on: boolean): void => {
    wanted = on
    if (on) void take()
    else void lock?.release()
  }
}

export const services = (joined: Joined): Services => {
  const { handle, keyring, compute } = joined
  const keyProblem = (code: string, text: string): { code: string; text: string } => ({
    code,
    text,
  })
  return {
    build: { version: VERSION, commit: 'unknown', protocol: `work/${WIRE_VERSION}` },
    senses: {
      battery: 'getBattery' in navigator,
      metered: 'connection' in navigator,
      warmth: 'PressureObserver' in globalThis,
      wakeLock: 'wakeLock' in navigator,
    },
    templates,
    openSpec,
    compile: compiler(compute),
    readImage,
    ...resultServices(),
    verifyReceipt: verifyReceipt(keyring.signer, handle),
    receiptLine,
    ...storageServices(joined),
    keepStorage: async () => (await requestPersistence()) === 'granted',
    keyState: () => keyring.backup(),
    async confirmKey(file) {
      const confirmed = await keyring.confirmBackup(await file.text())
      return confirmed.ok
        ? confirmed
        : err<Problem>(keyProblem(confirmed.error.code, confirmed.error.detail))
    },
    async backupKey() {
      const text = keyring.takeBackup()
      if (text !== null) return ok(new Blob([text], { type: 'application/json' }))
      return err<Problem>(
        keyProblem(
          'key-sealed',
          'This key was made in an earlier visit and cannot be read any more, not even by this page. Save the file right after a key is made.',
        ),
      )
    },
    async restoreKey(file) {
      const restored = await keyring.restore(await file.text())
      return restored.ok
        ? restored
        : err<Problem>(keyProblem(restored.error.code, restored.error.detail))
    },
    async diagnostics() {
      const { reachability, donate, nodes, problems } = handle.view()
      const facts = {
        agent: AGENT,
        browser: navigator.userAgent,
        isolated: crossOriginIsolated,
        reachability: reachability.kind,
        adapter: donate.capability?.adapter ?? 'not measured',
        state: donate.state,
        nodes: nodes.length,
        problems: problems.map(({ code }) => code),
      }
      return JSON.stringify(facts, null, 2)
    },
    keepAwake: awake(),
  }
}
