/**
 * Who may import whom: the table of docs/ARCHITECTURE.md as rules. Type-only imports count too. A room
 * that is not named here may import nothing, so that a new one has to be written down first.
 */
const library = (...names) => names.map((name) => `(^|/)node_modules/${name}/`)

const base = '^src/base/'
const kernels = '^kernels/'
const core = '^src/core/'
const spec = '^src/spec/'
const models = '^src/models/'
const wire = '^src/wire/'
const ports = '^src/ports\\.ts$'
const peer = '^src/peer/'
const sim = '^src/sim/'
const adapters = '^src/adapters/'
const workers = '^workers/'
const ui = '^src/ui/'
const relay = '^relay/'
const composition = [
  '^src/(main|boot|sdk|embed)\\.ts$',
  '^relay/cli\\.ts$',
  '^workers/.*\\.worker\\.ts$',
]
const tests = ['\\.test\\.ts$', '^test/']
const configs = ['^[^/]+\\.config\\.(ts|js)$', '^\\.[^/]+\\.mjs$']

const rooms = [
  { name: 'base', path: base, may: [base] },
  // The shaders' text comes in through Vite; this file only declares the type of that one call.
  {
    name: 'kernels',
    path: kernels,
    may: [kernels, '(^|/)node_modules/vite/types/import-?[mM]eta'],
  },
  { name: 'core', path: core, may: [core, kernels, base] },
  {
    name: 'spec',
    path: spec,
    may: [
      spec,
      // A spec may name a model's file.
      models,
      core,
      kernels,
      base,
      // A contract is named by its canonical bytes.
      '^src/wire/codec\\.ts$',
      ...library('yaml', 'valibot', 'fast-png'),
    ],
  },
  {
    name: 'models',
    path: models,
    may: [models, core, kernels, base, ...library('pbf', '@huggingface/tokenizers')],
  },
  {
    name: 'wire',
    path: wire,
    may: [
      wire,
      core,
      base,
      ...library(
        'valibot',
        '@ipld/dag-cbor',
        'cborg',
        'multiformats',
        '@noble/hashes',
        '@noble/curves',
      ),
    ],
  },
  { name: 'ports', path: ports, may: [wire, core, kernels, base], typesOnly: true },
  { name: 'peer', path: peer, may: [peer, wire, core, kernels, spec, models, ports, base] },
  { name: 'sim', path: sim, may: [sim, peer, wire, core, ports, kernels, base] },
  {
    name: 'adapters',
    path: adapters,
    may: [adapters, ports, wire, base, workers, ...library('.+')],
    mayTypes: [core, kernels],
  },
  // Composition that outgrew one file: it puts a browser node together and holds no rules.
  {
    name: 'composition',
    path: '^src/(boot|sdk)/',
    may: ['^src/', kernels, ...library('.+')],
  },
  {
    name: 'workers',
    path: workers,
    // The CPU engine is given graphs as ONNX models.
    may: [workers, kernels, core, models, base, ...library('comlink', 'idb', 'onnxruntime-web')],
    mayTypes: [ports],
  },
  {
    name: 'ui',
    path: ui,
    may: [ui, peer, core, base, ...library('svelte', 'uqr', '@fontsource-variable')],
  },
  // Node's own adapters live in the relay's room; the browser's would not run there.
  {
    name: 'relay',
    path: relay,
    may: [
      relay,
      kernels,
      base,
      core,
      spec,
      models,
      wire,
      ports,
      peer,
      sim,
      // libp2p as it is in every environment; the browser's own transports are beside it.
      '^src/adapters/libp2p/',
      // The CPU engine: nothing in it is a browser's.
      '^workers/(check|cpu|errors|graph|pace|prepare|runnable|stages|turns)\\.ts$',
      // WebGPU and WebAssembly are the same in Node and in a browser, once somebody has a device.
      '^workers/(gpu/device|tensor/(engine|graph-engine))\\.ts$',
      ...library('.+'),
      '^node:',
      '^[a-z_/]+$',
    ],
  },
]

const roomRules = rooms.flatMap(({ name, path, may, mayTypes = [], typesOnly = false }) => {
  const from = { path, pathNot: [...composition, ...tests] }
  const rules = [
    {
      name: `${name}-imports`,
      severity: 'error',
      comment: `What ${name} may import is written in docs/ARCHITECTURE.md, "Who may import whom".`,
      from,
      to: { pathNot: [...may, ...mayTypes] },
    },
  ]
  if (typesOnly || mayTypes.length > 0)
    rules.push({
      name: `${name}-imports-types-only`,
      severity: 'error',
      comment: `${name} takes only types from there.`,
      from,
      to: { path: typesOnly ? may : mayTypes, dependencyTypesNot: ['type-only'] },
    })
  return rules
})

export default {
  forbidden: [
    ...roomRules,
    {
      name: 'no-room',
      severity: 'error',
      comment: 'A new room needs a decision record and a line in the table.',
      from: {
        path: '.',
        pathNot: [
          ...rooms.map((room) => room.path),
          ...composition,
          ...tests,
          ...configs,
          'node_modules/',
        ],
      },
      to: {},
    },
    {
      name: 'no-cycle',
      severity: 'error',
      comment: 'Two files that need each other are one thing, or lack a third.',
      from: {},
      to: { circular: true },
    },
    {
      name: 'node-only-in-relay',
      severity: 'error',
      comment: 'Everything else also runs in a browser.',
      from: { pathNot: [relay, ...tests, ...configs] },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'no-tests-in-product',
      severity: 'error',
      from: { pathNot: [...tests, ...configs] },
      to: { path: tests },
    },
    {
      name: 'no-dev-dependency-in-product',
      severity: 'error',
      comment: 'What runs for users is listed under dependencies.',
      from: { path: ['^src/', kernels, workers, relay], pathNot: tests },
      to: {
        dependencyTypes: ['npm-dev'],
        dependencyTypesNot: ['type-only', 'triple-slash-type-reference'],
      },
    },
    {
      name: 'resolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^dist/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'browser', 'svelte', 'default', 'types'],
      extensions: ['.ts', '.js', '.mjs', '.svelte', '.d.ts'],
    },
    skipAnalysisNotInRules: true,
  },
}
