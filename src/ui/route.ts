/** Where one is: the part of the address after `#`. Static hosting anywhere needs no more. */

export const PLACES = ['donate', 'jobs', 'new', 'chat', 'swarm', 'wallet', 'settings'] as const
export type Place = (typeof PLACES)[number]

export type Route =
  | { readonly place: 'donate' | 'new' | 'chat' | 'swarm' | 'settings' }
  | { readonly place: 'jobs'; readonly job: string | null; readonly unit: number | null }
  | { readonly place: 'wallet'; readonly receipt: string | null }

/** Reads what may stand in an address that somebody else wrote; anything odd leads home. */
export const readRoute = (hash: string): Route => {
  const [, place = '', first = '', second = ''] = hash.split('/')
  const name = /^[A-Za-z0-9]{1,80}$/.test(first) ? first : null
  switch (place) {
    case 'jobs': {
      const unit = /^\d{1,6}$/.test(second) ? Number(second) : null
      return { place, job: name, unit: name === null ? null : unit }
    }
    case 'wallet':
      return { place, receipt: name }
    case 'new':
    case 'chat':
    case 'swarm':
    case 'settings':
      return { place }
    default:
      return { place: 'donate' }
  }
}

export const writeRoute = (route: Route): string => {
  switch (route.place) {
    case 'jobs': {
      const job = route.job === null ? '' : `/${route.job}`
      return `#/jobs${job}${job !== '' && route.unit !== null ? `/${route.unit}` : ''}`
    }
    case 'wallet':
      return route.receipt === null ? '#/wallet' : `#/wallet/${route.receipt}`
    case 'donate':
    case 'new':
    case 'chat':
    case 'swarm':
    case 'settings':
      return `#/${route.place}`
  }
}

/** What a place is called, everywhere. */
export const PLACE_NAMES: Record<Place, string> = {
  donate: 'Donate',
  jobs: 'Jobs',
  new: 'Playground',
  chat: 'Chat',
  swarm: 'Swarm',
  wallet: 'Wallet',
  settings: 'Settings',
}
