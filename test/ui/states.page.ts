/** A page that shows any one state: `?state=donate-working&theme=dark`. Without a name, the list of them. */
import { mount } from 'svelte'
import App from '../../src/ui/App.svelte'
import type { Booted } from '../../src/ui/services.ts'
import { Swarm } from '../../src/ui/swarm.svelte.ts'
import { states } from './states.ts'
import { stillNode, stillServices, stillShell } from './stand-ins.ts'

const asked = new URLSearchParams(location.search)
const state = states[asked.get('state') ?? '']
const theme = asked.get('theme')
const target = document.querySelector('#app')!

if (theme) document.documentElement.dataset['theme'] = theme
if (state) {
  location.hash = state.at
  const swarm = new Swarm(stillShell(state.shell ?? {}))
  mount(App, { target, props: { swarm } })
  const { boot, view } = state
  await swarm.load(async (host): Promise<Booted> => {
    if (boot === 'never') {
      host.stage('reading what is stored')
      return new Promise(() => undefined)
    }
    if (boot === 'other-tab') {
      return {
        kind: 'other-tab',
        tab: { show: () => undefined, moveHere: () => new Promise(() => undefined) },
      }
    }
    if (boot) return { kind: 'failed', problem: boot, remedies: boot.remedies }
    return { kind: 'node', node: stillNode(view!), services: stillServices(state.twist ?? {}) }
  })
  if (state.twist?.model) swarm.takeModel([new File([], 'tiny-stories.gguf')])
} else {
  for (const name of Object.keys(states)) {
    const link = document.createElement('a')
    link.href = `?state=${name}`
    link.textContent = name
    target.append(link, document.createElement('br'))
  }
}
