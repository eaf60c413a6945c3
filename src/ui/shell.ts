/** What the page has at its first paint: the browser itself, asked carefully. Nothing here computes. */
import type { Probe, Senses, Shell, Theme } from './services.ts'

/** Not every browser has these yet, and the library's types do not know them. */
type InstallEvent = Event & { prompt(): Promise<{ outcome: 'accepted' | 'dismissed' }> }
type Updates = {
  waiting(): ServiceWorker | null
  check(): Promise<boolean>
}

export const browserShell = (): Shell => {
  const watchers = new Set<() => void>()
  const tell = (): void => watchers.forEach((then) => then())
  for (const type of ['online', 'offline', 'focus']) addEventListener(type, tell)
  document.addEventListener('visibilitychange', tell)
  const updates = watchUpdates(tell)
  const installer = watchInstall(tell)
  return {
    // Without what an operator wrote behind it: an invitation must not set somebody else's share.
    address: `${location.origin}${location.pathname}`,
    secure: isSecureContext,
    senses: senses(),
    handheld: matchMedia('(pointer: coarse) and (hover: none)').matches,
    online: () => navigator.onLine,
    visible: () => document.visibilityState === 'visible',
    watch: (then) => {
      watchers.add(then)
      return () => watchers.delete(then)
    },
    probe,
    recall: (name) => stored(() => localStorage.getItem(`look.${name}`)),
    remember: (name, value) =>
      void stored(() => {
        if (value === null) localStorage.removeItem(`look.${name}`)
        else localStorage.setItem(`look.${name}`, value)
        return null
      }),
    paint,
    badge,
    updateWaiting: () => updates.waiting() !== null,
    applyUpdate: () => {
      const worker = updates.waiting()
      if (!worker) return location.reload()
      navigator.serviceWorker.addEventListener('controllerchange', () => location.reload(), {
        once: true,
      })
      worker.postMessage('take-over')
    },
    checkForUpdate: () => updates.check(),
    installable: installer.state,
    install: installer.ask,
    copy: (text) =>
      navigator.clipboard.writeText(text).then(
        () => true,
        () => false,
      ),
    save,
    reload: () => location.reload(),
    forgetChoices: () =>
      void stored(() => {
        localStorage.clear()
        return null
      }),
  }
}

/** A desktop Chrome has `connection` too, but does not say there what kind it is. */
const senses = (): Senses => {
  const { connection } = navigator as { connection?: object }
  return {
    battery: 'getBattery' in navigator,
    metered: connection !== undefined && 'type' in connection,
    warmth: 'PressureObserver' in globalThis,
    wakeLock: 'wakeLock' in navigator,
  }
}

/** Storage may be forbidden altogether; then nothing is remembered. */
const stored = (work: () => string | null): string | null => {
  try {
    return work()
  } catch {
    return null
  }
}

const probe = async (): Promise<Probe> => {
  if (!isSecureContext) return { kind: 'none', why: 'insecure' }
  if (!navigator.gpu) return { kind: 'none', why: 'no-webgpu' }
  try {
    const adapter = await navigator.gpu.requestAdapter()
    if (!adapter) return { kind: 'none', why: 'no-adapter' }
    const { vendor, architecture, isFallbackAdapter } = adapter.info
    const label = [vendor, architecture].filter(Boolean).join(' ')
    const software = isFallbackAdapter || /swiftshader|llvmpipe|lavapipe|basic render/i.test(label)
    return { kind: software ? 'software' : 'gpu', label }
  } catch {
    return { kind: 'none', why: 'no-adapter' }
  }
}

const paint = (theme: Theme, calm: boolean): void => {
  document.documentElement.toggleAttribute('data-calm', calm)
  if (theme === 'auto') delete document.documentElement.dataset['theme']
  else document.documentElement.dataset['theme'] = theme
  const dark =
    theme === 'dark' || (theme === 'auto' && matchMedia('(prefers-color-scheme: dark)').matches)
  document
    .querySelector('meta[name="theme-color"]')
    ?.setAttribute('content', dark ? '#101512' : '#edf2e8')
}

const badge = (squares: number, title: string): void => {
  const filled = Math.min(9, Math.max(0, Math.floor(squares)))
  const href = `./icons/sheet-${filled}.svg`
  const icon = document.querySelector<HTMLLinkElement>('link[rel="icon"]')
  if (icon && icon.getAttribute('href') !== href) icon.setAttribute('href', href)
  document.title = title === '' ? 'SwarmHarness' : `${title} · SwarmHarness`
}

const save = (name: string, bytes: Blob): void => {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(bytes)
  link.download = name
  link.click()
  // The download has its own hold of the bytes by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
}

const watchUpdates = (tell: () => void): Updates => {
  let registration: ServiceWorkerRegistration | null = null
  const { serviceWorker } = navigator
  if (serviceWorker && import.meta.env.PROD) {
    serviceWorker.register('./offline.sw.js', { updateViaCache: 'none' }).then(
      (found) => {
        registration = found
        found.addEventListener('updatefound', () =>
          found.installing?.addEventListener('statechange', tell),
        )
        tell()
      },
      // No service worker (private window, or forbidden): the page works, only not off-line.
      () => undefined,
    )
  }
  return {
    // At the first visit a worker waits for nobody: there is no older one to replace.
    waiting: () => (serviceWorker?.controller ? (registration?.waiting ?? null) : null),
    check: async () =>
      (await registration?.update().then(
        () => true,
        () => false,
      )) ?? false,
  }
}

const watchInstall = (tell: () => void): { state: Shell['installable']; ask: Shell['install'] } => {
  let event: InstallEvent | null = null
  addEventListener('beforeinstallprompt', (offered) => {
    offered.preventDefault()
    event = offered as InstallEvent
    tell()
  })
  return {
    state: () => {
      if (matchMedia('(display-mode: standalone)').matches) return 'installed'
      return event ? 'prompt' : 'by-hand'
    },
    ask: async () => {
      const answer = await event?.prompt()
      event = null
      tell()
      return answer?.outcome === 'accepted'
    },
  }
}
