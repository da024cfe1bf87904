/** Run-time checks for what crosses towards the more privileged side. */
import { z } from 'zod'
import {
  creatableFilesystems,
  creatableMaps,
  mostClients,
  settingBounds,
  writableFormats,
  type Buffering,
  type CreateSource,
  type ImageTask,
  type RestoreRequest,
  type ServerConfiguration,
  type SessionSettings,
} from '#shared/model'

z.config({ jitless: true })

/** An absolute path or locator: no NUL, bounded. */
export const locatorSchema = z
  .string()
  .min(1)
  .max(4096)
  .refine((text) => !text.includes('\0'), 'contains NUL')

/** As typed; bounded. It is never logged. */
export const passwordSchema = z
  .string()
  .min(1)
  .max(1024)
  .refine((text) => !text.includes('\0'), 'contains NUL')

const encryptionSchema = z.strictObject({ password: passwordSchema }).nullable()

/** An address of a web server that can be taken apart. */
export const webAddressSchema = locatorSchema.refine(
  (text) => /^https?:\/\/[^\s/?#]+\/?$/i.test(text),
  'not an address',
)

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
  sourcePartition: positive.exactOptional(),
  erase: z.boolean(),
  verify: z.boolean(),
  clearUnused: z.boolean(),
  changedOnly: z.boolean(),
  afterwards: z.enum(['remount', 'eject']),
  timeoutMs: z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER),
  form: z.enum(['contents', 'file']),
  interface: z.string().min(1).max(255).exactOptional(),
  buffering: bufferingSchema,
})

const createSourceSchema: z.ZodType<CreateSource> = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('blank'),
    sizeBytes: positive,
    partitionMap: z.enum(creatableMaps),
    filesystem: z.enum(creatableFilesystems).nullable(),
  }),
  z.strictObject({ kind: z.literal('folder'), path: locatorSchema }),
  z.strictObject({ kind: z.literal('device'), path: locatorSchema }),
])

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
    encryption: encryptionSchema,
  }),
  z.strictObject({
    kind: z.literal('create'),
    target: locatorSchema,
    format: z.enum(writableFormats),
    level: z.number().int().nullable(),
    erase: z.boolean(),
    encryption: encryptionSchema,
    volumeName: z.string().min(1).max(255).nullable(),
    from: createSourceSchema,
  }),
  z.strictObject({
    kind: z.literal('scan'),
    path: locatorSchema,
    reorder: z.boolean(),
    allowFragmentedCatalog: z.boolean(),
  }),
  z.strictObject({ kind: z.literal('add-checksum'), path: locatorSchema, replace: z.boolean() }),
  z.strictObject({
    kind: z.literal('resize'),
    path: locatorSchema,
    sizeBytes: positive,
  }),
  z.strictObject({ kind: z.literal('compact'), path: locatorSchema }),
])

/** In form only. Which values make a stream, the multicast engine says, each with its own words. */
export const serverConfigurationSchema: z.ZodType<ServerConfiguration> = z.strictObject({
  dataRate: positive,
  group: z.string().min(1).max(64),
  clientDataRate: positive.nullable(),
  advertise: z.boolean(),
  loopSuspend: z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER),
  ttl: z.number().int().nonnegative().max(255),
  port: z.number().int().nonnegative().max(65_535),
})

const compressionSchema = z.enum(['none', 'speed', 'balanced', 'size']).nullable()

/** What a stream is to be of. */
export const streamSourceSchema: z.ZodType<Pick<SessionSettings, 'source' | 'compression'>> = z.strictObject({
  source: locatorSchema,
  compression: compressionSchema,
})

export const sessionSettingsSchema: z.ZodType<SessionSettings> = z.strictObject({
  source: locatorSchema,
  compression: compressionSchema,
  name: z.string().min(1).max(255),
  configuration: serverConfigurationSchema,
  interface: z.string().min(1).max(255).nullable(),
  start: z.strictObject({
    clients: positive.max(mostClients).nullable(),
    afterLastJoinMs: positive.max(settingBounds.minutesAfterLastJoin.most * 60_000).nullable(),
  }),
  admission: z.array(z.string().min(1).max(1024)).max(1000),
  password: passwordSchema.nullable(),
  whenFinished: z.enum(['stays', 'ends']),
  considerate: z.enum(['on', 'off']),
  feedback: z.enum(['demand', 'one-way']),
})

/** Ids of sessions, in order of precedence. */
export const sessionOrderSchema = z.strictObject({
  sessionIds: z.array(z.string().min(1).max(64)).min(1).max(256),
})

/** The rates of a stream that runs. */
export const sessionRateSchema = z.strictObject({
  sessionId: z.string().min(1).max(64),
  dataRate: positive,
  clientDataRate: positive.nullable(),
})

export const idSchema = z.string().min(1).max(64)
export const nothing = z.strictObject({})
