/** The first sentence of a spec's prose, as plain words: what a card has room for. */

/** Longer ones end at a word. */
const LETTERS_MAX = 200

export const summaryOf = (text: string): string => {
  const prose = text.replace(/^---[\s\S]*?\n---\s*/, '').split(/\n\s*\n/)
  const paragraph = prose.map((part) => part.trim()).find((part) => /^[^#`~>|<!-]/.test(part)) ?? ''
  const [sentence = ''] = plain(paragraph).split(/(?<=[.!?])\s+/)
  if (sentence.length <= LETTERS_MAX) return sentence
  return `${sentence.slice(0, LETTERS_MAX).replace(/\s+\S*$/, '')}\u2026`
}

/** Emphasis, code and links of Markdown as the words they mark. */
const plain = (markdown: string): string =>
  markdown
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/(\*{1,3}|`+)(\S(?:.*?\S)??)\1/g, '$2')
    .replace(/\s+/g, ' ')
    .trim()
