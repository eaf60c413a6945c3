/**
 * The registry's two requests (`/swarm/registry/1.0.0`): the DHT says which servers are nearest to a
 * capability's key, and those keep signed adverts for as long as the adverts live. One request and one
 * answer per stream.
 */
import * as v from 'valibot'
import { err, ok, type Result } from '../base/result.ts'
import { decode, type WireError } from './codec.ts'
import { SignedAdvert, Whole } from './signed.ts'
import { HEAD_BYTES_MAX } from './version.ts'

/** `any`, `gpu`, `wgsl`, or one kernel's id. */
const Capability = v.pipe(v.string(), v.regex(/^[a-z0-9@.-]{1,40}$/))

export const RegistryRequest = v.variant('k', [
  v.strictObject({
    k: v.literal('announce'),
    capabilities: v.pipe(v.array(Capability), v.minLength(1), v.maxLength(16)),
    advert: SignedAdvert,
  }),
  v.strictObject({
    k: v.literal('find'),
    capability: Capability,
    limit: v.pipe(Whole, v.minValue(1), v.maxValue(64)),
  }),
])
export type RegistryRequest = v.InferOutput<typeof RegistryRequest>

export const RegistryAnswer = v.variant('k', [
  v.strictObject({ k: v.literal('kept'), seconds: Whole }),
  v.strictObject({
    k: v.literal('refused'),
    code: v.picklist([
      'expired',
      'not-yours',
      'older',
      'full',
      'too-large',
      'bad-signature',
      'bad-request',
    ]),
  }),
  v.strictObject({
    k: v.literal('adverts'),
    total: Whole,
    adverts: v.pipe(v.array(SignedAdvert), v.maxLength(64)),
  }),
])
export type RegistryAnswer = v.InferOutput<typeof RegistryAnswer>

const parse = <S extends v.GenericSchema>(
  schema: S,
  bytes: Uint8Array,
): Result<v.InferOutput<S>, WireError> => {
  const decoded = decode(bytes, HEAD_BYTES_MAX)
  if (!decoded.ok) return decoded
  const parsed = v.safeParse(schema, decoded.value)
  if (parsed.success) return ok(parsed.output)
  return err({ code: 'bad-shape', detail: parsed.issues[0].message.slice(0, 200) })
}

export const parseRequest = (bytes: Uint8Array): Result<RegistryRequest, WireError> =>
  parse(RegistryRequest, bytes)
export const parseAnswer = (bytes: Uint8Array): Result<RegistryAnswer, WireError> =>
  parse(RegistryAnswer, bytes)
