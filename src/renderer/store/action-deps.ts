/** What the actions work with, and what they say when a request fails. */
import type { Client, PreferencesChange, UiContract } from '#shared/contract'
import { serializeError } from '#shared/errors'
import type { Clock } from './clock.ts'
import type { MirrorWriter } from './engine-mirror.ts'
import type { Planner } from './planner.ts'
import type { Notice, ViewStore } from './view-state.ts'

/** What a dropped file tells of itself; the DOM's `File` fits. */
export interface DroppedFile {
  readonly name: string
  readonly size: number
  readonly lastModified: number
  slice(start: number, end: number): { arrayBuffer(): Promise<ArrayBuffer> }
}

/** How this host turns a dropped file into a path. */
export interface FileAccess {
  /** Electron: the path, '' when it has none. Null in a browser, which tells no paths. */
  readonly pathForFile: ((file: object) => string) | null
  /** SHA-256 in lower-case hex. */
  readonly sha256: (bytes: ArrayBuffer) => Promise<string>
}

export interface ActionDeps {
  readonly mirror: MirrorWriter
  readonly view: ViewStore
  /** Rejects with E_HOST_LOST while there is no connection, and when it is lost before the answer. */
  readonly client: Client<UiContract>
  readonly planner: Planner
  readonly files: FileAccess
  readonly clock: Clock
}

/** Tells the person about an error of a request that they caused. */
export function failNotice(view: ViewStore, doing: ErrorNotice['doing'], name: string) {
  return (error: unknown) =>
    view.setState({ notice: { kind: 'error', doing, name, error: serializeError(error) } })
}
type ErrorNotice = Extract<Notice, { readonly kind: 'error' }>

/** A preference that couldn't be saved holds until the window closes; that isn't worth a message. */
export function setPreferences(
  { mirror, client }: Pick<ActionDeps, 'mirror' | 'client'>,
  change: PreferencesChange,
): void {
  mirror.setPreferences(change)
  client.request('app.setPreferences', change).catch(() => undefined)
}
