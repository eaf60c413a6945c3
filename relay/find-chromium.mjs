// Where this machine keeps a Chromium, and the flags that every launch of it takes. Plain JavaScript
// without dependencies: the set-up reads it on Node 20 before anything is installed.
import { spawn } from 'node:child_process'
import { access, constants } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { delimiter, join } from 'node:path'

/** Looked at first, in this order; a name that is set but does not run is passed over. */
export const chromiumVariables = [
  'SWARM_CHROMIUM',
  'CHROME_PATH',
  'PLAYWRIGHT_CHROMIUM_EXECUTABLE_PATH',
]

/**
 * A browser of ours asks nobody anything: the resolver rule stops the look-ups that remain in spite of
 * the other flags. WebGPU on machines without a GPU (the SwiftShader adapter) needs the unsafe flag, and
 * the sandbox is not available to root or in most containers.
 */
export const chromiumFlags = [
  '--no-sandbox',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--enable-unsafe-webgpu',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
]

const namesOnPath = [
  'chromium',
  'chromium-browser',
  'google-chrome-stable',
  'google-chrome',
  'chrome',
  'microsoft-edge-stable',
  'microsoft-edge',
  'msedge',
]

/** A first start on a cold disk is slow; a program that has not said its version by then hangs. */
const versionLimitMs = 20_000

/** @returns {Promise<string | null>} the path of a Chromium that runs, or null */
export async function findChromium() {
  const tried = new Set()
  for (const candidate of candidates()) {
    if (tried.has(candidate)) continue
    tried.add(candidate)
    if (await runs(candidate)) return candidate
  }
  return null
}

function* candidates() {
  for (const name of chromiumVariables) {
    const path = process.env[name]
    if (path) yield path
  }
  const ending = process.platform === 'win32' ? '.exe' : ''
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    if (!folder) continue
    for (const name of namesOnPath) yield join(folder, name + ending)
  }
  yield* wellKnownPaths()
  const downloaded = playwrightChromium()
  if (downloaded) yield downloaded
}

/** @returns {string[]} */
function wellKnownPaths() {
  if (process.platform === 'darwin') {
    const apps = ['/Applications', join(process.env['HOME'] ?? '/', 'Applications')]
    const names = ['Google Chrome', 'Chromium', 'Microsoft Edge']
    return apps.flatMap((folder) => names.map((n) => join(folder, `${n}.app/Contents/MacOS/${n}`)))
  }
  if (process.platform === 'win32') {
    const roots = ['ProgramFiles', 'ProgramFiles(x86)', 'LOCALAPPDATA']
    const tails = [
      'Google/Chrome/Application/chrome.exe',
      'Chromium/Application/chrome.exe',
      'Microsoft/Edge/Application/msedge.exe',
    ]
    return roots.flatMap((root) => {
      const folder = process.env[root]
      return folder ? tails.map((tail) => join(folder, tail)) : []
    })
  }
  return [
    '/usr/bin/chromium',
    '/usr/lib/chromium/chromium',
    '/snap/bin/chromium',
    '/opt/google/chrome/chrome',
    '/opt/microsoft/msedge/msedge',
  ]
}

/** Where Playwright puts its own download, when Playwright is installed. */
function playwrightChromium() {
  try {
    const { chromium } = createRequire(import.meta.url)('playwright-core')
    return /** @type {string} */ (chromium.executablePath())
  } catch {
    return null
  }
}

/**
 * Windows builds ignore `--version` and open a window, so there the file's presence must do.
 * @param {string} path
 */
async function runs(path) {
  try {
    await access(path, constants.X_OK)
  } catch {
    return false
  }
  if (process.platform === 'win32') return true
  return new Promise((done) => {
    const child = spawn(path, ['--version'], { stdio: 'ignore', timeout: versionLimitMs })
    child.once('error', () => done(false))
    child.once('exit', (code) => done(code === 0))
  })
}
