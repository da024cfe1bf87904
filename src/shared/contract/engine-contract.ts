/**
 * The contract between the app (or the CLI's remote face) and the engine host, over stdio. The host trusts nothing it
 * is told: every input is checked here in form, and by the engines in substance.
 */
import { z } from 'zod'
import type { LogLine } from '#shared/log'
import {
  webVariables,
  type ClientChange,
  type Disk,
  type FoundStream,
  type ImageInfo,
  type JobState,
  type NetworkCheck,
  type NetworkInterface,
  type RestorePlan,
  type ServerConfiguration,
  type SessionState,
  type SourceInfo,
  type WebFetch,
} from '#shared/model'
import { event, request } from './define.ts'
import {
  idSchema,
  imageTaskSchema,
  locatorSchema,
  nothing,
  passwordSchema,
  restoreRequestSchema,
  serverConfigurationSchema,
  sessionOrderSchema,
  sessionRateSchema,
  sessionSettingsSchema,
  streamSourceSchema,
  webAddressSchema,
} from './schemas.ts'

export const engineContract = {
  request: {
    /** Who is there: the host's version, whether restoring works on this system, and whether it may open devices. */
    'host.info': request(nothing)<{
      version: string
      platform: string
      supported: boolean
      privileged: boolean
    }>(),
    /**
     * Look at the disks now; from the first call on also at each change. What is found comes as `devices`, before the
     * answer to this: two ways to hear of the disks would overtake each other.
     */
    'devices.watch': request(nothing)<null>(),
    'device.eject': request(z.strictObject({ path: locatorSchema }))<null>(),
    'source.inspect': request(z.strictObject({ source: locatorSchema }))<SourceInfo>(),
    'image.info': request(z.strictObject({ path: locatorSchema }))<ImageInfo>(),
    /**
     * Gives the password of an encrypted image; every later request finds the image open, until the app ends. Rejects with
     * E_SRC_PASSWORD when it is another one. An image that is locked is answered with E_SRC_ENCRYPTED by all others. The
     * same for a stream that asks for one, by its `asr://` locator, with E_MC_PASSWORD in both cases.
     */
    'image.unlock': request(z.strictObject({ path: locatorSchema, password: passwordSchema }))<null>(),
    /** Starts a job on an image: verify, convert, … */
    'image.start': request(z.strictObject({ task: imageTaskSchema }))<{ jobId: string }>(),
    /**
     * How the web is reached from here: the variables that name proxies and authorities (`webVariables`), and addresses that hold
     * a name and a password for their server. `variables`: null where the host has them already.
     */
    'web.prepare': request(
      z.strictObject({
        variables: z.partialRecord(z.enum(webVariables), z.string().max(4096)).nullable(),
        addresses: z.array(webAddressSchema).max(100),
      }),
    )<null>(),
    /** Preflight. Touches nothing. A plan with a refusal is an answer, not an error. */
    'restore.plan': request(restoreRequestSchema)<RestorePlan>(),
    /** Starts the plan's job; `typed` is what the person typed when the plan asks for it. */
    'restore.start': request(z.strictObject({ planId: idSchema, typed: z.string().max(512).nullable() }))<{
      jobId: string
    }>(),
    /** Answers when the job has really stopped. `interrupted`: nobody calls it off, the program has to end; what came of a stream stays. */
    'job.cancel': request(
      z.strictObject({ jobId: idSchema, interrupted: z.boolean().exactOptional() }),
    )<JobState>(),
    /**
     * Makes sure that the Practice disk and the Practice image exist in `folder`: what is `missing`, or both anew,
     * `always`. From then on the disk is among the devices. An elevated host refuses.
     */
    'practice.prepare': request(
      z.strictObject({ folder: locatorSchema, renew: z.enum(['missing', 'always']) }),
    )<{ disk: string; image: string }>(),
    /** Interfaces a stream can be sent on. */
    'multicast.interfaces': request(nothing)<readonly NetworkInterface[]>(),
    /** Tries what can be tried before a stream starts, with a test packet. What is wrong is in the answer. */
    'multicast.check': request(z.strictObject({ settings: sessionSettingsSchema }))<
      readonly NetworkCheck[]
    >(),
    /**
     * The first of these lines alone: what stands against streaming an image or a device, as far as it can be told without
     * reading it. A device is opened and let go again.
     */
    'multicast.checkSource': request(streamSourceSchema)<NetworkCheck>(),
    /** Answers when the session is there; its source is read afterwards, while its phase is `preparing`. */
    'session.start': request(z.strictObject({ settings: sessionSettingsSchema }))<{ sessionId: string }>(),
    /** Don't wait for more clients. */
    'session.startNow': request(z.strictObject({ sessionId: idSchema }))<null>(),
    'session.setRate': request(sessionRateSchema)<null>(),
    /** Which sessions clients get that name none: these first, in this order; then the others, in theirs. */
    'session.setPrecedence': request(sessionOrderSchema)<null>(),
    /** Answers when the session has ended, or, `when-finished`, when that is set. Of an ended one: it is forgotten. */
    'session.stop': request(
      z.strictObject({ sessionId: idSchema, when: z.enum(['now', 'when-finished']) }),
    )<null>(),
    /** The client is told, and doesn't come back by itself. */
    'session.disconnect': request(z.strictObject({ sessionId: idSchema, clientId: idSchema }))<null>(),
    /** How it stood whenever that changed, oldest first, the last fifty times; nothing of one that isn't known. */
    'session.clientLog': request(z.strictObject({ sessionId: idSchema, clientId: idSchema }))<
      readonly ClientChange[]
    >(),
    /** Look for streams on the network, from now on: they come as `streams`. */
    'streams.watch': request(nothing)<null>(),
    /** asr's configuration, a plist in XML or binary; `warnings` are sentences, of keys that nobody knows. */
    'configuration.read': request(z.strictObject({ path: locatorSchema }))<{
      configuration: ServerConfiguration
      warnings: readonly string[]
    }>(),
    /** Writes it in XML, over what lies there. */
    'configuration.write': request(
      z.strictObject({ path: locatorSchema, configuration: serverConfigurationSchema }),
    )<null>(),
  },
  event: {
    devices: event<readonly Disk[]>(),
    /**
     * Every session of this host, whole, in order of precedence, twice a second while something changes; ended ones until they
     * are forgotten.
     */
    sessions: event<readonly SessionState[]>(),
    /** Every stream found on the network, at each change. */
    streams: event<readonly FoundStream[]>(),
    /**
     * All files on servers that something waits for: whose server is away, and that are being fetched as a whole, since theirs gives
     * no parts. At each change, and a few times a second while they come.
     */
    fetches: event<readonly WebFetch[]>(),
    /** A job's state, four times a second while it runs and once when it ended. */
    job: event<JobState>(),
    log: event<LogLine>(),
  },
} as const

export type EngineContract = typeof engineContract
