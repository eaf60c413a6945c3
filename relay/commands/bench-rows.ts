/** What a benchmark says: ours beside others', measured in turn within one run so that both meet the same machine. */
import { table } from '../terminal.ts'

export type Row = {
  readonly name: string
  readonly ours: number
  readonly peers: Readonly<Record<string, number>>
  /** Above 1, ours is better than the best peer; null where there is none to compare with. */
  readonly ratio: number | null
  /** Of each peer, where they are medians of rounds: they differ from the ratio of the medians. */
  readonly ratios?: Readonly<Record<string, number>>
  readonly unit: string
  readonly runs: number
}

/** Whether a larger figure is the better one follows from the unit. */
const SMALLER_IS_BETTER = ['ms', 's', 'MiB']

export const row = (
  name: string,
  unit: string,
  ours: readonly number[],
  peers: Readonly<Record<string, readonly number[]>> = {},
): Row => {
  const middles = Object.fromEntries(
    Object.entries(peers).map(([peer, figures]) => [peer, median(figures)]),
  )
  const mine = median(ours)
  const others = Object.values(middles)
  const smaller = SMALLER_IS_BETTER.includes(unit)
  const best = smaller ? Math.min(...others) : Math.max(...others)
  const ratio = others.length === 0 ? null : smaller ? best / mine : mine / best
  return { name, ours: mine, peers: middles, ratio, unit, runs: ours.length }
}

export const median = (figures: readonly number[]): number => {
  const sorted = figures.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Each contender in turn, `runs` times over; gives the figures of each. */
export const inTurn = async <K extends string>(
  runs: number,
  contenders: Readonly<Record<K, () => number | Promise<number>>>,
): Promise<Record<K, number[]>> => {
  const names = Object.keys(contenders) as K[]
  const figures = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<
    K,
    number[]
  >
  for (let i = 0; i < runs; i++)
    for (const name of names) figures[name].push(await contenders[name]())
  return figures
}

/** How many of something per second, when `count` of them take as long as `work` does. */
export const perSecond = async (
  count: number,
  work: () => void | Promise<void>,
): Promise<number> => {
  const began = performance.now()
  await work()
  return count / ((performance.now() - began) / 1_000)
}

const figure = (n: number): string =>
  n >= 1_000 ? Math.round(n).toLocaleString('en') : n.toPrecision(3)

const inBrackets = (factor: number | undefined): string =>
  factor === undefined ? '' : ` (${factor.toPrecision(3)})`

export const inWords = (rows: readonly Row[]): string =>
  table(
    ['what', 'ours', 'unit', 'beside', 'ratio', 'runs'],
    rows.map(({ name, ours, unit, peers, ratios, ratio, runs }) => [
      name,
      figure(ours),
      unit,
      Object.entries(peers)
        .map(([peer, theirs]) => `${peer}: ${figure(theirs)}${inBrackets(ratios?.[peer])}`)
        .join('; '),
      ratio === null ? '' : ratio.toPrecision(3),
      String(runs),
    ]),
  )

/** The rows as a table of Markdown. In brackets how much better ours is than each. */
export const inMarkdown = (rows: readonly Row[]): string => {
  const peers = [...new Set(rows.flatMap((one) => Object.keys(one.peers)))]
  const cells = rows.map(({ name, ours, unit, peers: theirs, ratios, ratio }) => [
    `${name} (${unit})`,
    figure(ours),
    ...peers.map((peer) => {
      const factor = ratios?.[peer]
      if (theirs[peer] === undefined) return ''
      return `${figure(theirs[peer])}${factor === undefined ? '' : ` (${factor.toPrecision(3)})`}`
    }),
    ratio === null ? '' : `**${ratio.toPrecision(3)}**`,
  ])
  const head = ['what', 'ours', ...peers, 'ratio']
  return [head, head.map((_, i) => (i === 0 ? '---' : '---:')), ...cells]
    .map((line) => `| ${line.join(' | ')} |`)
    .join('\n')
}
