/**
 * Whether a model may be given to nodes that compute its layers, which is passing it on. Where the license, by the name
 * that its files give, lets anybody do so, it just happens; else a person who knows more has to say so.
 */

export type MayShare =
  | { readonly kind: 'yes' }
  /** A clause about the license, without a full stop. */
  | { readonly kind: 'ask'; readonly why: string }

/** Names as SPDX and Hugging Face have them. Licenses that bind whoever gets a copy to terms of use are not among them. */
const FREE: ReadonlySet<string> = new Set([
  ...['apache-2.0', 'mit', 'mit-0', 'isc', 'zlib', 'bsl-1.0', 'unlicense', 'wtfpl', 'ncsa'],
  ...['bsd', 'bsd-2-clause', 'bsd-3-clause', 'bsd-3-clause-clear', '0bsd', 'postgresql'],
  ...['cc0-1.0', 'cc-by-3.0', 'cc-by-4.0', 'cc-by-sa-3.0', 'cc-by-sa-4.0', 'pddl', 'odc-by'],
  ...['cdla-permissive-1.0', 'cdla-permissive-2.0', 'cdla-sharing-1.0', 'odbl'],
  ...['gpl', 'gpl-2.0', 'gpl-3.0', 'lgpl', 'lgpl-2.1', 'lgpl-3.0', 'agpl-3.0', 'mpl-2.0'],
  ...['epl-1.0', 'epl-2.0', 'eupl-1.1', 'eupl-1.2', 'artistic-2.0', 'afl-3.0', 'ecl-2.0', 'ms-pl'],
])

export const mayShare = (license: string): MayShare => {
  const name = license.trim().toLowerCase().replaceAll(/\s+/g, '-')
  const bare = name.replace(/-(only|or-later)$/, '')
  if (FREE.has(bare)) return { kind: 'yes' }
  const why =
    name === ''
      ? 'its files do not say under which license it is'
      : `its license is "${license.trim()}", which is not known to let anybody pass it on`
  return { kind: 'ask', why }
}
