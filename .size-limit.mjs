// Budgets in gzip, because that is what a phone downloads. The built names carry hashes, so the build's
// own manifest says which files the first paint needs: the entry and what it imports statically.
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const app = fileURLToPath(new URL('dist/app', import.meta.url))
const manifest = JSON.parse(readFileSync(`${app}/build-manifest.json`, 'utf8'))

const firstOf = (key, seen = new Set()) => {
  if (seen.has(key)) return seen
  seen.add(key)
  for (const next of manifest[key].imports ?? []) firstOf(next, seen)
  return seen
}

const first = [...firstOf('index.html')]
const scripts = first.map((key) => `dist/app/${manifest[key].file}`)
const styles = first.flatMap((key) => (manifest[key].css ?? []).map((file) => `dist/app/${file}`))
const assets = readdirSync(`${app}/assets`).map((name) => `dist/app/assets/${name}`)
const workers = assets.filter((name) => /\.worker-[^/]*\.js$/.test(name))
// The manifest knows what the page loads; what is left is loaded by workers.
const listed = new Set(Object.values(manifest).map(({ file }) => `dist/app/${file}`))
const loaded = assets.filter((name) => name.endsWith('.js') && !workers.includes(name))
const later = loaded.filter((name) => listed.has(name) && !scripts.includes(name))
const byWorkers = loaded.filter((name) => !listed.has(name))

const beside = fileURLToPath(new URL('dist/sdk/assets', import.meta.url))
const libraryScripts = existsSync(beside)
  ? readdirSync(beside).flatMap((name) => (name.endsWith('.js') ? [`dist/sdk/assets/${name}`] : []))
  : []

const budgets = [
  { name: 'first script', path: scripts, limit: '60 kB' },
  { name: 'first page and styles', path: ['dist/app/index.html', ...styles], limit: '25 kB' },
  // libp2p with kad-dht alone was measured at 197 kB, and the rest of the node stands on it. Pictures and
  // specs are read by parts that load only when one is opened, yet they count here.
  // The 173 operators of models, 60 kB, are here as well, and in the workers: whoever is offered a part of one
  // has to know its cost. Language models are 50 kB: readers of their files and a tokenizer, which load with the
  // first model, Chat with the texts that it keeps, and what every node has to hold layers for others and to ask them.
  { name: 'after the first paint', path: later, limit: '565 kB' },
  // Layers of models are held here, too, and the tokens of several talks put together.
  { name: 'workers', path: workers, limit: '148 kB' },
  // The tensor engine with all its operators, when a graph comes or what it would run on is measured; and
  // what calls ONNX Runtime. Its WebAssembly, 14 MB, is fetched only where no GPU is usable.
  { name: 'loaded by workers', path: byWorkers, limit: '110 kB' },
  // The node of the page without its screens, in one piece.
  { name: 'library', path: ['dist/sdk/sdk.js'], limit: '540 kB' },
  // Its workers and what they load: the CPU engine's WebAssembly lies beside them and is not written into them.
  { name: 'workers of the library', path: libraryScripts, limit: '190 kB' },
  { name: 'service worker', path: ['dist/app/offline.sw.js'], limit: '5 kB' },
]

export default budgets
  .map((budget) => ({
    ...budget,
    path: budget.path.filter((file) => existsSync(file)),
    gzip: true,
  }))
  .filter(({ path }) => path.length > 0)
