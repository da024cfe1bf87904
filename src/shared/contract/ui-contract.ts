/**
 * The contract between the window and its host: Electron's main process through the preload, or `reprise web` through a
 * WebSocket. The same literal for both; `host` in `app.info` says which it is.
 */
import { z } from 'zod'
import type { LogLine } from '#shared/log'
import type {
  ClientChange,
  Disk,
  FoundStream,
  ImageInfo,
  JobState,
  NetworkCheck,
  NetworkInterface,
  RestorePlan,
  ServerConfiguration,
  SessionState,
  SourceInfo,
  WebFetch,
} from '#shared/model'
import { event, request } from './define.ts'
import type { MenuCommand } from './menu-table.ts'
import { preferencesChangeSchema, type Preferences } from './preferences.ts'
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
} from './schemas.ts'

export interface AppInfo {
  readonly version: string
  readonly host: 'electron' | 'web'
  readonly platform: 'linux' | 'darwin' | 'win32'
  /** With its version, for logs. */
  readonly system: string
  /** False where restoring isn't supported yet; then `devices` stays empty. */
  readonly supported: boolean
  /** The person's own folder, where new files go that have no better place. */
  readonly home: string
  readonly practice: { readonly disk: string; readonly image: string } | null
  readonly preferences: Preferences
}

/** Of jobs that ended so many are remembered, the newest, by the host and by each window. */
export const rememberedJobs = 100

export interface FolderListing {
  readonly folder: string
  /** The file in it whose path was asked for; null: it was the folder's. */
  readonly file: string | null
  /** Null at the top. */
  readonly parent: string | null
  readonly places: readonly { readonly name: string; readonly path: string }[]
  readonly entries: readonly {
    readonly name: string
    readonly path: string
    readonly kind: 'folder' | 'file'
    readonly sizeBytes: number
    readonly modifiedMs: number
  }[]
  /** More entries than are listed (2,000). */
  readonly truncated: boolean
}

/** What lies where a file is to be written, and how much room there is. Sizes in bytes. */
export interface TargetFacts {
  /** `no-folder`: the folder it should lie in isn't there; `denied`: or can't be written to. */
  readonly kind: 'nothing' | 'file' | 'folder' | 'other' | 'no-folder' | 'denied'
  /** Of a file; 0 for all else. */
  readonly sizeBytes: number
  /** On the file system of the folder; null when it doesn't tell. */
  readonly freeBytes: number | null
}

export const uiContract = {
  request: {
    'app.info': request(nothing)<AppInfo>(),
    'app.setPreferences': request(preferencesChangeSchema)<null>(),
    /**
     * All state now; afterwards `devices`, `job`, `sessions` and `streams` events follow every change. `nowMs`: the time by the host's
     * clock, as all times in it are; the window may be on another computer.
     */
    'state.get': request(nothing)<{
      devices: readonly Disk[]
      jobs: readonly JobState[]
      sessions: readonly SessionState[]
      streams: readonly FoundStream[]
      nowMs: number
    }>(),
    'device.eject': request(z.strictObject({ path: locatorSchema }))<null>(),
    /** The system's open panel (Electron). The web host answers `browse`: use `files.list`. */
    'image.choose': request(nothing)<
      { kind: 'chosen'; path: string } | { kind: 'dismissed' } | { kind: 'browse' }
    >(),
    /** The same for a folder, whose files an image is to be made of. */
    'folder.choose': request(nothing)<
      { kind: 'chosen'; path: string } | { kind: 'dismissed' } | { kind: 'browse' }
    >(),
    /**
     * The system's save panel (Electron), which begins at `path`: a name, or a whole path. `replace`: something lies
     * there, and the panel has asked whether it may go.
     */
    'image.chooseTarget': request(z.strictObject({ path: locatorSchema }))<
      { kind: 'chosen'; path: string; replace: boolean } | { kind: 'dismissed' } | { kind: 'browse' }
    >(),
    /**
     * What lies at a path, before something is written there. Here, and wherever else one may have been typed (what an
     * image is made of, where it or a configuration is written), `~` is the person's own folder.
     */
    'target.inspect': request(z.strictObject({ path: locatorSchema }))<TargetFacts>(),
    /**
     * Folders and files of the host's machine, for the window's own file panel (web only). What was typed there is asked for
     * as it is: `~` is understood, and a file's path is answered with the folder that it lies in.
     */
    'files.list': request(z.strictObject({ folder: locatorSchema.nullable() }))<FolderListing>(),
    /**
     * Where the file is that a browser handed over without a path (web only): looked for by name, size and time in the
     * usual folders, and told apart by the SHA-256 of its first 64 KiB. Null when it isn't there.
     */
    'files.locate': request(
      z.strictObject({
        name: z.string().min(1).max(255),
        sizeBytes: z.number().int().nonnegative(),
        modifiedMs: z.number(),
        headSha256: z.string().regex(/^[0-9a-f]{64}$/),
      }),
    )<{ path: string | null }>(),
    'source.inspect': request(z.strictObject({ source: locatorSchema }))<SourceInfo>(),
    'image.info': request(z.strictObject({ path: locatorSchema }))<ImageInfo>(),
    /**
     * Gives the password of an encrypted image; every later request finds the image open, until the app ends. Rejects with
     * E_SRC_PASSWORD when it is another one. An image that is locked is answered with E_SRC_ENCRYPTED by all others.
     */
    'image.unlock': request(z.strictObject({ path: locatorSchema, password: passwordSchema }))<null>(),
    /** Starts a job on an image: verify, convert, … */
    'image.start': request(z.strictObject({ task: imageTaskSchema }))<{ jobId: string }>(),
    'restore.plan': request(restoreRequestSchema)<RestorePlan>(),
    /** May ask for the administrator's password on the way; there is no time limit on that. */
    'restore.start': request(z.strictObject({ planId: idSchema, typed: z.string().max(512).nullable() }))<{
      jobId: string
    }>(),
    'job.cancel': request(z.strictObject({ jobId: idSchema }))<JobState>(),
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
    /** asr's configuration, a plist in XML or binary; `warnings` are sentences, of keys that nobody knows. */
    'configuration.read': request(z.strictObject({ path: locatorSchema }))<{
      configuration: ServerConfiguration
      warnings: readonly string[]
    }>(),
    /** Writes it in XML, over what lies there. */
    'configuration.write': request(
      z.strictObject({ path: locatorSchema, configuration: serverConfigurationSchema }),
    )<null>(),
    /** The system's open panel (Electron), for asr's configuration. The web host answers `browse`: use `files.list`. */
    'configuration.choose': request(nothing)<
      { kind: 'chosen'; path: string } | { kind: 'dismissed' } | { kind: 'browse' }
    >(),
    'log.read': request(nothing)<{ lines: readonly LogLine[] }>(),
    /** Makes the Practice disk and image anew. */
    'practice.reset': request(nothing)<null>(),
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
    /** All files on servers that something waits for: away, or being fetched as a whole; empty when nothing is. */
    fetches: event<readonly WebFetch[]>(),
    job: event<JobState>(),
    log: event<LogLine>(),
    menu: event<{ command: MenuCommand }>(),
    /** The engine host went away (and was started again) or cannot be started. */
    engine: event<{ state: 'ready' | 'gone'; reason: string | null }>(),
  },
} as const

export type UiContract = typeof uiContract
