/** What the interface asks of the browser, made from the parts of a joined node. */
import { kernelIds } from '../../kernels/index.ts'
import { ok, err, type Result } from '../base/result.ts'
import { requestPersistence } from '../adapters/persistence.ts'
import type { Compute, PortError } from '../ports.ts'
import { WIRE_VERSION } from '../wire/version.ts'
import { STAGE_KERNEL } from '../peer/models/stage-part.ts'
import type { NodeHandle } from '../peer/view.ts'
import type { Problem, Services, SpecProblem } from '../ui/services.ts'
import { AGENT, type Joined } from './join.ts'
import { keptTexts, type KeptTexts } from './kept-texts.ts'
import { receiptLine, verifyReceipt } from './receipts.ts'
import { resultServices } from './results.ts'
import { storageServices } from './storage.ts'

/** Put in by the build, where it is made in a repository. */
declare const __APP_COMMIT__: string | undefined
const BUILD = {
  version: AGENT.split('/')[1]!,
  commit: typeof __APP_COMMIT__ === 'string' ? __APP_COMMIT__ : 'not from a repository',
  protocol: `work/${WIRE_VERSION}`,
}

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

const inWords = <T>(result: Result<T, PortError>): Result<T, Problem> =>
  result.ok ? result : err({ code: result.error.code, text: result.error.detail })

const NOT_LOADED = {
  code: 'not-loaded',
  text: 'This part of the program did not load. Load the page again.',
}
const notRead = (): Result<never, SpecProblem> =>
  err({ ...NOT_LOADED, file: '', line: null, field: null })

/** Whoever only lends never asks for these: their parsers are loaded with the first spec or picture. */
const specServices = (
  compute: Compute,
): Pick<Services, 'templates' | 'openSpec' | 'compile' | 'readImage'> => {
  const specs = () => import('./specs.ts')
  return {
    templates: () =>
      specs().then(
        ({ templates }) => templates(),
        () => err(NOT_LOADED),
      ),
    openSpec: (file) => specs().then(({ openSpec }) => openSpec(file), notRead),
    compile: (spec, draft) =>
      specs().then(({ compiler }) => compiler(compute)(spec, draft), notRead),
    readImage: (file) =>
      import('./images.ts').then(
        ({ readImage }) => readImage(file),
        () => err(NOT_LOADED),
      ),
  }
}

/** Readers of models and tokenizers are large, too. */
const modelled = (
  handle: NodeHandle,
  texts: KeptTexts,
): Pick<Services, 'openModel' | 'openTalk' | 'texts' | 'forgetText'> => ({
  openModel: (files) =>
    import('./model-services.ts').then(
      ({ modelServices }) => modelServices(handle, texts).openModel(files),
      () => err(NOT_LOADED),
    ),
  openTalk: (file) =>
    import('./model-services.ts').then(
      ({ modelServices }) => modelServices(handle, texts).openTalk(file),
      notRead,
    ),
  texts: async () => inWords(await texts.all()),
  forgetText: async (id) => inWords(await (id === null ? texts.clear() : texts.forget(id))),
})

export const services = (joined: Joined): Services => {
  const { handle, keyring, compute } = joined
  const texts = keptTexts()
  return {
    build: BUILD,
    kernels: [...kernelIds(), STAGE_KERNEL],
    ...specServices(compute),
    ...modelled(handle, texts),
    ...resultServices(),
    verifyReceipt: verifyReceipt(keyring.signer, handle),
    receiptLine,
    ...storageServices(joined, texts),
    keepStorage: async () => (await requestPersistence()) === 'granted',
    keyState: () => keyring.backup(),
    confirmKey: async (file, passphrase) =>
      inWords(await keyring.confirmBackup(await file.text(), passphrase)),
    async backupKey(passphrase) {
      const sealed = await keyring.takeBackup(passphrase)
      return sealed.ok
        ? ok(new Blob([sealed.value], { type: 'application/json' }))
        : inWords(sealed)
    },
    restoreKey: async (file, passphrase) =>
      inWords(await keyring.restore(await file.text(), passphrase)),
    async diagnostics() {
      const { reachability, donate, nodes, problems } = handle.view()
      const { share, memoryBytes } = handle.limits()
      const links = (link: 'direct' | 'relayed'): number =>
        nodes.filter((node) => node.link === link).length
      const facts = {
        ...BUILD,
        browser: navigator.userAgent,
        isolated: crossOriginIsolated,
        reachability: reachability.kind,
        adapter: donate.capability?.adapter ?? 'not measured',
        state: donate.state,
        pause: donate.pause,
        share,
        memoryBytes,
        nodes: nodes.length,
        direct: links('direct'),
        relayed: links('relayed'),
        keyStored: keyring.kept,
        problems: problems.map(({ code }) => code),
      }
      return JSON.stringify(facts, null, 2)
    },
    keepAwake: awake(),
  }
}
