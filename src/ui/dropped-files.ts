/** Files that were dropped, those of a folder among them. */

/** A folder of a model has some hundred files at most; more is something else. */
const FILES_MAX = 1_000

/** A folder, or a file of weights among whatever else: nothing else is brought so. */
export const mayBeModel = (files: readonly File[], items: readonly DataTransferItem[]): boolean =>
  files.some(({ name }) => /\.(gguf|safetensors)$/i.test(name)) ||
  items.some((item) => item.webkitGetAsEntry()?.isDirectory === true)

/**
 * Those of one folder deep; what the browser does not give is left out. To be called while the drop is told of:
 * afterwards the browser forgets it.
 */
export const droppedFiles = async (items: readonly DataTransferItem[]): Promise<File[]> => {
  const entries = items.flatMap((item) => item.webkitGetAsEntry() ?? [])
  const found = await Promise.all(entries.map(entriesOf))
  const files = found.flat().filter((entry) => entry.isFile) as FileSystemFileEntry[]
  const read = await Promise.all(files.slice(0, FILES_MAX).map(fileOf))
  return read.filter((file) => file !== null)
}

const fileOf = (entry: FileSystemFileEntry): Promise<File | null> =>
  new Promise((resolve) => entry.file(resolve, () => resolve(null)))

const entriesOf = async (entry: FileSystemEntry): Promise<readonly FileSystemEntry[]> => {
  if (!entry.isDirectory) return [entry]
  const reader = (entry as FileSystemDirectoryEntry).createReader()
  const all: FileSystemEntry[] = []
  // A browser gives some at a time, and none when there are no more.
  while (all.length < FILES_MAX) {
    const some = await new Promise<FileSystemEntry[]>((resolve) =>
      reader.readEntries(resolve, () => resolve([])),
    )
    if (some.length === 0) break
    all.push(...some)
  }
  return all
}
