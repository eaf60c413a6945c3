#!/usr/bin/env node
// `swarm`, as the package gives it to other people's machines: `npx swarmharness run SPEC.md`. Runs on
// Node 20, finds a Node and, for commands that bring browsers, a Chromium, and hands over.
import { existsSync, readFileSync } from 'node:fs'
import { join, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root, runsTypeScript } from './local-node.mjs'
import { ensureChromium, ensureNode, handOver, npm, refuseOldNode, say } from './provide.mjs'

/** The Node that our tests run on, where npm keeps what it runs for others. */
const borrowedNode = async () => {
  if (runsTypeScript(process.version)) return process.execPath
  const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  say(
    `Node ${process.versions.node} is too old for the program: Node 24 is taken instead, fetched once`,
  )
  const asked = ['exec', '--yes', `--package=node@${devDependencies.node}`, '--']
  const { ok, output } = await npm([...asked, 'node', '-p', 'process.execPath'])
  // npm may have said something of its own around it.
  return ok ? (output.split('\n').find((line) => existsSync(line.trim())) ?? null) : null
}

/** @param {string[]} args */
const bringsBrowsers = ([command, ...rest]) => {
  if (rest.includes('--help') || rest.includes('-h')) return false
  const asksOthers = rest.some((word) => word === '--relay' || word.startsWith('--relay='))
  return ['up', 'node'].includes(command ?? '') || (command === 'run' && !asksOthers)
}

refuseOldNode()
const args = process.argv.slice(2)
const node = await ensureNode(borrowedNode)
const chromium = bringsBrowsers(args) ? await ensureChromium(node) : null
const hook = pathToFileURL(join(root, 'relay/strip-types.mjs')).href
const flags = root.split(sep).includes('node_modules')
  ? ['--import', hook, '--disable-warning=ExperimentalWarning']
  : []
handOver(node, [...flags, join(root, 'relay/cli.ts'), ...args], { cwd: process.cwd(), chromium })
