/** What a swarm is called: everybody who comes reads it, and it is part of what founds the swarm. */
import { ok, type Result } from '../../src/base/result.ts'
import { strangeIn } from '../../src/spec/plain-text.ts'
import { usage, type Args, type Flags, type Usage } from './args.ts'

export const NAME: Flags = {
  name: { type: 'string', help: 'what the swarm is called when it is founded; after this machine' },
}

/** As much as a genesis document takes (`src/wire/signed.ts`). */
const NAME_MAX = 80

/** Undefined: whatever the swarm is called already, or its default. @error usage */
export const nameOf = (args: Args): Result<string | undefined, Usage> => {
  const name = args.text('name')?.trim()
  if (name === undefined) return ok(undefined)
  const plain = strangeIn(name, 'words') === null && !/[\t\n]/.test(name)
  return plain && name.length >= 1 && name.length <= NAME_MAX
    ? ok(name)
    : usage(`--name: expected 1 to ${NAME_MAX} characters on one line, found ${name.length}`)
}
