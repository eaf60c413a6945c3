/** The page begins: paint first, then load all that makes a node. */
import { mount } from 'svelte'
import { trustOwnScripts } from './boot/trusted-types.ts'
import App from './ui/App.svelte'
import { browserShell } from './ui/shell.ts'
import { Swarm } from './ui/swarm.svelte.ts'

/** After the paint, not merely after the mount: a frame for the layout, a task for the rest. */
const painted = (): Promise<void> =>
  new Promise((then) => {
    // A page that opens hidden gets no frames.
    if (document.visibilityState === 'hidden') setTimeout(then, 0)
    else requestAnimationFrame(() => setTimeout(then, 0))
  })

trustOwnScripts(document.baseURI)
const swarm = new Swarm(browserShell())
const target = document.querySelector('#app')
if (target) {
  target.replaceChildren()
  mount(App, { target, props: { swarm } })
}

await painted()
void swarm.load(async (host) => {
  const { boot } = await import('./boot.ts')
  return boot(host)
})
