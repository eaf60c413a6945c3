/** Puts a browser node together: key, store, compute, network, peer; then hands it to the interface. */
import { ok, type Result } from './base/result.ts'
import { asOperated } from './boot/operated.ts'
import { joinSwarm, type JoinError, type Joined } from './boot/join.ts'
import { remediesFor } from './boot/remedies.ts'
import { services } from './boot/services.ts'
import { oneNode } from './adapters/one-node.ts'
import { flashTitle } from './adapters/flash-title.ts'
import type { Booted, Host, OtherTab } from './ui/services.ts'

/** `?share=80`: what the slider shows before anybody agrees; an operator's own tabs are opened so. */
const presetShare = ({ handle }: Joined): void => {
  const percent = Number(new URLSearchParams(location.search).get('share') ?? Number.NaN)
  if (percent >= 5 && percent <= 100) handle.setLimits({ ...handle.limits(), share: percent / 100 })
}

const asNode = async (
  { relayedOnly, stage, trouble }: Host,
  storage: 'browser' | 'memory',
): Promise<Result<{ joined: Joined; booted: Booted }, JoinError>> => {
  const joined = await joinSwarm({
    url: location.origin,
    storage,
    relayedOnly,
    stage,
    trouble: ({ code, detail }) => trouble({ code, text: detail }),
  })
  if (!joined.ok) return joined
  presetShare(joined.value)
  asOperated(joined.value.handle)
  const { handle } = joined.value
  return ok({
    joined: joined.value,
    booted: { kind: 'node', node: handle, services: services(joined.value) },
  })
}

export const boot = async (host: Host): Promise<Booted> => {
  const reload = (): void => location.reload()
  let current: Joined | null = null
  const tab = oneNode({
    async finish() {
      current?.handle.finish()
    },
    lost() {
      void current?.handle.close()
      current = null
      host.moved(other)
    },
    vacant: reload,
    show: () => flashTitle('This tab is the node'),
  })
  const failed = (error: JoinError): Booted => ({
    kind: 'failed',
    problem: { code: error.code, text: error.detail },
    remedies: remediesFor(error, { reload, save: host.save, inMemory: () => start('memory') }),
  })
  const start = async (storage: 'browser' | 'memory'): Promise<Booted> => {
    const result = await asNode(host, storage)
    if (!result.ok) return failed(result.error)
    current = result.value.joined
    if (storage === 'memory') host.trouble(IN_MEMORY)
    return result.value.booted
  }
  const other: OtherTab = {
    show: () => tab.showIt(),
    async moveHere() {
      const moved = await tab.moveHere()
      return moved.ok ? start('browser') : failed(moved.error)
    },
  }
  const role = await tab.claim()
  if (!role.ok) return failed(role.error)
  return role.value === 'node' ? start('browser') : { kind: 'other-tab', tab: other }
}

const IN_MEMORY = {
  code: 'in-memory',
  text: 'This is a new account for this visit. Nothing is stored: what it earns is lost when the tab closes.',
}
