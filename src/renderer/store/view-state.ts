/**
 * What the person is looking at and has chosen. The engine knows nothing of it; it must never hold what the mirror can
 * tell. Only the actions change it.
 */
import { createStore, type StoreApi } from 'zustand/vanilla'
import type { FolderListing } from '#shared/contract'
import type { SerializedError } from '#shared/errors'
import type {
  Disk,
  ImageInfo,
  JobState,
  NetworkCheck,
  NetworkInterface,
  RestorePlan,
  RestoreRequest,
  ServerConfiguration,
  SessionState,
  SourceInfo,
  Volume,
} from '#shared/model'
import type { DestinationProblem } from './destinations.ts'
import type { DraftProblem, ImageDraft } from './image-draft.ts'
import { streamDraft, type StreamDraft } from './stream-draft.ts'

/** `disk:/dev/sda`, `volume:/dev/sda1`, `image:/home/ann/System.dmg`, `stream:asr://server/Lab`. */
export type ItemId = `${'disk' | 'volume' | 'image' | 'stream'}:${string}`

/** An image file that was opened or used; it stays in the sidebar until the window closes. */
export interface OpenedImage {
  readonly path: string
  readonly name: string
  readonly state: 'reading' | 'ready' | 'failed'
  readonly info: ImageInfo | null
  readonly error: SerializedError | null
  readonly practice: boolean
}

export interface SourceChoice {
  readonly locator: string
  readonly name: string
  /** `gone`: it was unplugged; it has to be chosen again. */
  readonly state: 'reading' | 'ready' | 'failed' | 'gone'
  /** While `reading`: its server still reads what it will stream, and is asked again. */
  readonly awaited?: true
  readonly info: SourceInfo | null
  /** Of an image with several volumes, the one that was chosen for a partition, by its number in the map. */
  readonly partition?: number
  /** The disk that an image's file lay on when it was read, where one is known. */
  readonly holder?: Disk | null
  readonly error: SerializedError | null
}

export interface DestinationChoice {
  readonly kind: 'disk' | 'volume' | 'file'
  readonly locator: string
  readonly name: string
  readonly state: 'ready' | 'gone'
  /** The disk and volume as last seen; null for a file. */
  readonly disk: Disk | null
  readonly volume: Volume | null
  /** `file`: the image of a stream itself. Absent: what is in it. */
  readonly form?: RestoreRequest['form']
}

/** What a file can be dropped on. */
export type WellName = 'source' | 'destination' | 'stream'

export interface RestoreOptions {
  readonly erase: boolean
  readonly verify: boolean
  readonly clearUnused: boolean
  readonly changedOnly: boolean
  readonly afterwards: 'remount' | 'eject'
}

export type PlanState =
  | { readonly state: 'none' }
  /** `refused`: the answer before this one. */
  | { readonly state: 'checking'; readonly previous: RestorePlan | null; readonly refused?: boolean }
  | { readonly state: 'ready'; readonly plan: RestorePlan }
  | { readonly state: 'failed'; readonly error: SerializedError }

/** What can be done with an image file beside restoring it. */
export type ImageWork = 'verify' | 'scan' | 'scan-info' | 'convert' | 'resize' | 'add-checksum' | 'compact'

/** What a file is chosen for. */
export type FilePurpose = 'source' | 'open' | 'stream' | ImageWork

/** One sheet at a time. */
export type Sheet =
  /** `unverified`: this one restore, whatever the option says. */
  | { readonly kind: 'confirm'; readonly unverified?: boolean }
  /** The source wasn't scanned, and is to be verified: what now? */
  | { readonly kind: 'not-scanned' }
  | { readonly kind: 'info'; readonly item: ItemId }
  | FilesSheet
  | MakeSheet
  /** Something lies where the image is to be written. `back` is what is to be done there. */
  | { readonly kind: 'replace'; readonly path: string; readonly back: MakeSheet }
  /** The SHA-256 beside the image isn't the image's: a new one in its place? */
  | { readonly kind: 'replace-checksum'; readonly path: string }
  /** `freeBytes` beside the image; null until it is known, or when it can't be. */
  | {
      readonly kind: 'scan'
      readonly path: string
      readonly freeBytes: number | null
      readonly sending: Sending
    }
  | { readonly kind: 'scan-info'; readonly path: string }
  | { readonly kind: 'resize'; readonly path: string; readonly sending: Sending }
  | { readonly kind: 'open-url' }
  | {
      readonly kind: 'password'
      readonly path: string
      readonly name: string
      /** What goes on when it is unlocked. */
      readonly purpose: FilePurpose
      readonly sending: Sending
    }
  /** Computers haven't finished: stop the stream all the same? */
  | { readonly kind: 'stop-stream'; readonly sessionId: string }
  | { readonly kind: 'stream-rate'; readonly sessionId: string }
  | { readonly kind: 'stream-client'; readonly sessionId: string; readonly clientId: string }
  /** This computer hasn't finished: disconnect it all the same? */
  | { readonly kind: 'disconnect-client'; readonly sessionId: string; readonly clientId: string }
  | SaveConfigurationSheet
  | SaveDiskSheet
  | { readonly kind: 'shortcuts' }
  | { readonly kind: 'about' }

