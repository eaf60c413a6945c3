/** Fields of JSON that a stranger wrote: the value where it is of the kind, else what stands for its absence. */

export type Json = Readonly<Record<string, unknown>>

export const isJson = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** An object's own field, whatever its prototype has. */
export const fieldOf = (json: Json, name: string): unknown =>
  Object.hasOwn(json, name) ? json[name] : undefined

export const numberField = (json: Json, name: string): number | null => {
  const value = fieldOf(json, name)
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}

export const textField = (json: Json, name: string): string | null => {
  const value = fieldOf(json, name)
  return typeof value === 'string' ? value : null
}

export const flagField = (json: Json, name: string): boolean | null => {
  const value = fieldOf(json, name)
  return typeof value === 'boolean' ? value : null
}

export const jsonField = (json: Json, name: string): Json | null => {
  const value = fieldOf(json, name)
  return isJson(value) ? value : null
}

export const listField = (json: Json, name: string): readonly unknown[] | null => {
  const value = fieldOf(json, name)
  return Array.isArray(value) ? (value as unknown[]) : null
}
