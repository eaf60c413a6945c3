import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { concat } from '../base/bytes.ts'
import { prng } from '../base/prng.ts'
import { encode } from './codec.ts'
import { FRAME, u32, writeFrame } from './frame.ts'
import { LinkCodec, PENDING_BODIES_MAX, type LinkEvent } from './link.ts'
import type { Head } from './messages.ts'
import { LINK_BYTES_MAX, QUEUE_HEADS_MAX } from './outbox.ts'
import { BODY_BYTES_MAX, CHUNK_BYTES, HEAD_BYTES_MAX, WINDOW_BYTES } from './version.ts'

const beat = (permille: number): Head => ({ k: 'beat', lease: 7, permille })
const tensor = (bytes: number, slot = 0): Head => ({ k: 'tensor', lease: 7, slot, bytes })
const noise = (length: number, seed = 1): Uint8Array<ArrayBuffer> => {
  const random = prng(seed)
  return new Uint8Array(length).map(() => random.u32())
}

const node = (welcome: (head: Head) => number = () => BODY_BYTES_MAX) => {
  const events: LinkEvent[] = []
  const codec = new LinkCodec({ welcome, event: (event) => void events.push(event) })
  return { codec, events }
}

const drain = (codec: LinkCodec): Uint8Array<ArrayBuffer>[] => {
  const frames: Uint8Array<ArrayBuffer>[] = []
  for (let frame = codec.pull(); frame; frame = codec.pull()) frames.push(frame)
  return frames
}

/** Carries bytes both ways until neither side has any left. */
const settle = (a: LinkCodec, b: LinkCodec): void => {
  for (;;) {
    const [there, back] = [drain(a), drain(b)]
    if (there.length + back.length === 0) return
    for (const frame of there) b.receive(frame)
    for (const frame of back) a.receive(frame)
  }
}

const open = writeFrame(FRAME.open, Uint8Array.of(0))
const headFrame = (head: Head) => writeFrame(FRAME.head, encode(head))
const codes = (events: readonly LinkEvent[]): string[] =>
  events.flatMap((event) => (event.kind === 'error' ? [event.error.code] : []))
/** What a stranger's bytes lead to, after a proper opening. */
const refusal = (frames: readonly Uint8Array[], welcome?: (head: Head) => number): string[] => {
  const bob = node(welcome)
  bob.codec.open(false)
  bob.codec.receive(concat([open, ...frames]))
  const after = bob.events.length
  bob.codec.receive(headFrame(beat(1)))
  expect(bob.events.length, 'a refused link says nothing more').toBe(after)
  return codes(bob.events)
}

