/** Run-time checks for what crosses towards the more privileged side. */
import { z } from 'zod'
import { writableFormats, type Buffering, type ImageTask, type RestoreRequest } from '#shared/model'

z.config({ jitless: true })

/** An absolute path or locator: no NUL, bounded. */
export const locatorSchema = z
  .string()
  .min(1)
  .max(4096)
  .refine((text) => !text.includes('\0'), 'contains NUL')

const positive = z.number().int().positive().max(Number.MAX_SAFE_INTEGER)

const bufferingSchema: z.ZodType<Buffering> = z.strictObject({
  buffers: positive.max(4096).nullable(),
  bufferBytes: positive.max(256 * 1024 * 1024).nullable(),
  csumBuffers: positive.max(4096).nullable(),
  csumBufferBytes: positive.max(256 * 1024 * 1024).nullable(),
})

export const restoreRequestSchema: z.ZodType<RestoreRequest> = z.strictObject({
  source: locatorSchema,
  target: locatorSchema,
  erase: z.boolean(),
  verify: z.boolean(),
  clearUnused: z.boolean(),
  changedOnly: z.boolean(),
  afterwards: z.enum(['remount', 'eject']),
  buffering: bufferingSchema,
})

/** One entry for each kind of `ImageTask`. What only the engines can tell, they check. */
export const imageTaskSchema: z.ZodType<ImageTask> = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('verify'), path: locatorSchema }),
  z.strictObject({
    kind: z.literal('convert'),
    source: locatorSchema,
    target: locatorSchema,
    format: z.enum(writableFormats),
    level: z.number().int().nullable(),
    erase: z.boolean(),
    segmentBytes: positive.nullable(),
  }),
  z.strictObject({
    kind: z.literal('resize'),
    path: locatorSchema,
    sizeBytes: positive,
  }),
  z.strictObject({ kind: z.literal('compact'), path: locatorSchema }),
])

export const idSchema = z.string().min(1).max(64)
export const nothing = z.strictObject({})
