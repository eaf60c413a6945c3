/** Whatever text mallory gets into the page, none of it becomes script or markup. */
import { expect, test } from './rig.ts'
import { lend, loaded } from './steps.ts'

test('mallory’s text is refused wherever a browser would run it, and the page’s own workers are not', async ({
  rig,
}) => {
  const alice = await rig.tab(await rig.person())
  await loaded(alice)
  rig.tolerate(
    /requires 'Trusted(HTML|ScriptURL|Script)' assignment|Content Security policy directive/,
  )
  const tries = await alice.evaluate(() => {
    const attempt = (work: () => unknown): string => {
      try {
        work()
        return 'done'
      } catch (cause) {
        return cause instanceof Error ? cause.name : 'refused'
      }
    }
    const script = 'globalThis.mallory = 1'
    const address = URL.createObjectURL(new Blob([script], { type: 'text/javascript' }))
    return {
      markup: attempt(() => (document.createElement('p').innerHTML = `<b onclick="${script}">`)),
      worker: attempt(() => new Worker(address)),
      elsewhere: attempt(() => new Worker('https://mallory.example/assets/a.js')),
      data: attempt(() => new Worker(`data:text/javascript,${script}`)),
      element: attempt(() => (document.createElement('script').text = script)),
      source: attempt(() => (document.createElement('script').src = address)),
      policy: attempt(() =>
        (
          globalThis as unknown as {
            trustedTypes: { createPolicy(name: string, rules: object): unknown }
          }
        ).trustedTypes.createPolicy('mallory', { createHTML: (text: string) => text }),
      ),
    }
  })
  expect(new Set(Object.values(tries)), JSON.stringify(tries)).toEqual(new Set(['TypeError']))
  // The clock and the engine are workers, too, and theirs are let through.
  await lend(alice)
})
