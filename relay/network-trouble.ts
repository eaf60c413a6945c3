/** Why nobody answers at an address, in words: what `fetch` throws is a call and a code, or less. */

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody answers there',
  ECONNRESET: 'whoever is there hung up',
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: 'the name of the host cannot be looked up now',
  EHOSTUNREACH: 'no way leads there',
  ENETUNREACH: 'no way leads there',
  ETIMEDOUT: 'no answer in time',
  UND_ERR_CONNECT_TIMEOUT: 'no answer in time',
  UND_ERR_SOCKET: 'whoever is there hung up',
}

export const networkTrouble = (thrown: unknown): string => {
  if (!(thrown instanceof Error)) return String(thrown)
  if (thrown.name === 'TimeoutError') return 'no answer in time'
  const cause = thrown.cause instanceof Error ? thrown.cause : thrown
  // The ports of other services, which browsers call just as little.
  if (cause.message === 'bad port') return 'a relay cannot be at this port, for no browser calls it'
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : ''
  return WORDS[code] ?? cause.message
}
