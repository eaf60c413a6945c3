/** Prints the vectors: `node test/vectors/make.ts > test/vectors/wire.json`, only when the wire version changes. */
import { vectors } from './fixtures.ts'

process.stdout.write(`${JSON.stringify(vectors(), null, 2)}\n`)
