/** `swarm verify`, on receipts with real keys: what is right agrees, and nothing else does. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { TensorData } from '../kernels/kernel.ts'
import { verifyText, type Verified } from '../relay/commands/verify.ts'
import { microCredits } from '../src/base/units.ts'
import { writeNpy } from '../src/spec/npy.ts'
import { paidReceipt, type Wishes } from './paid-receipt.ts'

const SMALL: Wishes = { template: 'mandelbrot', sets: ['width=48', 'height=32', 'iterations=60'] }
const MATMUL: Wishes = { template: 'matmul', sets: ['m=40', 'k=48', 'n=24'] }

/** As a device does that adds in another order: the last bit of every third number. */
const lastBits = (right: TensorData): void => {
  const bits = new Uint32Array(right.buffer)
  for (let i = 0; i < bits.length; i += 3) bits[i]! ^= 1
}

const folder = mkdtempSync(join(tmpdir(), 'swarm-verify-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let folders = 0
const newFolder = (): string => join(folder, String(folders++))

const look = async (file: string, dirs = [dirname(dirname(file))]): Promise<Verified> => {
  const verified = await verifyText(readFileSync(file, 'utf8'), dirs)
  if (!verified.ok) throw new Error(verified.error.detail)
  return verified.value[0]!
}
const wrong = ({ findings }: Verified): string[] =>
  findings.filter(({ holds }) => holds === false).map(({ what }) => what)
const open = ({ findings }: Verified): string[] =>
  findings.filter(({ holds }) => holds === null).map(({ what }) => what)

describe('a receipt that is right', () => {
  it('agrees in everything, and its task gives the same bits again', async () => {
    const { file } = await paidReceipt(newFolder(), SMALL)
    const verified = await look(file)
    expect(verified.agrees).toBe(true)
    expect(verified.findings.map(({ what, holds }) => [what, holds])).toEqual(
      [
        'name',
        'requester’s signature',
        'worker’s signature',
        'debit',
        'debit’s signature',
        'credit',
        'credit’s signature',
        'task',
        'metering',
        'price',
        'check',
        'spec',
        'what it read',
        'output file',
        'result',
      ].map((what) => [what, true]),
    )
  })

  it('agrees where a device rounds its own way, by the rule of its kernel', async () => {
    const { file } = await paidReceipt(newFolder(), { ...MATMUL, device: lastBits })
    const verified = await look(file)
    expect(wrong(verified)).toEqual([])
    expect(verified.findings.find(({ what }) => what === 'result')?.detail).toContain(
      'right by freivalds',
    )
    expect(verified.findings.find(({ what }) => what === 'input a')?.detail).toContain('seed')
  })

  it('agrees for the second stage of a sum, whose inputs are results of others', async () => {
    const { file } = await paidReceipt(newFolder(), {
      template: 'sum',
      sets: ['length=20000'],
      index: 1,
    })
    expect(wrong(await look(file))).toEqual([])
  })

  it('is looked at without its job and its money when it comes alone', async () => {
    const { file } = await paidReceipt(newFolder(), SMALL)
    const { cid, body, requesterSig, workerSig } = JSON.parse(readFileSync(file, 'utf8')) as Record<
      string,
      unknown
    >
    const line = JSON.stringify({ cid, body, requesterSig, workerSig })
    const verified = await verifyText(`${line}\n${line}\n`, [])
    if (!verified.ok) throw new Error(verified.error.detail)
    expect(verified.value).toHaveLength(2)
    expect(verified.value.map(({ agrees }) => agrees)).toEqual([true, true])
    expect(open(verified.value[0]!)).toEqual(['payment', 'task'])
  })

  it('says that it only recomputed where there is no output to compare with', async () => {
    const { file } = await paidReceipt(newFolder(), { ...MATMUL, device: lastBits })
    expect(open(await look(file, []))).toEqual(['result'])
  })
})

describe('a receipt that is not right', () => {
  it.each<[string, Wishes, string[]]>([
    [
      'mallory signs for work that was done wrong',
      { ...SMALL, device: (right) => void (right[7]! += 1) },
      ['result'],
    ],
    [
      'mallory signs for a wrong product',
      { ...MATMUL, device: (right) => void (right[7]! += 1) },
      ['result'],
    ],
    [
      'more operations than the formula gives',
      { ...SMALL, change: (r) => ({ ...r, flop: r.flop + 1 }) },
      ['metering'],
    ],
    [
      'another kernel than the task’s',
      { ...SMALL, change: (r) => ({ ...r, kernel: 'matmul@1' }) },
      ['task'],
    ],
    [
      'a check that its kernel does not have',
      { ...SMALL, change: (r) => ({ ...r, check: 'freivalds' }) },
      ['check'],
    ],
    [
      'a task of another job',
      { ...SMALL, change: (r) => ({ ...r, task: r.job as never }) },
      ['task'],
    ],
    [
      'inputs it did not read',
      { ...MATMUL, change: (r) => ({ ...r, inputs: [r.inputs[1]!, r.inputs[0]!] }) },
      ['what it read'],
    ],
    ['a cheque over less', { ...SMALL, cheque: microCredits(1) }, ['debit']],
  ])('does not agree: %s', async (_, wishes, expected) => {
    const { file } = await paidReceipt(newFolder(), wishes)
    const verified = await look(file)
    expect(verified.agrees).toBe(false)
    expect(wrong(verified)).toEqual(expected)
  })

  it('does not agree with an output file that somebody touched', async () => {
    const { file } = await paidReceipt(newFolder(), MATMUL)
    const output = join(dirname(dirname(file)), 'c.npy')
    const bytes = readFileSync(output)
    bytes[bytes.length - 1]! ^= 1
    writeFileSync(output, bytes)
    expect(wrong(await look(file))).toEqual(['output file'])
  })

  it('does not agree with a half-block that is not what its name says', async () => {
    const { file } = await paidReceipt(newFolder(), SMALL)
    const bundle = JSON.parse(readFileSync(file, 'utf8')) as { credit: { body: { seq: number } } }
    bundle.credit.body.seq += 1
    const verified = await verifyText(JSON.stringify(bundle), [])
    expect(verified.ok && wrong(verified.value[0]!)).toEqual(['credit'])
  })

  const SEEDED: Wishes = {
    template: 'sum',
    sets: ['length=20000', 'inputs.x={ kind: random, seed: 9 }'],
  }

  it('does not agree when the folder that alice names holds another input', async () => {
    const { file } = await paidReceipt(newFolder(), SEEDED)
    const inputs = newFolder()
    mkdirSync(inputs)
    const data = new Float32Array(20_000).fill(0.5)
    writeFileSync(join(inputs, 'x.npy'), writeNpy({ dtype: 'f32', shape: [20_000], data }))
    const verified = await verifyText(readFileSync(file, 'utf8'), [inputs], inputs)
    if (!verified.ok) throw new Error(verified.error.detail)
    expect(wrong(verified.value[0]!)).toEqual(['input x'])
    // Without a word of alice nobody knows where to look.
    expect(open(await look(file, [inputs]))).toEqual(['input x', 're-execution'])
  })

  it('makes seeded inputs again from the spec beside the outputs, unless somebody touched it', async () => {
    const { file } = await paidReceipt(newFolder(), SEEDED)
    const folder = dirname(dirname(file))
    const before = await look(file)
    expect([wrong(before), open(before)]).toEqual([[], []])
    const spec = readdirSync(folder).find((name) => name.endsWith('.swarm.md'))!
    const text = readFileSync(join(folder, spec), 'utf8')
    expect(text).toContain('seed: 9')
    writeFileSync(join(folder, spec), text.replace('seed: 9', 'seed: 8'))
    expect(wrong(await look(file))).toEqual(['spec'])
  })

  it('wants the payment that goes with a job', async () => {
    const { file } = await paidReceipt(newFolder(), SMALL)
    const {
      debit: _,
      credit: __,
      ...rest
    } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
    const verified = await verifyText(JSON.stringify(rest), [])
    expect(verified.ok && wrong(verified.value[0]!)).toEqual(['debit'])
  })
})

describe('a receipt file of which mallory changes one byte', () => {
  let text = ''
  beforeAll(async () => {
    text = readFileSync((await paidReceipt(newFolder(), SMALL)).file, 'utf8')
  })

  it('never passes, at every third byte of it', { timeout: 240_000 }, async () => {
    const bytes = new TextEncoder().encode(text)
    const passed: string[] = []
    let same = 0
    for (let at = 0; at < bytes.length; at += 3) {
      const changed = bytes.slice()
      // Neighbouring characters and the other case: what stays readable is the danger.
      changed[at]! ^= [1, 2, 32][(at / 3) % 3]!
      const other = new TextDecoder().decode(changed)
      const verified = await verifyText(other, [])
      if (!verified.ok || !verified.value[0]!.agrees) continue
      // Blanks between words mean nothing.
      if (JSON.stringify(tryJson(other)) === JSON.stringify(JSON.parse(text))) same += 1
      else passed.push(`${at}: ${other.slice(at - 20, at + 20)}`)
    }
    expect(passed).toEqual([])
    expect(same).toBeLessThan(bytes.length / 60)
  })
})

const tryJson = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return null
  }
}
