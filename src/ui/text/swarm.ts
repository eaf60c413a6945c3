/** The words of the Swarm screen: who is here, how they are linked, how to bring one more. */
import { count, plural } from '../format.ts'

export const swarm = {
  title: (name: string | null): string => (name === null ? 'Swarm' : `Swarm: ${name}`),
  gpus: 'GPUs lent',
  sum: 'They add up to',
  others: 'Not counted as GPUs',
  rest: (software: number, cpus: number): string =>
    `${count(software)} software, ${count(cpus)} ${cpus === 1 ? 'processor' : 'processors'}`,
  linked: 'Linked to you',
  links: (direct: number, relayed: number): string =>
    `${count(direct)} direct, ${count(relayed)} relayed`,
  relay: 'Relay',
  relays: {
    reachable: 'reachable',
    connecting: 'looking for it',
    'no-relay': 'not reachable',
    'no-webrtc': 'reachable',
    offline: 'not reachable',
  },

  map: {
    title: 'Links',
    others: (n: number): string => plural(n, 'other node', 'other nodes'),
    label: (n: number): string =>
      `You in the middle, ${plural(n, 'node', 'nodes')} around you. The table below lists them.`,
    you: 'you',
    near: 'Near nodes (by round trip) are drawn near.',
    alone: 'Nobody else is here. Open this page on a second device, or in another browser.',
    left: (n: number): string => `${count(n)} more are in the table only.`,
    direct: 'direct',
    relayed: 'relayed',
    gpu: 'GPU',
    software: 'software adapter',
    cpu: 'processor only',
    busy: 'busy',
    paused: 'paused',
    notLending: 'not lending',
    accepted: (n: number): string => `${count(n)} good results for you`,
  },

  table: {
    title: 'Nodes',
    label: 'Nodes, a table',
    filter: 'Filter',
    filterLabel: 'Filter nodes',
    heads: {
      name: 'Name',
      adapter: 'Adapter',
      link: 'Link',
      rtt: 'Round trip',
      class: 'Class',
      load: 'Load',
      trust: 'Trust',
    },
    results: 'Results',
    you: '(you)',
    here: 'here',
    unmeasured: 'not measured',
    good: (n: number): string => `${count(n)} good`,
    wrong: (n: number): string => `${count(n)} wrong`,
    none: 'No node fits this filter.',
    more: (n: number): string => `Show ${count(n)} more`,
  },

  invite: {
    title: 'Bring another device',
    code: 'QR code of this page’s address',
    local:
      'This address works on this machine only. Start the relay with an address that others can reach.',
    open: 'Open it on a phone or send it to a friend. Nothing runs there before its own Start.',
    copy: 'Copy address',
    copied: 'Copied',
  },
} as const
