/** A model that is brought, asked, spread, moved and refused, each as one state of the interface. */
import type { SessionView } from '../../src/peer/models/session-view.ts'
import type { OpenModel } from '../../src/ui/model-services.ts'
import { jobView, view, working } from './fixtures.ts'
import { asked, COME, done, long, moved, short, spent, spread } from './sessions.ts'
import { keptText } from './stand-ins.ts'
import type { State } from './state.ts'

const texts = [
  keptText({ ids: COME.slice(0, 23).map((_, i) => i), text: COME.slice(0, 23).join('') }),
  keptText({
    id: '1795132700000 two',
    model: { name: 'A model with a name that nobody has cut short, instruct', root: 'cd' },
    wish: { ...keptText().wish, prompt: 'A long walk began', tokens: 48 },
    ids: COME.map((_, i) => i),
    text: COME.join(''),
    over: true,
  }),
]

const GO_ON = 'Go on with the text'
const talk = (
  session: SessionView,
  pieces: readonly string[],
  ended?: SessionView['problem'],
  model: Partial<OpenModel> = {},
): State => ({
  at: '#/chat',
  view: view({ donate: working(), sessions: [session] }),
  twist: {
    model,
    text: { session: session.id, pieces, ...(ended === undefined ? {} : { ended }) },
  },
  press: [GO_ON],
})

export const chatStates: Readonly<Record<string, State>> = {
  chat: { at: '#/chat', view: view() },
  'chat-opening': { at: '#/chat', view: view(), twist: { model: 'opening' } },
  'chat-model': { at: '#/chat', view: view(), twist: { model: {} } },
  'chat-own-manner': { at: '#/chat', view: view(), twist: { model: {} }, press: ['own'] },
  'chat-wrong-tokenizer': { at: '#/chat', view: view(), twist: { model: 'wrong-tokenizer' } },
  'chat-license': {
    at: '#/chat',
    view: view(),
    twist: {
      model: {
        license: 'Our own, internal use',
        doubt:
          'The model\'s license ("Our own, internal use") is for internal use. Nodes that compute for you would get its weights, and may keep them and pass them on.',
      },
    },
    press: [GO_ON],
  },
  'chat-naming': { at: '#/chat', view: view(), twist: { model: {} }, press: [GO_ON] },
  'chat-typed': { ...talk(asked, COME.slice(0, 6)), press: [] },
  'chat-doubt': {
    ...talk(asked, COME.slice(0, 6), undefined, { doubt: 'its files do not say so' }),
    press: [],
  },
  'chat-loading': talk(spread, []),
  'chat-streaming': talk(asked, COME.slice(0, 23)),
  'chat-done': talk(done, COME, null),
  'chat-recovered': talk(moved, COME.slice(0, 31)),
  'chat-no-room': talk(short, [], short.problem),
  'chat-spent': talk(spent, COME.slice(0, 23), spent.problem),
  'chat-kept': { at: '#/chat', view: view(), twist: { texts } },
  'chat-kept-sure': { at: '#/chat', view: view(), twist: { texts }, press: ['Delete all texts'] },
  'chat-kept-open': {
    at: '#/chat',
    view: view(),
    twist: { texts },
    press: ['Open'],
  },
  'wallet-text': {
    at: '#/wallet',
    view: view({ jobs: [] }),
    twist: { texts: [keptText({ jobs: [jobView().id] })] },
  },
  'chat-many-layers': talk(long, COME.slice(0, 9), undefined, {
    name: 'A model with a name that nobody has cut short, instruct, distilled, third of March',
    layers: 80,
    bytes: 42_520_000_000,
    context: 131_072,
    license: 'apache-2.0',
  }),
}
