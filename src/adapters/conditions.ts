/**
 * What a page can see of the machine it is on, and why it should then compute less or not at all:
 * hidden or frozen, on battery, on a metered link, too warm, offline. Each reason is reported when it
 * comes and when it goes, and never twice in a row.
 */

/** The pause reasons that come from outside; names as in the view of a node. */
export type Condition = 'hidden' | 'on-battery' | 'metered' | 'too-warm' | 'offline'

type Battery = EventTarget & { readonly charging: boolean }
type Connection = EventTarget & { readonly saveData?: boolean; readonly type?: string }
type Pressure = { readonly state: 'nominal' | 'fair' | 'serious' | 'critical' }
type PressureObserver = {
  observe(source: 'cpu', options: { sampleInterval: number }): Promise<void>
  disconnect(): void
}

/** The parts of a browser that are asked; some exist only in some browsers. */
export type Surroundings = {
  readonly page: EventTarget & { readonly visibilityState: DocumentVisibilityState }
  readonly window: EventTarget
  readonly navigator: {
    readonly onLine: boolean
    readonly connection?: Connection
    getBattery?(): Promise<Battery>
  }
  readonly PressureObserver?: new (then: (records: Pressure[]) => void) => PressureObserver
}

/** Our own work keeps a processor at `serious`; only `critical` means that the device suffers. */
const WARM = 'critical'
/** It has recovered at these; between them and `critical` nothing changes. */
const COOL: readonly string[] = ['nominal', 'fair']
const PRESSURE_EVERY_MS = 2_000

export const watchConditions = (
  then: (condition: Condition, present: boolean) => void,
  around: Surroundings = browser(),
): { close(): void } => {
  const known = new Map<Condition, boolean>()
  const closing: (() => void)[] = []
  let open = true
  let frozen = false

  const report = (condition: Condition, present: boolean): void => {
    if (!open || (known.get(condition) ?? false) === present) return
    known.set(condition, present)
    then(condition, present)
  }
  const listen = (target: EventTarget, names: readonly string[], look: () => void): void => {
    for (const name of names) {
      target.addEventListener(name, look)
      closing.push(() => target.removeEventListener(name, look))
    }
    look()
  }

  const { page, window, navigator } = around
  const look = (): void => {
    report('hidden', frozen || page.visibilityState === 'hidden')
    // A frozen page hears nothing: whoever works with it must know before it stops.
    report('offline', frozen || !navigator.onLine)
  }
  const freeze = (now: boolean) => (): void => {
    frozen = now
    look()
  }
  listen(page, ['visibilitychange'], look)
  listen(window, ['online', 'offline'], look)
  for (const [target, name, now] of [
    [page, 'freeze', true],
    [page, 'resume', false],
    [window, 'pagehide', true],
    [window, 'pageshow', false],
  ] as const) {
    const changed = freeze(now)
    target.addEventListener(name, changed)
    closing.push(() => target.removeEventListener(name, changed))
  }

  const { connection } = navigator
  if (connection !== undefined) {
    const metered = (): boolean => connection.saveData === true || connection.type === 'cellular'
    listen(connection, ['change'], () => report('metered', metered()))
  }
  // Refused in some frames; a machine that does not tell is taken to be on mains.
  const battery = navigator.getBattery?.().then(
    (found) =>
      open && listen(found, ['chargingchange'], () => report('on-battery', !found.charging)),
    () => undefined,
  )
  void battery
  closing.push(watchPressure(around, (warm) => report('too-warm', warm)))

  return {
    close: () => {
      open = false
      for (const stop of closing.splice(0)) stop()
    },
  }
}

/** Compute Pressure: Chromium only, as of 2026. */
const watchPressure = (around: Surroundings, then: (warm: boolean) => void): (() => void) => {
  if (around.PressureObserver === undefined) return () => undefined
  const observer = new around.PressureObserver((records) => {
    const state = records.at(-1)?.state ?? ''
    if (state === WARM) then(true)
    else if (COOL.includes(state)) then(false)
  })
  observer.observe('cpu', { sampleInterval: PRESSURE_EVERY_MS }).catch(() => undefined)
  return () => observer.disconnect()
}

const browser = (): Surroundings => {
  const { PressureObserver } = globalThis as Pick<Surroundings, 'PressureObserver'>
  return {
    page: document,
    window: globalThis,
    navigator: navigator as unknown as Surroundings['navigator'],
    ...(PressureObserver === undefined ? {} : { PressureObserver }),
  }
}
