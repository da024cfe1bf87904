/**
 * What an administrator says to a server of sessions, and what he is told: JSON in the messages `command` and `answer` of
 * docs/protocol.md, checked on both sides.
 */
import { z } from 'zod'
import { serializedErrorSchema, sessionSettingsSchema } from '#shared/contract'
import { clientStates, type SessionClient, type SessionState } from '#shared/model'

/** A session's name, or its 32 hex digits. */
const session = z.string().min(1).max(255)
const rate = z.number().int().positive().max(Number.MAX_SAFE_INTEGER)

export const managementCommandSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('list') }),
  z.strictObject({ kind: z.literal('status'), session }),
  z.strictObject({ kind: z.literal('start'), settings: sessionSettingsSchema }),
  z.strictObject({ kind: z.literal('stop'), session, when: z.enum(['now', 'when-finished']) }),
  z.strictObject({ kind: z.literal('start-now'), session }),
  z.strictObject({ kind: z.literal('set-rate'), session, dataRate: rate, clientDataRate: rate.nullable() }),
  z.strictObject({ kind: z.literal('precedence'), sessions: z.array(session).min(1).max(256) }),
])
export type ManagementCommand = z.infer<typeof managementCommandSchema>

const number = z.number().nonnegative()
const text = z.string().max(4096)

const sessionClientSchema: z.ZodType<SessionClient> = z.object({
  clientId: text,
  host: text,
  address: text,
  state: z.enum(clientStates),
  standing: z.enum(['well', 'slow']),
  blocksDone: number,
  loss: number,
  writeBytesPerSecond: number,
  lastSeenMs: number,
  text,
})

/** A server never tells a password. */
const settingsSchema: z.ZodType<SessionState['settings']> = z
  .looseObject({ hasPassword: z.boolean() })
  .transform(({ hasPassword, ...rest }, context) => {
    const told = sessionSettingsSchema.safeParse({ ...rest, password: null })
    if (!told.success) {
      context.addIssue({ code: 'custom', message: told.error.message })
      return z.NEVER
    }
    const { password: _, ...settings } = told.data
    return { ...settings, hasPassword }
  })

const stateFields = {
  sessionId: text,
  settings: settingsSchema,
  phase: z.enum(['preparing', 'waiting', 'streaming', 'quiet', 'ended', 'failed']),
  imageName: text,
  sizeBytes: number,
  blocks: number,
  preparing: z.object({ doneBytes: number, totalBytes: number }).nullable(),
  interfaceName: text,
  address: text,
  fingerprint: text,
  locator: text,
  command: text,
  createdMs: number,
  startedMs: number.nullable(),
  endedMs: number.nullable(),
  wanted: number.nullable(),
  startsInMs: number.nullable(),
  allowedBytesPerSecond: number,
  sentBytesPerSecond: number,
  sentBytes: number,
  lap: number,
  position: number,
  repairSymbols: number,
  error: serializedErrorSchema.nullable(),
  warnings: z.array(serializedErrorSchema).max(1000),
}

const sessionStateSchema: z.ZodType<SessionState> = z.object({
  ...stateFields,
  clients: z.array(sessionClientSchema).max(100_000),
})

/** A session in a list: its clients are only counted. */
export interface SessionBrief extends Omit<SessionState, 'clients'> {
  /** That are here now, and have not finished. */
  readonly joined: number
  readonly finished: number
}

const sessionBriefSchema: z.ZodType<SessionBrief> = z.object({
  ...stateFields,
  joined: number,
  finished: number,
})

export const managementAnswerSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('done') }),
  z.object({ kind: z.literal('sessions'), sessions: z.array(sessionBriefSchema).max(1000) }),
  z.object({ kind: z.literal('session'), session: sessionStateSchema }),
  z.object({ kind: z.literal('started'), sessionId: text }),
  z.object({ kind: z.literal('failed'), error: serializedErrorSchema }),
])
export type ManagementAnswer = z.infer<typeof managementAnswerSchema>
