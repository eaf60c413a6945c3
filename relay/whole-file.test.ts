import { execFileSync } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { fileProblem, folderProblem, writeWhole } from './whole-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'swarm-whole-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('a file that others read', () => {
  it('is there whole, in folders made for it, and nothing is left beside it', () => {
    const file = join(folder, 'a/b/report.json')
    expect(writeWhole(file, 'first')).toMatchObject({ ok: true })
    expect(writeWhole(file, new Uint8Array([50]))).toMatchObject({ ok: true })
    expect(readFileSync(file, 'utf8')).toBe('2')
    expect(readdirSync(join(folder, 'a/b'))).toEqual(['report.json'])
  })

  it('stays as it was when another cannot be written', () => {
    const place = join(folder, 'full')
    mkdirSync(place)
    const file = join(place, 'report.json')
    writeFileSync(file, 'before')
    // The draft's own name is taken by a folder: as far as a full disk can be had here.
    mkdirSync(`${file}.${process.pid}.new`)
    mkdirSync(`${file}.${process.pid}.new/x`)
    expect(writeWhole(file, 'after')).toMatchObject({ ok: false, error: { code: 'not-written' } })
    expect(readFileSync(file, 'utf8')).toBe('before')
  })

  it('is written where a link leads, and into a pipe that somebody holds', () => {
    const real = join(folder, 'real.json')
    writeFileSync(real, 'before')
    symlinkSync(real, join(folder, 'link.json'))
    expect(writeWhole(join(folder, 'link.json'), 'after')).toMatchObject({ ok: true })
    expect(readFileSync(real, 'utf8')).toBe('after')
    const program = `import('${new URL('whole-file.ts', import.meta.url).href}').then(({ writeWhole }) => writeWhole('/dev/stdout', 'seen'))`
    const piped = ['-c', '"$0" -e "$1" | cat', process.execPath, program]
    expect(execFileSync('sh', piped, { encoding: 'utf8' })).toBe('seen')
  })
})

describe('the place of a file', () => {
  it('is known before anybody works for it', () => {
    expect(fileProblem(join(folder, 'new/report.json'))).toBe(null)
    expect(readdirSync(join(folder, 'new'))).toEqual([])
    expect(fileProblem(folder)).toContain('is a folder')
    const file = join(folder, 'taken')
    writeFileSync(file, '')
    expect(fileProblem(join(file, 'report.json'))).toContain('is a file, not a folder')
    expect(folderProblem(file)).toContain('is a file, not a folder')
    expect(folderProblem('/proc/swarm/out')).toBe(
      '/proc/swarm/out: there is no such file or folder',
    )
  })
})
