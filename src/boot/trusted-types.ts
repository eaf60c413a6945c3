/**
 * What may become script in this page. The content policy takes strings away from everything that runs
 * them; the browser asks here instead, and only our own files are let through: workers, and the
 * program that is kept for opening off-line. No text is ever made into script or into markup here;
 * Svelte's own policy makes elements from what its compiler wrote.
 */
type Rules = { createScriptURL(address: string): string | null }
type Factory = { createPolicy(name: string, rules: Rules): unknown }

/** Files the build made, below the page itself. */
const OWN = /\/(?:assets\/[\w.-]+|offline\.sw)\.js$/

export const ownScript = (address: string, page: string): string | null => {
  try {
    const { origin, pathname, search } = new URL(address, page)
    const home = new URL('.', page)
    const ours = origin === home.origin && pathname.startsWith(home.pathname)
    return ours && search === '' && OWN.test(pathname) ? address : null
  } catch {
    return null
  }
}

/**
 * Called first of all, with the address of the page. Where a browser has no such types, the content policy's
 * `script-src` stands alone.
 */
export const trustOwnScripts = (page: string): void => {
  const { trustedTypes } = globalThis as { trustedTypes?: Factory }
  trustedTypes?.createPolicy('default', {
    createScriptURL: (address) => ownScript(address, page),
  })
}
