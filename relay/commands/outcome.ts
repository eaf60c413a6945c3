/** How a command ends: one sentence, an exit code, and everything it opened closed again. */
import type { Ran } from '../run-job.ts'
import { say } from '../terminal.ts'
import { EXIT, type Usage } from './args.ts'

/** Closing may take this long; then the process goes anyway. */
const CLOSE_MS = 8_000

export const explain = (
  error: Usage | { readonly code: string; readonly detail: string },
): number => {
  say(`swarm: ${'text' in error ? error.text : `${error.detail} (${error.code})`}`)
  return EXIT.usage
}

/** A folder, a key or a port that cannot be had is bad input; a swarm that is not there is not. */
const BAD_INPUT = ['port-taken', 'no-key-file', 'bad-key-file', 'other-name']

export const failed = (error: { readonly code: string; readonly detail: string }): number => {
  if (error.code === 'port-taken')
    return explain({ code: 'usage', text: `${error.detail}; choose another with --port` })
  const code = explain(error)
  return BAD_INPUT.includes(error.code) ? code : EXIT.failed
}

/** Nobody there could take the work, and why. */
export const nobody = (why: string): number => {
  say(`swarm: ${why}`)
  return EXIT.nobody
}

/** Closes in the order given: what was opened last comes first. */
export const finish = async (
  closing: readonly (() => Promise<unknown>)[],
  code: number,
): Promise<number> => {
  const patience = new Promise((resolve) => setTimeout(resolve, CLOSE_MS).unref())
  const all = (async () => {
    for (const close of closing)
      await close().catch((cause: unknown) => say(`while closing: ${String(cause)}`))
  })()
  await Promise.race([all, patience])
  return code
}

export const codeFor = (ran: Ran): number => {
  switch (ran.kind) {
    case 'interrupted':
      say(`interrupted; the same command goes on with ${ran.job}`)
      return EXIT.interrupted
    case 'refused':
      say(`swarm: ${ran.text} (${ran.code})${remedy(ran.code)}`)
      return EXIT.failed
    case 'ended': {
      const { state, problem } = ran.report
      if (state === 'done' && problem === null) return EXIT.done
      const what = state === 'done' ? 'the job is done, but not written' : `the job ${state}`
      say(`swarm: ${what}: ${problem?.text ?? 'no reason is known'}${remedy(problem?.code)}`)
      return problem?.code === 'nobody-came' ? EXIT.nobody : EXIT.failed
    }
  }
}

/** What can be done about it from a command line, where the problem itself does not say. */
const remedy = (code: string | undefined): string =>
  code === 'no-credit' ? '; --budget free asks for free work' : ''
