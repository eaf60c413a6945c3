/** What a command was asked for goes to standard output: as text, or as one JSON document. */
import { stripVTControlCharacters } from 'node:util'
import { writeJson } from '../terminal.ts'

/** Colour only where a terminal shows it; with `--json -` the document is all there is. False: it cannot be written. */
export const answer = (text: string, json: string | undefined, document: unknown): boolean => {
  if (json !== '-') {
    const plain = process.stdout.isTTY === true ? text : stripVTControlCharacters(text)
    process.stdout.write(`${plain}\n`)
  }
  return writeJson(json, document)
}
