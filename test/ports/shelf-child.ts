/** A process of its own that puts leaves on a shelf until it is killed; started by shelf.test.ts. */
import { openLeafFiles } from '../../relay/leaf-files.ts'
import { cidOfBytes } from '../../src/wire/codec.ts'

const opened = await openLeafFiles(process.argv[2]!)
if (!opened.ok) throw new Error(opened.error.code)
for (let n = Date.now(); ; n++) {
  const bytes = new Uint8Array(200_000).fill(n)
  new DataView(bytes.buffer).setFloat64(0, n)
  const name = cidOfBytes(bytes)
  const written = await opened.value.write(name, bytes)
  if (!written.ok) throw new Error(written.error.code)
  process.stdout.write(`${name}\n`)
}
