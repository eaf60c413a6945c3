/** Notices that the graphics driver took the device away, which is heard of only when a task fails by it. */
import type { Compute } from '../ports.ts'

/** The same compute; `lost` is called when a task of others ended because the device was gone for good. */
export const watchDevice = (compute: Compute, lost: () => void): Compute => ({
  ...compute,
  async run(task, share, progress) {
    const done = await compute.run(task, share, progress)
    // The engine has asked for a new device once by then: this is not a driver that came back.
    if (!done.ok && done.error.code === 'device-lost') lost()
    return done
  },
})
