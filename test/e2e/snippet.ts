/** The program of docs/models.md as it stands there, in a page that has joined a swarm. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { root } from '../../relay/local-node.mjs'
import type * as Sdk from '../../src/sdk.ts'

declare const swarm: Sdk.Swarm

/** @param model a GGUF file in base64, which `input` has; what was added to `page` comes back */
export const runSnippet = async (tab: Page, model: string): Promise<string | null> => {
  const docs = readFileSync(join(root, 'docs/models.md'), 'utf8')
  const [, snippet] = /```js\n([^]*?)\n```/.exec(docs) ?? []
  if (snippet === undefined) throw new Error('docs/models.md has no program')
  return tab.evaluate(
    async ([base64, script]) => {
      const bytes = Uint8Array.from(atob(base64!), (letter) => letter.charCodeAt(0))
      const [input, page, held] = [
        document.createElement('input'),
        document.createElement('p'),
        new DataTransfer(),
      ]
      input.type = 'file'
      held.items.add(new File([bytes], 'made.gguf'))
      input.files = held.files
      const Async = (async () => undefined).constructor as FunctionConstructor
      await new Async('swarm', 'input', 'page', script!)(swarm, input, page)
      return page.textContent
    },
    [model, snippet],
  )
}
