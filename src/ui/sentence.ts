/** Parts of sentences put together. */

/** "a", "a or b", "a, b or c". */
export const listed = (parts: readonly string[], joint: 'and' | 'or'): string =>
  parts.length < 2
    ? (parts[0] ?? '')
    : `${parts.slice(0, -1).join(', ')} ${joint} ${parts.at(-1) ?? ''}`

/** With a capital and a full stop. */
export const sentence = (text: string): string => {
  const capital = `${text.charAt(0).toUpperCase()}${text.slice(1)}`
  return /[.!?]$/.test(capital) ? capital : `${capital}.`
}
