/** What no page may do in a test: throw, complain, break the content policy, or ask another machine. */
import type { BrowserContext, Page } from '@playwright/test'

const HOME = '127.0.0.1'

export const watchFaults = (context: BrowserContext, tell: (text: string) => void): void => {
  const far = (address: string, what: string): void => {
    const { protocol, hostname } = new URL(address)
    if (/^(https?|wss?):$/.test(protocol) && hostname !== HOME) tell(`${what} to ${address}`)
  }
  const watch = (page: Page): void => {
    page.on('pageerror', (error) => tell(`error: ${error.stack ?? error.message}`))
    page.on('websocket', (socket) => far(socket.url(), 'socket'))
    page.on('crash', () => tell('a page crashed'))
  }
  context.on('console', (message) => {
    if (message.type() === 'error') tell(`console: ${message.text()} (${message.location().url})`)
  })
  context.on('weberror', (error) => tell(`error: ${error.error().message}`))
  context.on('request', (request) => far(request.url(), 'request'))
  context.pages().forEach(watch)
  context.on('page', watch)
}
