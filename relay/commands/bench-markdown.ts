/** A measured table in a page that people write: what is between the two marks is ours. */
import { readFileSync } from 'node:fs'
import { err, ok, type Result } from '../../src/base/result.ts'
import type { PortError } from '../../src/ports.ts'
import { writeWhole } from '../whole-file.ts'

const MARK = '<!-- measured -->'

/** @error bad-page, or why it cannot be written */
export const putTable = (page: string, table: string): Result<null, PortError> => {
  const detail = `${page} has no two lines "${MARK}"`
  try {
    const parts = readFileSync(page, 'utf8').split(MARK)
    if (parts.length !== 3) return err({ code: 'bad-page', detail })
    const written = writeWhole(page, [parts[0], `\n\n${table}\n\n`, parts[2]].join(MARK))
    return written.ok ? ok(null) : written
  } catch {
    return err({ code: 'bad-page', detail })
  }
}
