/** The package as npm would publish it, installed beside its dependencies: it runs without a checkout. */
import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { root } from '../../relay/local-node.mjs'
import { paidReceipt } from '../paid-receipt.ts'

const folder = mkdtempSync(join(tmpdir(), 'swarm-package-'))
const installed = join(folder, 'node_modules/swarmharness')
let files: string[] = []

const run = promisify(execFile)
const swarm = (...words: string[]) =>
  run(process.execPath, [join(installed, 'relay/swarm.mjs'), ...words], {
    cwd: folder,
    env: { ...process.env, HOME: folder, SWARM_LOOPBACK_ONLY: '1' },
  })

beforeAll(async () => {
  const windows = process.platform === 'win32'
  const { stdout } = await run('npm', ['pack', '--dry-run', '--json'], {
    cwd: root,
    shell: windows,
  })
  const listed = Object.values(JSON.parse(stdout) as Record<string, { files: { path: string }[] }>)
  files = listed[0]!.files.map(({ path }) => path)
  for (const path of files) cpSync(join(root, path), join(installed, path), { recursive: true })
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>
  }
  for (const name of Object.keys(dependencies)) {
    const place = join(folder, 'node_modules', name)
    mkdirSync(dirname(place), { recursive: true })
    symlinkSync(join(root, 'node_modules', name), place, 'junction')
  }
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('the package', () => {
  it('has what the program needs, and no tests', () => {
    expect(files).toContain('relay/cli.ts')
    expect(files).toContain('public/jobs/mandelbrot.swarm.md')
    expect(files.filter((path) => /\.test\.ts$|^test\/|tsconfig/.test(path))).toEqual([])
  })

  it('says what it is and what it can do', async () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      version: string
    }
    expect((await swarm('--version')).stdout).toBe(`swarmharness ${version}\n`)
    expect((await swarm('help')).stderr).toContain('swarm run SPEC.md')
  })

  it('checks a receipt', async () => {
    const { file } = await paidReceipt(join(folder, 'job'), {
      template: 'mandelbrot',
      sets: ['width=48', 'height=32', 'iterations=60'],
    })
    const { stdout } = await swarm('verify', file)
    expect(stdout).toContain('the CPU reference gives the same bits')
  })

  it('runs the simulator, and ends with 2 for what makes no sense', async () => {
    const { stdout } = await swarm('sim', 'calm', '--nodes', '6', '--hours', '0.002', '--json', '-')
    expect(JSON.parse(stdout)).toMatchObject({ scenario: 'calm', violations: [] })
    await expect(swarm('fly')).rejects.toMatchObject({ code: 2 })
  })
})
