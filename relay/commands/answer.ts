/** What a command was asked for goes to standard output: as text, or as one JSON document. */
import { stripVTControlCharacters } from 'node:util'
import { say, writeJson } from '../terminal.ts'

/** With `--json -` the document is all there is. False: it cannot be written. */
export const answer = (text: string, json: string | undefined, document: unknown): boolean => {
  if (json !== '-') tell(text)
  return writeJson(json, document)
}

/** A sentence beside the answer, such as where a command stays; it may not come between a document's lines. */
export const tellBeside = (text: string, json: string | undefined): void =>
  json === '-' ? say(text) : tell(text)

/** Colour only where a terminal shows it. */
const tell = (text: string): void => {
  const plain = process.stdout.isTTY === true ? text : stripVTControlCharacters(text)
  process.stdout.write(`${plain}\n`)
}
