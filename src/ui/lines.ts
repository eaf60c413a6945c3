/** Lines of a text as a person counts them, from one. */

/** Where a line begins and ends; the last one where there are fewer. */
export const lineAt = (text: string, line: number): readonly [from: number, to: number] => {
  let from = 0
  for (let n = 1; n < line; n++) {
    const end = text.indexOf('\n', from)
    if (end < 0) break
    from = end + 1
  }
  const end = text.indexOf('\n', from)
  return [from, end < 0 ? text.length : end]
}
