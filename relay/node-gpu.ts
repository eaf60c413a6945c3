/**
 * WebGPU in Node, by Dawn: the machine's own GPU where there is one, and else the software adapter that
 * every Chromium brings along. For tests and measurements; a node that serves others is a browser.
 */
import { access, readdir, realpath } from 'node:fs/promises'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { err, type Result } from '../src/base/result.ts'
import { DeviceKeeper, type Gpu } from '../workers/gpu/device.ts'
import { computeError, type ComputeError } from '../workers/errors.ts'
import { findChromium } from './find-chromium.mjs'

/** Where Vulkan's loader looks for drivers. */
const DRIVER_VARIABLES = ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES']
const DRIVER_FOLDERS = ['/etc/vulkan/icd.d', '/usr/share/vulkan/icd.d']

/** Beside a Chromium: the description of SwiftShader, and Vulkan's loader. */
const DRIVER = 'vk_swiftshader_icd.json'
const LOADER = 'libvulkan.so.1'
/** Of dlfcn.h on Linux; Node does not name it. */
const RTLD_NODELETE = 0x1000

/** Dawn ends the process without a word when this is collected in the middle of a wait. */
const kept: unknown[] = []

/** A device that lends at most `budgetBytes`. @error device-lost: the detail says why there is none */
export const openNodeGpu = async (budgetBytes: number): Promise<Result<Gpu, ComputeError>> => {
  const dawn = await import('webgpu').catch((cause: unknown) => String(cause))
  if (typeof dawn === 'string')
    return err(computeError('device-lost', `no WebGPU in Node: ${dawn}`))
  const open = async (): Promise<Result<Gpu, ComputeError>> => {
    const gpu = dawn.create([])
    const keeper = new DeviceKeeper(gpu, budgetBytes)
    kept.push(gpu, keeper)
    return keeper.get()
  }
  const own = (await hasDriver()) ? await open() : null
  if (own?.ok === true) return own
  const folder = await softwareFolder()
  if (folder === null)
    return own ?? err(computeError('device-lost', 'no GPU driver, and no Chromium to lend one'))
  process.env['VK_ICD_FILENAMES'] = join(folder, DRIVER)
  keepLoaded(join(folder, LOADER))
  return open()
}

/** Dawn complains aloud where there is none, so that is looked up before. */
const hasDriver = async (): Promise<boolean> => {
  if (process.platform !== 'linux') return true
  if (DRIVER_VARIABLES.some((name) => process.env[name] !== undefined)) return true
  const listed = await Promise.all(DRIVER_FOLDERS.map((path) => readdir(path).catch(() => [])))
  return listed.flat().some((name) => name.endsWith('.json'))
}

/** Where a Chromium keeps SwiftShader and what finds it. */
const softwareFolder = async (): Promise<string | null> => {
  const chromium = await findChromium()
  if (chromium === null) return null
  // Debian's command is a script; what it starts lies there.
  const folders = [dirname(await realpath(chromium)), '/usr/lib/chromium']
  for (const folder of folders) {
    const missing = await access(join(folder, DRIVER)).catch((cause: unknown) => cause)
    if (missing === undefined) return folder
  }
  return null
}

/**
 * Dawn asks for the loader by its bare name, which the system may not have. Once one is in the process it
 * is found; Node takes it for a broken addon of its own, and would unload it but for the flag.
 */
const keepLoaded = (library: string): void => {
  try {
    process.dlopen({ exports: {} }, library, constants.dlopen.RTLD_NOW | RTLD_NODELETE)
  } catch {
    // "did not self-register": it is no addon, but it is there now.
  }
}
