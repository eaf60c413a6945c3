/** The rules of the house that no tool knows: lengths, names, rooms, stems, words, and honest documents. */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { root } from '../relay/local-node.mjs'

/** What fits on a screen; a function inside counts for itself, so a closure may hold several. */
const functionLimit = 60

/** Folders that are made, not written. */
const made = new Set([
  '.git',
  '.swarm',
  '.vite',
  'coverage',
  'dist',
  'node_modules',
  'out',
  'playwright-report',
  'test-results',
])

const walk = (folder: string): string[] =>
  readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`
    if (!entry.isDirectory()) return [path]
    const aside = entry.name === 'node_modules' || (folder === '' && made.has(entry.name))
    return aside ? [] : walk(path)
  })

const files = walk('')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const lines = (path: string): number => read(path).trimEnd().split('\n').length
const folders = (path: string): string[] =>
  readdirSync(join(root, path), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !made.has(entry.name))
    .map((entry) => entry.name)

const isTest = (path: string): boolean => path.startsWith('test/') || path.endsWith('.test.ts')
const isCode = (path: string): boolean => /\.(ts|mjs|js|svelte)$/.test(path)

/** These only put parts together; a rule that hides in one of them is found by nobody. */
const composition = [
  /^src\/(main|sdk|embed)\.ts$/,
  /^relay\/cli\.ts$/,
  /^(workers|relay)\/[^/]+\.worker\.ts$/,
]

const lengthLimit = (path: string): number => {
  if (composition.some((pattern) => pattern.test(path))) return 80
  if (isTest(path)) return 400
  return isCode(path) ? 300 : 500
}

/** Functions with more lines of their own than the limit, as `line N: M lines`. */
const longFunctions = (path: string): string[] => {
  const source = ts.createSourceFile(path, read(path), ts.ScriptTarget.Latest)
  const lineOf = (at: number): number => source.getLineAndCharacterOfPosition(at).line
  const found: string[] = []
  const visit = (node: ts.Node): number => {
    let inside = 0
    ts.forEachChild(node, (child) => {
      inside += visit(child)
    })
    if (!ts.isFunctionLike(node) || !('body' in node) || !node.body) return inside
    const first = lineOf(node.getStart(source))
    const all = lineOf(node.end) - first + 1
    if (all - inside > functionLimit)
      found.push(`${path}:${first + 1}: ${all - inside} lines, limit ${functionLimit}`)
    return all
  }
  visit(source)
  return found
}

describe('the house', () => {
  it('has no file that is too long to be read in one go', () => {
    const long = files
      .filter((path) => isCode(path) || /\.(css|wgsl|html)$/.test(path))
      .filter((path) => lines(path) > lengthLimit(path))
      .map((path) => `${path}: ${lines(path)} lines, limit ${lengthLimit(path)}`)
    expect(long).toEqual([])
  })

  it('has no function that does not fit on a screen', () => {
    const product = files.filter((path) => /\.(ts|mjs)$/.test(path) && !isTest(path))
    expect(product.flatMap(longFunctions)).toEqual([])
  })

  it('has the rooms that are written down, and no other', () => {
    const atRoot = ['.ci', 'docs', 'kernels', 'public', 'relay', 'src', 'test', 'workers']
    const inSrc = [
      'adapters',
      'base',
      'boot',
      'core',
      'models',
      'peer',
      'sdk',
      'sim',
      'spec',
      'ui',
      'wire',
    ]
    expect(folders('').filter((name) => !atRoot.includes(name))).toEqual([])
    expect(folders('src').filter((name) => !inSrc.includes(name))).toEqual([])
  })

  it('has no barrel and no drawer: a file is named after the one thing it defines', () => {
    const drawers = /^(utils?|helpers?|common|types|misc|shared|index)\.(svelte\.)?[tj]s$/
    const found = files.filter(
      (path) => isCode(path) && drawers.test(basename(path)) && path !== 'kernels/index.ts',
    )
    expect(found).toEqual([])
  })

  it('names its files in kebab-case, and components in PascalCase', () => {
    const plain = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+)*\.(ts|wgsl)$/
    const component = /^[A-Z][A-Za-z0-9]*\.svelte$/
    const odd = files.filter((path) => {
      if (path.endsWith('.svelte')) return !component.test(basename(path))
      return /\.(ts|wgsl)$/.test(path) && !plain.test(basename(path))
    })
    expect(odd).toEqual([])
  })

  it('imports its own files with their ending, as Node needs it', () => {
    const bare = files.filter(isCode).flatMap((path) =>
      [...read(path).matchAll(/(?:from|import)\s*\(?'(\.[^']*)'/g)]
        .map((match) => match[1] ?? '')
        .filter((name) => !/\.[a-z0-9]+(\?[a-z&]+)?$/.test(name))
        .map((name) => `${path}: ${name}`),
    )
    expect(bare).toEqual([])
  })

  it('has locked the packages of every system, or `npm ci` refuses', () => {
    type Entry = { readonly optionalDependencies?: Record<string, string> }
    const { packages } = JSON.parse(read('package-lock.json')) as {
      packages: Record<string, Entry>
    }
    const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies)
        .filter((name) => !packages[`${path}/node_modules/${name}`])
        .filter((name) => !packages[`node_modules/${name}`])
        .map((name) => `${path}: ${name}`),
    )
    expect(missing).toEqual([])
  })

  it('keeps a kernel in one stem: shader, definition and test', () => {
    const shaders = files.filter((path) => /^kernels\/.*\.wgsl$/.test(path))
    const missing = shaders
      .flatMap((path) => ['.ts', '.test.ts'].map((ending) => path.replace(/\.wgsl$/, ending)))
      .filter((path) => !files.includes(path))
    expect(missing).toEqual([])
  })
})

describe('the documents', () => {
  const documents = files.filter((path) => /^(docs\/.*|[A-Z]+)\.md$/.test(path))

  /** A name in backticks that looks like a path of ours: a room first, or an ending only we write. */
  const mentions = (text: string): string[] =>
    [...text.matchAll(/`([\w./-]+)`/g)]
      .map((match) => match[1] ?? '')
      .filter(
        (name) =>
          /^(kernels|workers|src|relay|public|test|docs|\.ci)\//.test(name) ||
          /^[\w./-]+\.(ts|mjs|wgsl|svelte)$/.test(name),
      )

  const exists = (name: string): boolean => {
    const path = name.replace(/\/$/, '')
    if (existsSync(join(root, path)) || existsSync(join(root, 'src', path))) return true
    return files.some((file) => file.endsWith(`/${path}`))
  }

  it('mention only files that exist', () => {
    const lost = documents.flatMap((path) =>
      mentions(read(path))
        .filter((name) => !exists(name))
        .map((name) => `${path}: ${name}`),
    )
    expect(lost).toEqual([])
  })

  it('link only to files that exist', () => {
    const lost = documents.flatMap((path) =>
      [...read(path).matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)/g)]
        .map((match) => match[1] ?? '')
        .filter((target) => !existsSync(join(root, path, '..', target)))
        .map((target) => `${path}: ${target}`),
    )
    expect(lost).toEqual([])
  })

  it('name only commands that there are', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
    const known = [...Object.keys(scripts), 'ci', 'install']
    const lost = documents.flatMap((path) =>
      [...read(path).matchAll(/\bnpm (?:run )?([a-z][a-z:]*)/g)]
        .map((match) => match[1] ?? '')
        .filter((name) => name !== 'run' && !known.includes(name))
        .map((name) => `${path}: npm ${name}`),
    )
    expect(lost).toEqual([])
  })
})

describe('the words', () => {
  /** In two halves, so that this list does not find itself. */
  const forbidden = [
    ['/home', '/'],
    ['/Us', 'ers/'],
    ['as an', ' ai'],
    ['anthro', 'pic'],
    ['clau', 'de'],
    ['chat', 'gpt'],
    ['co', 'pilot'],
    ['sub', 'agent'],
    ['artifac', 'tory'],
    ['registry.', 'npm'],
    ['fix', 'me'],
    ['not impl', 'emented'],
    ['lorem', ' ipsum'],
  ].map((halves) => halves.join(''))

  /** A path of somebody's machine; a protocol's name may well end in the same word. */
  const machinePath = /(?<![\w.])\/(work|tmp\/[a-z]+|root|mnt)\//

  it('speak of the project only', () => {
    const text = files.filter(
      (path) =>
        !path.endsWith('package-lock.json') &&
        /(\.(ts|mjs|js|svelte|wgsl|css|html|md|json|yml)|\/run)$/.test(path),
    )
    const found = text.flatMap((path) => {
      const lower = read(path).toLowerCase()
      const words = forbidden.filter((word) => lower.includes(word.toLowerCase()))
      return [...words, ...(machinePath.exec(lower) ?? []).slice(0, 1)].map(
        (word) => `${path}: ${word}`,
      )
    })
    expect(found).toEqual([])
  })
})
