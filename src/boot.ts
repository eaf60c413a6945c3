/** Puts a browser node together: key, store, compute, network, peer; then hands it to the interface. */
import { ok, type Result } from './base/result.ts'
import { joinSwarm, type Joined } from './boot/join.ts'
import { services } from './boot/services.ts'
import { oneNode } from './adapters/one-node.ts'
import { flashTitle } from './adapters/flash-title.ts'
import type { PortError } from './ports.ts'
import type { Booted, Host, OtherTab } from './ui/services.ts'

const failed = ({ code, detail }: PortError, retry: () => void): Booted => ({
  kind: 'failed',
  problem: { code, text: detail },
  remedies: [{ label: 'Try again', run: async () => retry() }],
})

/** `?share=80`: what the slider shows before anybody agrees; an operator's own tabs are opened so. */
const presetShare = ({ handle }: Joined): void => {
  const percent = Number(new URLSearchParams(location.search).get('share') ?? Number.NaN)
  if (percent >= 5 && percent <= 100) handle.setLimits({ ...handle.limits(), share: percent / 100 })
}

const asNode = async (
  host: Host,
): Promise<Result<{ joined: Joined; booted: Booted }, PortError>> => {
  const joined = await joinSwarm({ url: location.origin, stage: (text) => host.stage(text) })
  if (!joined.ok) return joined
  presetShare(joined.value)
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
  const start = async (): Promise<Booted> => {
    const result = await asNode(host)
    if (!result.ok) return failed(result.error, reload)
    current = result.value.joined
    return result.value.booted
  }
  const other: OtherTab = {
    show: () => tab.showIt(),
    async moveHere() {
      const moved = await tab.moveHere()
      return moved.ok ? start() : failed(moved.error, reload)
    },
  }
  const role = await tab.claim()
  if (!role.ok) return failed(role.error, reload)
  return role.value === 'node' ? start() : { kind: 'other-tab', tab: other }
}
