/** What a device can do, before it has been measured, in words: one cause, one action. */
import type { Probe } from './services.ts'

/** 1 credit pays for 10^12 operations (`core/price.ts`). */
export const FLOP_PER_CREDIT = 1e12

export type DeviceWords = {
  readonly text: string
  readonly action: string | null
  /** No GPU work is possible as things are. */
  readonly bad: boolean
}

/** Where WebGPU is found, by the compatibility data of August 2026. */
const WORKS_IN =
  'It works in Chrome and Edge (113 or newer; on Linux 144, on Android 121), in Safari 26, and in Firefox on Windows (141) and on Apple silicon (145).'

export const helpWith = (probe: Probe | null, handheld: boolean): DeviceWords => {
  if (!probe) return { text: 'Asking the browser what it has.', action: null, bad: false }
  switch (probe.kind) {
    case 'gpu': {
      const size = handheld ? 'phone' : 'desktop'
      const label = probe.label === '' ? 'a GPU it does not name' : probe.label
      return {
        text: `This browser can help: ${label} (${size}).`,
        action: 'How fast it is will be measured for three seconds after Start.',
        bad: false,
      }
    }
    case 'software':
      return {
        text: `Only a software GPU is available${probe.label === '' ? '' : ` (${probe.label})`}. It is labelled as one and never counted as a GPU.`,
        action:
          'It can do small tasks, slowly. If this device has a GPU, turn on hardware acceleration in the browser’s settings.',
        bad: false,
      }
    case 'none':
      return NONE[probe.why]
  }
}

const NONE: Record<Extract<Probe, { kind: 'none' }>['why'], DeviceWords> = {
  'no-webgpu': {
    text: 'This browser has no WebGPU.',
    action: `${WORKS_IN} Without it this device can still do small tasks on its processor.`,
    bad: true,
  },
  'no-adapter': {
    text: 'The GPU is blocked or in use.',
    action:
      'Close what else uses it, or turn on hardware acceleration in the browser’s settings; on Linux the Vulkan driver must be installed. Until then only small tasks on the processor are possible.',
    bad: true,
  },
  insecure: {
    text: 'This address is not secure, so the browser keeps its GPU back.',
    action: 'Open the https address of this page, or localhost on the machine itself.',
    bad: true,
  },
}
