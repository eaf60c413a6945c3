/** What a person sees in a terminal. Progress and colour go to standard error, and only to a terminal. */
import { writeFileSync } from 'node:fs'

const isTerminal = process.stderr.isTTY === true
const colour =
  (code: number) =>
  (text: string): string =>
    isTerminal ? `\x1b[${code}m${text}\x1b[0m` : text
export const bold = colour(1)

/** A line of the account we give of ourselves. */
export const say = (text: string): void => void process.stderr.write(`${text}\n`)

const BAR = 32

/** Squares of the sheet: empty, half, full. */
export const progress = (done: number, total: number, note: string): void => {
  if (!isTerminal) return
  const filled = total === 0 ? 0 : Math.floor((done / total) * BAR)
  process.stderr.write(
    `\r\x1b[K[${'■'.repeat(filled)}${'□'.repeat(BAR - filled)}] ${done}/${total} ${note}`,
  )
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

/** Writes one JSON document to a file, or to standard output for `-`. */
export const writeJson = (file: string | undefined, value: unknown): void => {
  if (file === undefined) return
  const text = `${JSON.stringify(value, null, 2)}\n`
  if (file === '-') process.stdout.write(text)
  else writeFileSync(file, text)
}

export const credits = (micro: number): string =>
  (micro / 1_000_000).toFixed(6).replace(/0{1,4}$/, '')

export const short = (did: string): string => `${did.slice(0, 12)}…${did.slice(-6)}`
