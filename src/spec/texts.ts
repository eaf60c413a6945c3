/** Readers of the parameters that programs take as text. */
import { textual, type Reader } from './field.ts'
import { plainDecimal, readDecimal } from './quantity.ts'

export const decimal = (digits: number, min: number, max: number, what: string): Reader<number> =>
  textual(what, (text) => {
    const value = readDecimal(text, digits)
    return value !== null && value >= min && value <= max ? value : null
  })

export const coordinate = textual('a decimal from -2 to 2, such as -0.7436', (text) => {
  const plain = plainDecimal(text)
  return plain !== null && Math.abs(Number(plain)) <= 2 ? plain : null
})

export const magnification = textual('a decimal above 0, such as 250 or 1e9', (text) => {
  const plain = plainDecimal(text)
  return plain !== null && !plain.startsWith('-') && plain !== '0' ? plain : null
})

export const constant = textual('a constant such as "gain: f32 = 1.5"', (text) =>
  text.length <= 80 && /^[^\n:=]+:[^\n:=]+=[^\n:=]+$/.test(text) ? text.trim() : null,
)

export const valueName = textual('the name of a value', (text) =>
  text.length >= 1 && text.length <= 256 ? text : null,
)
