/**
 * A name one can say aloud, drawn from an account's key: the same key has the same name everywhere.
 * It helps to recognise, and proves nothing: two keys may share a name.
 */
import type { Did } from '../base/ids.ts'

const HOW =
  'amber ample brisk broad calm clear cool crisp dry dusty eager early even fair fast firm fleet fresh frank gentle glad grand green grey keen kind late lean level light lively long loud lucid mellow mild neat new noble north odd old open pale plain prime proud quick quiet rapid rare ready round sharp short silver slow small smooth soft solid spare steady still stout'.split(
    ' ',
  )
const WHO =
  'alder ant ash aspen badger beech bee birch boar brook cedar crane crow dale deer dove dune egret elk elm fern finch fir fox frog gull hare hawk hazel heron hill ibis jay kite lake lark lynx maple marten mole moss moth newt oak otter owl pine plover pond raven reed ridge robin rook rowan seal stoat stone swan swift teal tern thorn toad trout wren'.split(
    ' ',
  )

/** FNV-1a over the text; spreads well enough for names and places on a drawing. */
export const textHash = (text: string): number => {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return (hash ^ (hash >>> 15)) >>> 0
}

export const nickname = (account: Did): string => {
  const hash = textHash(account)
  const how = HOW[hash % HOW.length]
  const who = WHO[Math.floor(hash / 64) % WHO.length]
  return `${how}-${who}-${Math.floor(hash / 8192) % 100}`
}

/** Nine squares that stand for an account, mirrored left to right: filled or not. */
export const squaresOf = (account: Did): readonly boolean[] => {
  const hash = textHash(`${account}#`)
  const bit = (n: number): boolean => ((hash >>> (3 * n)) & 1) === 1
  const rows = [0, 1, 2].map((row) => [bit(2 * row), bit(2 * row + 1), bit(2 * row)])
  const flat = rows.flat()
  // A sheet with nothing on it looks like a fault.
  return flat.some(Boolean) ? flat : flat.map((_, i) => i === 4)
}
