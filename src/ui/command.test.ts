import { expect, it } from 'vitest'
import { SPECS } from '../../test/ui/stand-ins.ts'
import { commandFor } from './command.ts'

const spec = SPECS[0]!

it('writes down only what was changed', () => {
  const values = Object.fromEntries(spec.fields.map((field) => [field.key, field.value]))
  expect(commandFor(spec, { values, slots: {}, free: false })).toBe('swarm run mandelbrot.swarm.md')
  expect(commandFor(spec, { values: { ...values, zoom: '9' }, slots: {}, free: true })).toBe(
    'swarm run mandelbrot.swarm.md --set zoom=9 --set budget=free',
  )
})

it('keeps a shell from reading what a person typed', () => {
  const slots = {
    photo: { kind: 'file', name: "it's $(me).png", bytes: new Uint8Array(0) },
  } as const
  expect(commandFor(spec, { values: { palette: 'a; rm b' }, slots, free: false })).toBe(
    `swarm run mandelbrot.swarm.md --set 'palette=a; rm b' --input 'photo=it'\\''s $(me).png'`,
  )
})
