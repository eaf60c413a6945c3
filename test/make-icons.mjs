// Draws the app's icons: a sheet of nine squares, each in a state of the pad. `node test/make-icons.mjs`
// writes them to public/icons; the test beside this file says when they are not what is drawn here.
import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { encode } from 'fast-png'

const PAPER = [0xed, 0xf2, 0xe8]
const INK = [0x17, 0x20, 0x1b]
const RULE = [0xc9, 0xd6, 0xc4]
const BLUE = [0x1b, 0x3f, 0xae]
const RUNNING = [0xff, 0x6a, 0x13]
const VERIFIED = [0x0b, 0x6b, 0x4b]

/** The sheet in the life of a job, row by row. */
const MARKS = [
  'ticked',
  'ticked',
  'solid',
  'ticked',
  'half',
  'hatched',
  'solid',
  'hatched',
  'empty',
]

/** Units of the drawing: three squares of 8 with a gap of 2 make 28. */
const SIDE = 8
const STEP = 10

const onTick = (/** @type {number} */ x, /** @type {number} */ y) =>
  near(x, y, 1.9, 4.3, 3.5, 6) || near(x, y, 3.5, 6, 6.3, 2.3)

/** @param {number} x @param {number} y @param {number} ax @param {number} ay @param {number} bx @param {number} by */
function near(x, y, ax, ay, bx, by) {
  const t = Math.min(
    1,
    Math.max(0, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / ((bx - ax) ** 2 + (by - ay) ** 2)),
  )
  return Math.hypot(x - ax - t * (bx - ax), y - ay - t * (by - ay)) < 0.6
}

/** The colour inside a square of 8, or null where the paper shows. */
const inSquare = (/** @type {string} */ mark, /** @type {number} */ x, /** @type {number} */ y) => {
  const edge = Math.min(x, y, SIDE - x, SIDE - y) < 0.75
  if (mark === 'ticked') return onTick(x, y) ? PAPER : VERIFIED
  if (mark === 'solid') return BLUE
  if (edge) return INK
  if (mark === 'half') return y > x ? RUNNING : null
  if (mark === 'hatched') return (x + y + 0.4) % 2.6 < 0.75 ? INK : null
  return null
}

/** @param {number} size @param {number} sheet how much of the icon the three squares take */
const raster = (size, sheet) => {
  const data = new Uint8Array(size * size * 3)
  const unit = (size * sheet) / (3 * STEP - 2)
  const from = (size * (1 - sheet)) / 2
  const SAMPLES = 4
  for (let py = 0; py < size; py++) {
    for (let px = 0; px < size; px++) {
      const sum = [0, 0, 0]
      for (let s = 0; s < SAMPLES * SAMPLES; s++) {
        const ux = (px + ((s % SAMPLES) + 0.5) / SAMPLES - from) / unit
        const uy = (py + (Math.floor(s / SAMPLES) + 0.5) / SAMPLES - from) / unit
        const colour = colourAt(ux, uy)
        for (let c = 0; c < 3; c++) sum[c] = (sum[c] ?? 0) + (colour[c] ?? 0)
      }
      for (let c = 0; c < 3; c++)
        data[(py * size + px) * 3 + c] = Math.round((sum[c] ?? 0) / SAMPLES ** 2)
    }
  }
  return encode({ width: size, height: size, data, channels: 3, depth: 8 })
}

const colourAt = (/** @type {number} */ x, /** @type {number} */ y) => {
  const [column, row] = [Math.floor(x / STEP), Math.floor(y / STEP)]
  const [dx, dy] = [x - column * STEP, y - row * STEP]
  if (column >= 0 && column < 3 && row >= 0 && row < 3 && dx <= SIDE && dy <= SIDE) {
    return inSquare(MARKS[row * 3 + column] ?? 'empty', dx, dy) ?? PAPER
  }
  // The pad's rules run through the middle of the gaps, to the edge.
  const rule = (/** @type {number} */ at) => Math.abs((((at + 1) % STEP) + STEP) % STEP) < 0.35
  return rule(x) || rule(y) ? RULE : PAPER
}

const hex = (/** @type {number[]} */ colour) =>
  `#${colour.map((c) => c.toString(16).padStart(2, '0')).join('')}`

/** The tab's own sign: as many squares filled as there are ninths of the work done. */
const favicon = (/** @type {number} */ filled) => {
  let full = ''
  let open = ''
  for (let i = 0; i < 9; i++) {
    const [x, y] = [2 + (i % 3) * STEP, 2 + Math.floor(i / 3) * STEP]
    if (i < filled) full += `M${x} ${y}h8v8h-8z`
    else open += `M${x + 0.75} ${y + 0.75}h6.5v6.5h-6.5z`
  }
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><path fill="${hex(PAPER)}" d="M0 0h32v32H0z"/>` +
    `<path fill="none" stroke="${hex(INK)}" stroke-width="1.5" d="${open}"/><path fill="${hex(VERIFIED)}" d="${full}"/></svg>\n`
  )
}

/** Every icon file by name. */
export const icons = () => ({
  ...Object.fromEntries(
    Array.from({ length: 10 }, (_, n) => [`sheet-${n}.svg`, new TextEncoder().encode(favicon(n))]),
  ),
  'icon-180.png': raster(180, 0.78),
  'icon-192.png': raster(192, 0.82),
  'icon-512.png': raster(512, 0.82),
  // A mask may cut all but the middle circle of 80 %: the sheet's corners lie within it.
  'icon-512-maskable.png': raster(512, 0.55),
})

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = fileURLToPath(new URL('../public/icons/', import.meta.url))
  mkdirSync(folder, { recursive: true })
  for (const [name, bytes] of Object.entries(icons())) writeFileSync(folder + name, bytes)
}
