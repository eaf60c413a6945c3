import { describe, expect, it } from 'vitest'
import { droppedFiles, mayBeModel } from './dropped-files.ts'

const named = (...names: string[]): File[] => names.map((name) => new File([], name))
type Reader = FileSystemDirectoryReader['readEntries']

const fileEntry = (file: File | null): FileSystemEntry =>
  ({
    ...{ isFile: true, isDirectory: false },
    file: (then: (file: File) => void, failed: () => void) => (file ? then(file) : failed()),
  }) as unknown as FileSystemEntry

/** A browser gives a folder in pieces, and then nothing. */
const folderEntry = (...pieces: FileSystemEntry[][]): FileSystemEntry =>
  ({
    ...{ isFile: false, isDirectory: true },
    createReader: () => {
      const left = [...pieces]
      const readEntries = ((then) => then(left.shift() ?? [])) as Reader
      return { readEntries }
    },
  }) as unknown as FileSystemEntry

const item = (entry: FileSystemEntry | null): DataTransferItem =>
  ({ webkitGetAsEntry: () => entry }) as DataTransferItem

describe('what is dropped', () => {
  it('is a model where there are weights in it, or it is a folder', () => {
    expect(mayBeModel(named('a.GGUF'), [])).toBe(true)
    expect(mayBeModel(named('config.json', 'a.safetensors'), [])).toBe(true)
    expect(mayBeModel(named('a.png', 'b.png'), [item(null)])).toBe(false)
    expect(mayBeModel(named('model'), [item(folderEntry())])).toBe(true)
  })

  it('has the files of a folder, in however many pieces they come, and none of folders in it', async () => {
    const [a, b, c] = named('a', 'b', 'c')
    const folder = folderEntry(
      [fileEntry(a!), folderEntry([fileEntry(named('deep')[0]!)])],
      [fileEntry(b!)],
    )
    const found = await droppedFiles([item(folder), item(fileEntry(c!)), item(null)])
    expect(found.map(({ name }) => name)).toEqual(['a', 'b', 'c'])
  })

  it('is what can be read of it', async () => {
    const found = await droppedFiles([item(fileEntry(null)), item(fileEntry(named('a')[0]!))])
    expect(found.map(({ name }) => name)).toEqual(['a'])
  })
})
