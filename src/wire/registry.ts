/**
 * The registry's two requests (`/swarm/registry/1.0.0`): the DHT says which servers are nearest to a
 * capability's key, and those keep signed adverts for as long as the adverts live. One request and one
 * answer per stream.
 */
import * as v from 'valibot'
import { utf8 } from '../base/bytes.ts'
import type { Cid, Did } from '../base/ids.ts'
import { err, ok, type Result } from '../base/result.ts'
import { decode, sha256, type WireError } from './codec.ts'
import { Whole } from './fields.ts'
import { SignedAdvert } from './signed.ts'
import { HEAD_BYTES_MAX } from './version.ts'

/**
 * What one server keeps under one name is bounded, so a capability is also cut into buckets. A node
 * stands under the plain name and in one bucket, by its account's hash, so that a server can see that it
 * stands where it may; each name has servers of its own.
 */
export const BUCKETS = 16
const BUCKET = /^.+\.b(\d{1,2})$/

/** `any.b7` */
export const bucketName = (capability: string, bucket: number): string => `${capability}.b${bucket}`

const bucketOf = (account: Did): number => sha256(utf8(`swarm/bucket/${account}`))[0]! % BUCKETS

/** Every name an account stands under that can do all this. */
export const placesOf = (capabilities: readonly string[], account: Did): string[] => {
  const bucket = bucketOf(account)
  return capabilities.flatMap((capability) => [capability, bucketName(capability, bucket)])
}

/** Of these names those it may stand under: any capability, and of the buckets its own. */
export const ownPlaces = (names: readonly string[], account: Did): string[] => {
  const bucket = bucketOf(account)
  return [...new Set(names)].filter((name) => {
    const [, asked] = BUCKET.exec(name) ?? []
    return asked === undefined || Number(asked) === bucket
  })
}

/** Where those stand that have whole blocks of a model. Few are asked for it, so it has no buckets. */
export const modelPlace = (model: Cid): string => `model/${model}`

/** `any`, `gpu`, `wgsl`, or one kernel's id; buckets of these; and places of models. */
const Capability = v.pipe(v.string(), v.regex(/^(?:[a-z0-9@.-]{1,40}|model\/b[a-z2-7]{58})$/))

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
