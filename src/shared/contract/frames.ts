/**
 * The messages both contracts travel in, over stdio, WebSocket and Electron IPC alike. JSON, one object a frame; the
 * transport draws the frames' borders. A request's answer comes after a cancel too: when the work has stopped.
 */
import { z } from 'zod'
import type { ErrorCode, ErrorFamily, SerializedError } from '#shared/errors'

/** Longest frame a side accepts, in bytes. State is small; anything near this is an attack or a bug. */
export const maxFrameBytes = 4 * 1024 * 1024

/** Grows with every change of meaning; two sides with different numbers refuse each other. */
export const protocolVersion = 1

export const clientFrameSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('request'),
    id: z.number().int().nonnegative(),
    name: z.string().max(64),
    input: z.unknown(),
  }),
  z.strictObject({ kind: z.literal('cancel'), id: z.number().int().nonnegative() }),
])

/** From the side that asks. */
export type ClientFrame = z.infer<typeof clientFrameSchema>

/** From the side that serves. `hello` is its first frame. */
export type ServerFrame =
  | { readonly kind: 'hello'; readonly protocol: number; readonly version: string; readonly pid: number }
  | { readonly kind: 'result'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'error'; readonly id: number; readonly error: SerializedError }
  | { readonly kind: 'event'; readonly name: string; readonly payload: unknown }

const errorFamilies = [
  'usage',
  'format',
  'device',
  'network',
  'verification',
  'engine-gone',
  'bug',
] as const satisfies readonly ErrorFamily[]

/** An error on its way; what `deserializeError` may be given. The code is taken on trust: it is only ever looked up. */
export const serializedErrorSchema: z.ZodType<SerializedError> = z.object({
  family: z.enum(errorFamilies),
  code: z.string().max(64) as unknown as z.ZodType<ErrorCode>,
  message: z.string(),
  details: z.record(z.string(), z.unknown()),
  transient: z.boolean(),
  get cause() {
    return serializedErrorSchema.nullable()
  },
})

/** The form of a `ServerFrame`; values and payloads are typed only. */
export const serverFrameSchema: z.ZodType<ServerFrame> = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('hello'), protocol: z.number(), version: z.string(), pid: z.number() }),
  z.object({ kind: z.literal('result'), id: z.number(), value: z.unknown() }),
  z.object({ kind: z.literal('error'), id: z.number(), error: serializedErrorSchema }),
  z.object({ kind: z.literal('event'), name: z.string(), payload: z.unknown() }),
])
