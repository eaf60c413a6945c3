/** What a person sees in a terminal. Progress and colour go to standard error, and only to a terminal. */
import { writeWhole } from './whole-file.ts'

const isTerminal = process.stderr.isTTY === true
const colour =
  (code: number) =>
  (text: string): string =>
    isTerminal ? `\x1b[${code}m${text}\x1b[0m` : text
export const bold = colour(1)

/** A line that somebody has to see, wherever standard error leads: what is wrong, or where we stay. */
export const say = (text: string): void => void process.stderr.write(`${text}\n`)

/** A line of progress, which means nothing once the command has ended. */
export const note = (text: string): void => {
  if (isTerminal) say(text)
}

const BAR = 32

/** Squares of the sheet: empty, half, full. */
export const progress = (done: number, total: number, note: string): void =>
  bar(total === 0 ? 0 : done / total, `${done}/${total} ${note}`)

/** Where nobody would count: of what there are thousands. */
export const progressPart = (done: number, total: number, note: string): void => {
  const part = total === 0 ? 0 : done / total
  bar(part, `${Math.floor(100 * part)} % ${note}`)
}

const bar = (part: number, words: string): void => {
  if (!isTerminal) return
  const filled = Math.floor(part * BAR)
  process.stderr.write(`\r\x1b[K[${'■'.repeat(filled)}${'□'.repeat(BAR - filled)}] ${words}`)
}

export const progressDone = (): void => {
  if (isTerminal) process.stderr.write('\r\x1b[K')
}

/** Columns as wide as their widest cell; numbers to the right. */
export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string => {
  const widths = head.map((title, i) =>
    Math.max(title.length, ...rows.map((row) => (row[i] ?? '').length)),
  )
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) =>
        /^-?[\d.,]+( |$)/.test(cell) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!),
      )
      .join('  ')
      .trimEnd()
  return [bold(line(head)), ...rows.map(line)].join('\n')
}

/** One JSON document to a file, whole, or to standard output for `-`; false, and said, where it cannot be written. */
export const writeJson = (file: string | undefined, value: unknown): boolean => {
  if (file === undefined) return true
  const text = `${JSON.stringify(value, null, 2)}\n`
  if (file === '-') process.stdout.write(text)
  const written = file === '-' ? null : writeWhole(file, text)
  if (written?.ok === false) say(`swarm: ${written.error.detail} (${written.error.code})`)
  return written?.ok !== false
}

export const credits = (micro: number): string =>
  (micro / 1_000_000).toFixed(6).replace(/0{1,4}$/, '')

/** Layers [from, to) as a person counts them: from 1, both ends included. */
export const span = (from: number, to: number): string =>
  to - from === 1 ? String(to) : `${from + 1}-${to}`

export const plural = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`

export const short = (did: string): string => `${did.slice(0, 12)}…${did.slice(-6)}`