/** What a sheet asked the engine for: nothing yet, the answer isn't there, or it was refused. */
export type Sending =
  { readonly state: 'idle' | 'busy' } | { readonly state: 'failed'; readonly error: SerializedError }

/** Where a file is to be written, where no system's panel asks for it. */
interface Saving {
  readonly folder: string
  readonly name: string
  /** `exists`: a file lies there; the next yes replaces it. */
  readonly problem:
    | { readonly kind: 'bad-name' | 'no-folder' | 'denied' | 'folder' | 'exists' }
    | { readonly kind: 'error'; readonly error: SerializedError }
    | null
}

/** Of asr's configuration. */
export interface SaveConfigurationSheet extends Saving {
  readonly kind: 'save-configuration'
  readonly configuration: ServerConfiguration
}

/** Of the destination: a disk in a file, or a stream's image. What lies there is replaced by the restore, which asks. */
export interface SaveDiskSheet extends Saving {
  readonly kind: 'save-disk'
  readonly form: RestoreRequest['form']
}

export interface FilesSheet {
  readonly kind: 'files'
  /**
   * `target`: where an image is to be written; `folder`: whose files one is to be made of; `configuration`: asr's, to
   * open; `configuration-folder`: where one is to be written.
   */
  readonly purpose: FilePurpose | 'target' | 'folder' | 'configuration' | 'configuration-folder'
  readonly listing: FolderListing | null
  readonly loading: boolean
  readonly error: SerializedError | null
  /** The sheet that it was opened from, and that comes back. */
  readonly back: MakeSheet | SaveConfigurationSheet | SaveDiskSheet | null
}

/** An image is to be made: converted, or new. */
export interface MakeSheet {
  readonly kind: 'make'
  readonly draft: ImageDraft
  readonly problem: DraftProblem | null
  /** While the engine is asked, which may mean waiting for a password. */
  readonly starting: boolean
}

/** The restore goes on by itself when this is done. Given up as soon as something else is chosen. */
export type GoOn =
  | {
      readonly step: 'scanning'
      readonly jobId: string | null
      readonly source: string
      readonly target: string
    }
  | {
      readonly step: 'planning'
      readonly source: string
      readonly target: string
      /** The verify is left out of this one restore. */
      readonly unverified?: boolean
      /** Restore… was pressed a moment too early: an image that needs a scan is asked about as it is then. */
      readonly pressed?: boolean
    }

/** Something that happened beside the restore and that the person should read: until it is closed, or the next one comes. */
export type Notice =
  | {
      readonly kind: 'error'
      readonly doing: 'start' | 'eject' | 'open' | 'work' | 'practice' | 'stop' | 'stream'
      readonly name: string
      readonly error: SerializedError
    }
  | { readonly kind: 'not-located'; readonly name: string }
  | { readonly kind: 'not-one-file' }
  /** The source can't go to it, and it isn't the destination any more. */
  | { readonly kind: 'destination-left'; readonly name: string; readonly problem: DestinationProblem }
  | { readonly kind: 'ejected'; readonly name: string }
  /** A restore came to its end that isn't in sight, or work on an image that was started here. */
  | { readonly kind: 'worked'; readonly job: JobState }
  /** Streams failed that aren't in sight, for one reason. */
  | { readonly kind: 'stream-failed'; readonly sessions: readonly [SessionState, ...SessionState[]] }
  | {
      readonly kind: 'configuration'
      readonly doing: 'opened' | 'saved'
      readonly name: string
      /** Sentences. */
      readonly warnings: readonly string[]
    }

