/** `swarm bench ledger`: half-blocks written, judged, verified and kept. */
import { closeSync, fsyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { assert } from '../../src/base/assert.ts'
import { ok, type Result } from '../../src/base/result.ts'
import { microCredits } from '../../src/base/units.ts'
import { debit, openBlock } from '../../src/core/ledger/append.ts'
import type { Block, Tip } from '../../src/core/ledger/block.ts'
import { foundSwarm, type Swarm } from '../../src/core/ledger/genesis.ts'
import { validateNext } from '../../src/core/ledger/rules.ts'
import { cidOf, encode } from '../../src/wire/codec.ts'
import type { SignedBlock } from '../../src/wire/signed.ts'
import { openFileStore } from '../file-store.ts'
import { passingAccount, type NodeAccount } from '../node-signer.ts'
import { inTurn, perSecond, row, type Row } from './bench-rows.ts'

const BLOCKS = 500
const RUNS = 7
const WRITES = 100
const HOUR = 490_000

export const benchLedger = async (): Promise<Result<Row[], never>> => {
  const alice = passingAccount()
  const bob = passingAccount()
  const supply = microCredits(1_000_000_000)
  const founded = foundSwarm(
    {
      v: 1,
      kind: 'genesis',
      name: 'bench',
      supply,
      allocations: [{ account: alice.account, amount: supply }],
      hour: HOUR,
    },
    cidOf,
  )
  assert(founded.ok, 'the swarm of a benchmark can be founded')
  const swarm = founded.value
  const chain = await signedChain(swarm, alice, bob)
  const verified = await inTurn(RUNS, {
    ours: () => perSecond(BLOCKS, () => verifyChain(chain, swarm, alice)),
    bare: () => perSecond(BLOCKS, async () => void (await signaturesOf(chain, alice))),
  })
  const appended = await inTurn(RUNS, {
    ours: () => perSecond(BLOCKS, () => void unsignedChain(swarm, alice, bob)),
  })
  const folder = mkdtempSync(join(tmpdir(), 'swarm-bench-'))
  try {
    const kept = await benchStore(folder, chain)
    return ok([
      row('half-blocks verified', 'blocks/s', verified.ours, {
        'signatures alone, node:crypto': verified.bare,
      }),
      row('half-blocks written, unsigned', 'blocks/s', appended.ours),
      row('half-blocks on disk, one after the other', 'blocks/s', kept.ours, {
        'bare write and fsync': kept.bare,
      }),
      row('half-blocks on disk, together', 'blocks/s', kept.together),
    ])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const tipOf = (block: Block): Tip => ({ cid: cidOf(block), block })

/** Payments of one micro-credit, each with its name. */
const unsignedChain = (swarm: Swarm, alice: NodeAccount, bob: NodeAccount): Tip[] => {
  const tips = [tipOf(openBlock(swarm, alice.account, HOUR))]
  while (tips.length <= BLOCKS) {
    const next = debit(tips.at(-1)!, bob.account, microCredits(1), swarm.cid, HOUR)
    assert(next.ok, 'alice has enough')
    tips.push(tipOf(next.value))
  }
  return tips
}

const signedChain = async (
  swarm: Swarm,
  alice: NodeAccount,
  bob: NodeAccount,
): Promise<SignedBlock[]> =>
  Promise.all(
    unsignedChain(swarm, alice, bob).map(async ({ block }) => ({
      body: block,
      sig: await alice.signer.sign(block),
    })),
  )

const signaturesOf = (
  chain: readonly SignedBlock[],
  { signer, account }: NodeAccount,
): Promise<boolean[]> =>
  Promise.all(chain.map(({ body, sig }) => signer.verify(account, body, sig)))

const verifyChain = async (
  chain: readonly SignedBlock[],
  swarm: Swarm,
  alice: NodeAccount,
): Promise<void> => {
  const genuine = await signaturesOf(chain, alice)
  let tip: Tip | null = null
  for (const [i, { body }] of chain.entries()) {
    const next = validateNext(tip, body, null, swarm, cidOf)
    assert(genuine[i] === true && next.ok, 'a chain of ours holds')
    tip = next.value
  }
}

/** Strict writes: each is on the disk before the next begins, and then all at once. */
const benchStore = async (
  folder: string,
  chain: readonly SignedBlock[],
): Promise<Record<'ours' | 'bare' | 'together', number[]>> => {
  const opened = await openFileStore(join(folder, 'books'))
  assert(opened.ok, 'a fresh folder can be opened')
  const { store, closed } = opened.value
  const bare = openSync(join(folder, 'bare'), 'a')
  let at = 0
  const write = async (value: SignedBlock): Promise<void> => {
    const written = await store.write(
      [{ table: 'blocks', key: String(at++).padStart(9, '0'), value }],
      'strict',
    )
    assert(written.ok, 'the disk takes what it is given')
  }
  const some = chain.slice(0, WRITES)
  const figures = await inTurn(RUNS, {
    ours: () =>
      perSecond(WRITES, async () => {
        for (const value of some) await write(value)
      }),
    bare: () =>
      perSecond(WRITES, () => {
        for (const { body, sig } of some) {
          writeSync(bare, encode({ body, sig }))
          fsyncSync(bare)
        }
      }),
    together: () => perSecond(WRITES, async () => void (await Promise.all(some.map(write)))),
  })
  closeSync(bare)
  store.close()
  await closed
  return figures
}