describe('a link', () => {
  it('carries heads and bodies from alice to bob, whole and in order', () => {
    const [alice, bob] = [node(), node()]
    const body = noise(3_000_000)
    alice.codec.open(false)
    bob.codec.open(false)
    alice.codec.queue(tensor(body.byteLength), body)
    alice.codec.queue(tensor(0, 1), new Uint8Array(0))
    settle(alice.codec, bob.codec)
    expect(bob.events).toEqual([
      { kind: 'opened', goesOn: false },
      { kind: 'message', head: tensor(body.byteLength), body },
      { kind: 'message', head: tensor(0, 1), body: new Uint8Array(0) },
    ])
    expect(alice.codec.queuedBytes).toBe(0)
    expect(bob.codec.pendingBytes).toBe(0)
  })

  it('lets a heartbeat overtake a tensor', () => {
    const [alice, bob] = [node(), node()]
    alice.codec.open(false)
    alice.codec.queue(tensor(1_000_000), noise(1_000_000))
    for (let i = 0; i < 3; i++) bob.codec.receive(alice.codec.pull()!)
    alice.codec.queue(beat(500), null)
    bob.codec.receive(alice.codec.pull()!)
    expect(bob.events.at(-1)).toEqual({ kind: 'message', head: beat(500), body: null })
    for (const frame of drain(alice.codec)) bob.codec.receive(frame)
    expect(bob.events.at(-1)).toMatchObject({ kind: 'message', head: { k: 'tensor' } })
  })

  it('stops a sender at the window until the reader acknowledges', () => {
    const [alice, bob] = [node(), node()]
    alice.codec.open(false)
    alice.codec.queue(tensor(8_000_000), noise(8_000_000))
    const sent = drain(alice.codec).reduce((sum, frame) => sum + frame.byteLength, 0)
    expect(sent).toBeLessThan(WINDOW_BYTES + 1_000)
    expect(sent).toBeGreaterThan(WINDOW_BYTES - CHUNK_BYTES)
    alice.codec.queue(beat(1), null)
    expect(alice.codec.pull(), 'control passes a closed window').not.toBeNull()
    expect(alice.codec.pull()).toBeNull()
    void bob
  })

  it('gives the same events however the bytes are cut', () => {
    const alice = node()
    alice.codec.open(false)
    alice.codec.queue(tensor(300_000), noise(300_000))
    for (let i = 0; i < 20; i++) alice.codec.queue(beat(i), null)
    alice.codec.ping(99)
    alice.codec.queue(tensor(70_000, 1), noise(70_000, 2))
    const bytes = concat(drain(alice.codec))
    const whole = node()
    whole.codec.receive(bytes)
    expect(whole.events.length).toBe(23)
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: bytes.byteLength }), { maxLength: 40 }),
        (cuts) => {
          const bob = node()
          const edges = [0, ...cuts.toSorted((a, b) => a - b), bytes.byteLength]
          edges.forEach((edge, i) => bob.codec.receive(bytes.subarray(edges[i - 1] ?? 0, edge)))
          expect(bob.events).toEqual(whole.events)
        },
      ),
      { numRuns: 60 },
    )
    const single = node()
    for (const byte of bytes) single.codec.receive(Uint8Array.of(byte))
    expect(single.events).toEqual(whole.events)
  })

  it('answers a ping, and a flood of pings once', () => {
    const [alice, bob] = [node(), node()]
    alice.codec.open(false)
    alice.codec.ping(41)
    bob.codec.receive(alice.codec.pull()!)
    for (let i = 0; i < 1_000; i++) bob.codec.receive(writeFrame(FRAME.ping, u32(i)))
    const answers = drain(bob.codec)
    expect(answers.length).toBe(1)
    bob.codec.open(false)
    alice.codec.receive(bob.codec.pull()!)
    alice.codec.receive(answers[0]!)
    expect(alice.events.at(-1)).toEqual({ kind: 'pong', token: 999 })
  })

  it('moves to another stream without losing or reordering anything', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 60 }),
        fc.integer({ min: 0, max: 9 }),
        (pulls, queued) => {
          const [old, fresh, oldEnd, freshEnd] = [node(), node(), node(), node()]
          old.codec.open(false)
          const send = (i: number) =>
            old.codec.queue(
              i % 3 === 0 ? tensor(150_000, i % 8) : beat(i),
              i % 3 === 0 ? noise(150_000, i) : null,
            )
          for (let i = 0; i < queued; i++) send(i)
          for (let i = 0; i < pulls; i++) {
            const frame = old.codec.pull()
            if (frame) oldEnd.codec.receive(frame)
          }
          for (let i = queued; i < 10; i++) send(i)
          fresh.codec.open(true)
          old.codec.moveTo(fresh.codec)
          expect(old.codec.queue(beat(1), null).ok).toBe(false)
          settle(old.codec, oldEnd.codec)
          expect(oldEnd.events.at(-1)).toEqual({ kind: 'ended' })
          settle(fresh.codec, freshEnd.codec)
          const messages = [...oldEnd.events, ...freshEnd.events].filter(
            (event) => event.kind === 'message',
          )
          expect(messages.length).toBe(10)
          const slots = messages.flatMap(({ head }) => (head.k === 'tensor' ? [head.slot] : []))
          expect(slots).toEqual([0, 3, 6, 1])
          const beats = messages.flatMap(({ head }) => (head.k === 'beat' ? [head.permille] : []))
          expect(beats).toEqual([1, 2, 4, 5, 7, 8])
          expect(old.codec.queuedBytes + fresh.codec.queuedBytes).toBe(0)
        },
      ),
      { numRuns: 100 },
    )
  })

  it('bounds what waits to be sent', () => {
    const heads = node()
    for (let i = 0; i < QUEUE_HEADS_MAX; i++) expect(heads.codec.queue(beat(1), null).ok).toBe(true)
    expect(heads.codec.queue(beat(1), null)).toMatchObject({
      ok: false,
      error: { code: 'queue-full' },
    })
    const bodies = node()
    const body = new Uint8Array(BODY_BYTES_MAX - 1_000)
    expect(bodies.codec.queue(tensor(body.byteLength), body).ok).toBe(true)
    expect(bodies.codec.queue(tensor(body.byteLength), body).ok).toBe(true)
    expect(bodies.codec.queue(tensor(4_000), new Uint8Array(4_000))).toMatchObject({ ok: false })
    expect(bodies.codec.queuedBytes).toBeLessThanOrEqual(LINK_BYTES_MAX)
    const title = 'x'.repeat(HEAD_BYTES_MAX)
    expect(heads.codec.queue({ k: 'bye', code: title }, null)).toMatchObject({
      error: { code: 'head-too-large' },
    })
  })
})