/** That a job or a stream failed which nobody watched: told until it is closed, as nothing else in sight tells it. */
export type Failure = Extract<Notice, { readonly kind: 'worked' | 'stream-failed' }>

/** The Multicast Server tab. */
export interface ServerView {
  readonly draft: StreamDraft
  /** Something was asked for that the draft isn't complete for: say what is missing. */
  readonly tried: boolean
  /** How often that was answered of the draft as it is: it is read out each time, and not while the draft is changed. */
  readonly answers: number
  /** Null before they were asked for. */
  readonly interfaces: readonly NetworkInterface[] | null
  /** What Check Network said, of the draft as it is. */
  readonly check:
    | { readonly state: 'none' | 'busy' }
    | { readonly state: 'done'; readonly checks: readonly NetworkCheck[] }
    | { readonly state: 'failed'; readonly error: SerializedError }
  /** Why the device in the well can't be streamed, as far as it was asked; null: nothing is known to stand against it. */
  readonly refusal: SerializedError | null
  /** Start Stream. */
  readonly sending: Sending
  /** More Options is open. */
  readonly optionsShown: boolean
  /** The session that is shown; null: the form for a new one. */
  readonly shown: string | null
  /** Of devices that were streamed from this window, the disk as it was then, by session. */
  readonly streamedDisks: { readonly [sessionId: string]: Disk }
  /** The form is that of a session which had a password, and that has to be typed again. */
  readonly passwordWanted: boolean
}

export interface ViewState {
  readonly tab: 'restore' | 'multicast' | 'activity'
  /** Which list the Activity tab shows. */
  readonly activity: 'jobs' | 'log'
  readonly selected: ItemId | null
  readonly sidebarShown: boolean
  /** The window has no room for the sidebar beside the panel. */
  readonly narrow: boolean
  /** Then it is shown over the panel, until something in it was chosen. */
  readonly sidebarOver: boolean
  /** What the sidebar lists: disks with their volumes, or volumes alone. */
  readonly listed: 'devices' | 'volumes'
  readonly images: readonly OpenedImage[]
  readonly source: SourceChoice | null
  readonly destination: DestinationChoice | null
  /** The file that was dropped on a well and isn't found yet. Given up as soon as something else is chosen for it. */
  readonly looking: { readonly [well in WellName]: { readonly name: string } | null }
  readonly options: RestoreOptions
  readonly plan: PlanState
  /** Between the confirmation and the engine's answer; meanwhile a password may be asked for. */
  readonly starting: { readonly plan: RestorePlan; readonly stopping: boolean } | null
  /** The job that the Restore tab shows, running or ended. */
  readonly restoreJobId: string | null
  /** Jobs on images that were started here, and whose end wasn't told yet. */
  readonly startedWork: readonly string[]
  readonly goOn: GoOn | null
  readonly server: ServerView
  readonly sheet: Sheet | null
  readonly notice: Notice | null
  /** The first is shown; the others wait until it was read. */
  readonly failures: readonly Failure[]
  /** The sidebar item being dragged. */
  readonly dragging: ItemId | null
}

export const defaultOptions: RestoreOptions = {
  erase: false,
  verify: true,
  clearUnused: false,
  changedOnly: false,
  afterwards: 'remount',
}

const initial: ViewState = {
  tab: 'restore',
  activity: 'jobs',
  selected: null,
  sidebarShown: true,
  narrow: false,
  sidebarOver: false,
  listed: 'devices',
  images: [],
  source: null,
  destination: null,
  looking: { source: null, destination: null, stream: null },
  options: defaultOptions,
  plan: { state: 'none' },
  starting: null,
  restoreJobId: null,
  startedWork: [],
  goOn: null,
  server: {
    draft: streamDraft,
    tried: false,
    answers: 0,
    interfaces: null,
    check: { state: 'none' },
    refusal: null,
    sending: { state: 'idle' },
    optionsShown: false,
    shown: null,
    streamedDisks: {},
    passwordWanted: false,
  },
  sheet: null,
  notice: null,
  failures: [],
  dragging: null,
}

export type ViewStore = StoreApi<ViewState>

/** Shows another view, or what is asked for in the one in sight: the sidebar no longer lies over it. */
export const goTo = (tab: ViewState['tab']): Pick<ViewState, 'tab' | 'sidebarOver'> => ({
  tab,
  sidebarOver: false,
})

export const createViewState = (): ViewStore => createStore<ViewState>(() => initial)
