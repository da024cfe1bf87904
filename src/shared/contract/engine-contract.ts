/**
 * The contract between the app (or the CLI's remote face) and the engine host, over stdio. The host trusts nothing it
 * is told: every input is checked here in form, and by the engines in substance.
 */
import { z } from 'zod'
import type { LogLine } from '#shared/log'
import {
  webVariables,
  type Disk,
  type ImageInfo,
  type JobState,
  type RestorePlan,
  type SourceInfo,
} from '#shared/model'
import { event, request } from './define.ts'
import {
  idSchema,
  imageTaskSchema,
  locatorSchema,
  nothing,
  passwordSchema,
  restoreRequestSchema,
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
     * E_SRC_PASSWORD when it is another one. An image that is locked is answered with E_SRC_ENCRYPTED by all others.
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
    /** Answers when the job has really stopped. */
    'job.cancel': request(z.strictObject({ jobId: idSchema }))<JobState>(),
    /**
     * Makes sure that the Practice disk and the Practice image exist in `folder`: what is `missing`, or both anew,
     * `always`. From then on the disk is among the devices. An elevated host refuses.
     */
    'practice.prepare': request(
      z.strictObject({ folder: locatorSchema, renew: z.enum(['missing', 'always']) }),
    )<{ disk: string; image: string }>(),
  },
  event: {
    devices: event<readonly Disk[]>(),
    /** A job's state, four times a second while it runs and once when it ended. */
    job: event<JobState>(),
    log: event<LogLine>(),
  },
} as const

export type EngineContract = typeof engineContract