describe('a link refuses mallory with a code', () => {
  const pair: readonly (readonly [string, string, readonly Uint8Array[]])[] = [
    ['a length of four bytes', 'bad-varint', [Uint8Array.of(0x80, 0x80, 0x80, 1)]],
    ['a length in a longer form than needed', 'bad-varint', [Uint8Array.of(0x85, 0x00)]],
    ['a frame without a type', 'frame-too-small', [Uint8Array.of(0)]],
    ['a type nobody knows', 'unknown-frame', [Uint8Array.of(1, 9)]],
    [
      'a head over the limit',
      'frame-too-large',
      [writeFrame(FRAME.head, new Uint8Array(HEAD_BYTES_MAX + 1))],
    ],
    [
      'a chunk over the limit',
      'frame-too-large',
      [headFrame(tensor(100_000)), writeFrame(FRAME.chunk, new Uint8Array(CHUNK_BYTES + 1))],
    ],
    [
      'an empty chunk',
      'frame-too-small',
      [headFrame(tensor(1)), writeFrame(FRAME.chunk, new Uint8Array(0))],
    ],
    ['a chunk that no head announced', 'chunk-without-head', [writeFrame(FRAME.chunk, noise(10))]],
    [
      'more bytes than the head said',
      'chunk-beyond-body',
      [headFrame(tensor(9)), writeFrame(FRAME.chunk, noise(10))],
    ],
    ['a body larger than any', 'bad-head', [headFrame(tensor(BODY_BYTES_MAX + 1))]],
    [
      'more bodies at once than we hold',
      'too-many-bodies',
      Array.from({ length: PENDING_BODIES_MAX + 1 }, () => headFrame(tensor(5))),
    ],
    [
      'more bytes announced than we hold',
      'too-many-bytes',
      [0, 1, 2].map((i) => headFrame(tensor(BODY_BYTES_MAX, i))),
    ],
    [
      'an acknowledgement of what was never sent',
      'credit-beyond-sent',
      [writeFrame(FRAME.credit, u32(1))],
    ],
    ['a second opening', 'bad-open', [open]],
    ['a head that is not canonical', 'bad-head', [writeFrame(FRAME.head, noise(40))]],
    [
      'an end inside a body',
      'end-in-body',
      [headFrame(tensor(5)), writeFrame(FRAME.end, new Uint8Array(0))],
    ],
    [
      'a message after the end',
      'after-end',
      [writeFrame(FRAME.end, new Uint8Array(0)), headFrame(beat(1))],
    ],
  ]
  it.each(pair)('who sends %s: %s', (_what, code, frames) => {
    expect(refusal(frames)).toEqual([code])
  })

  it('who sends anything before the opening', () => {
    const bob = node()
    bob.codec.receive(headFrame(beat(1)))
    expect(codes(bob.events)).toEqual(['not-open'])
  })

  it('who sends a body that bob does not want, before a byte of it is kept', () => {
    expect(refusal([headFrame(tensor(1_000))], () => 999)).toEqual(['unwelcome-body'])
    const bob = node(() => 1_000)
    bob.codec.receive(
      concat([open, headFrame(tensor(1_000)), writeFrame(FRAME.chunk, noise(1_000))]),
    )
    expect(codes(bob.events), 'just as much as is welcome').toEqual([])
  })

  it('and survives 200,000 frames of noise', () => {
    const random = prng(20_26)
    const seeds = [
      headFrame(beat(1)),
      headFrame(tensor(100)),
      writeFrame(FRAME.chunk, noise(50)),
      writeFrame(FRAME.credit, u32(3)),
      writeFrame(FRAME.end, new Uint8Array(0)),
      open,
    ]
    const seen = new Map<string, number>()
    let held = 0
    for (let round = 0; round < 200_000; round++) {
      const bob = node()
      bob.codec.open(false)
      bob.codec.receive(open)
      for (let i = 0; i < 3; i++) {
        const bytes = Uint8Array.from(seeds[random.below(seeds.length)]!)
        for (let flips = random.below(4); flips > 0; flips--)
          bytes[random.below(bytes.byteLength)] = random.u32()
        bob.codec.receive(bytes)
      }
      held = Math.max(held, bob.codec.pendingBytes)
      for (const code of codes(bob.events)) seen.set(code, (seen.get(code) ?? 0) + 1)
    }
    expect(held).toBeLessThanOrEqual(LINK_BYTES_MAX)
    // A generator that never reaches a rule proves nothing about it.
    for (const code of [
      'bad-head',
      'unknown-frame',
      'chunk-without-head',
      'after-end',
      'bad-open',
      'credit-beyond-sent',
      'frame-too-small',
    ]) {
      expect(seen.get(code), code).toBeGreaterThan(100)
    }
  }, 120_000)

  it('and is not slowed down by one-byte pieces', () => {
    const frame = writeFrame(FRAME.head, encode({ k: 'failed', lease: 1, code: 'x' }))
    const big = writeFrame(FRAME.head, new Uint8Array(HEAD_BYTES_MAX))
    const bob = node()
    bob.codec.receive(open)
    bob.codec.receive(frame)
    const from = performance.now()
    for (const byte of big) bob.codec.receive(Uint8Array.of(byte))
    expect(performance.now() - from, 'linear in the bytes').toBeLessThan(1_000)
    expect(codes(bob.events)).toEqual(['bad-head'])
  })
})

it('prints what a link carries per second', () => {
  const [alice, bob] = [node(), node()]
  alice.codec.open(false)
  bob.codec.open(false)
  const body = noise(16 * 1024 * 1024)
  const from = performance.now()
  for (let i = 0; i < 8; i++) {
    alice.codec.queue(tensor(body.byteLength), body)
    settle(alice.codec, bob.codec)
  }
  const perSecond = (8 * body.byteLength) / (performance.now() - from) / 1000
  console.info(`link codec: ${Math.round(perSecond)} MB/s through both halves`)
  expect(bob.events.length).toBe(9)
})
