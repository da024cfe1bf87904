/**
 * What a reload of the page brings back: the tab, what the sidebar lists, the opened images, the wells, the options, the restore that was shown, the
 * work whose end is still to be told, and the form for a stream. Only what to ask the engine for again is kept, with the
 * identity of disks, and everything is chosen anew with it. Never kept: the tick, what was typed to confirm, passwords. What is
 * read may be anything. Pure.
 */
import type { EarlierSource, EarlierTarget } from './follow-disks.ts'
import { isLocked } from './image-work.ts'
import { locatorOf } from './items.ts'
import { streamDraft, type StreamDraft } from './stream-draft.ts'
import {
  defaultOptions,
  type OpenedImage,
  type RestoreOptions,
  type ServerView,
  type ViewState,
} from './view-state.ts'

/** Text that lasts as long as the page's tab. */
export interface Memory {
  readonly read: () => string | null
  readonly write: (text: string) => void
}

/** The Multicast Server tab, but for a password. */
export interface EarlierForm extends Pick<ServerView, 'shown' | 'optionsShown'> {
  readonly source: EarlierSource | null
  readonly draft: Omit<StreamDraft, 'source' | 'device' | 'password'>
}

export interface Remembered extends Pick<ViewState, 'tab' | 'activity' | 'listed' | 'startedWork'> {
  /** Paths and addresses. */
  readonly images: readonly string[]
  readonly source: EarlierSource | null
  readonly target: EarlierTarget | null
  readonly options: RestoreOptions
  readonly restoreJobId: string | null
  readonly form: EarlierForm
}

export function encodeRemembered(view: ViewState): string {
  const { tab, activity, listed, images, source, destination, options, restoreJobId, startedWork, server } =
    view
  const kept: Remembered = {
    tab,
    activity,
    listed,
    images: images.filter(isKept).map(({ path }) => path),
    source:
      source === null || source.state === 'gone'
        ? null
        : {
            locator: source.locator,
            disk: source.info && 'disk' in source.info ? placeOf(source.info.disk) : null,
          },
    target:
      destination === null || destination.state === 'gone'
        ? null
        : {
            kind: destination.kind === 'volume' ? 'partition' : destination.kind,
            path: destination.locator,
            disk: destination.disk && placeOf(destination.disk),
            form: destination.form,
          },
    options: { ...options, erase: false },
    restoreJobId,
    startedWork,
    form: keptForm(server),
  }
  return JSON.stringify(kept)
}

/** Also while it is being read, or locked, or away for now: only what is no image at all isn't worth another look. */
const isKept = (image: OpenedImage): boolean =>
  !image.practice && (image.error?.family !== 'format' || isLocked(image))

function keptForm({ draft, shown, optionsShown }: ServerView): EarlierForm {
  const { source, device, password: _, ...fields } = draft
  const isThere = source !== null && device?.state !== 'gone'
  return {
    shown,
    optionsShown,
    source: isThere ? { locator: locatorOf(source), disk: device && placeOf(device.item.disk) } : null,
    draft: fields,
  }
}

/** Of a disk, what tells whether it is still the same. */
const placeOf = ({ path, identity, volumes }: DiskPlace): DiskPlace => ({
  path,
  identity,
  volumes: volumes.map(({ path, offset }) => ({ path, offset })),
})
type DiskPlace = NonNullable<EarlierTarget['disk']>

/** Null where it isn't what `encodeRemembered` writes. */
export function parseRemembered(text: string | null): Remembered | null {
  const value = parseJson(text)
  if (!isRecord(value)) return null
  const { tab, activity, listed, images, source, target, options, restoreJobId, startedWork, form } = value
  return {
    tab: tab === 'multicast' || tab === 'activity' ? tab : 'restore',
    activity: activity === 'log' ? 'log' : 'jobs',
    listed: listed === 'volumes' ? 'volumes' : 'devices',
    images: readTexts(images),
    source: isSource(source) ? source : null,
    target: isTarget(target) ? target : null,
    options: readOptions(options),
    restoreJobId: typeof restoreJobId === 'string' ? restoreJobId : null,
    startedWork: readTexts(startedWork),
    form: readForm(form),
  }
}

const readTexts = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((text) => typeof text === 'string') : []

function readForm(value: unknown): EarlierForm {
  const { source, shown, optionsShown, draft } = isRecord(value) ? value : {}
  return {
    source: isSource(source) ? source : null,
    shown: typeof shown === 'string' ? shown : null,
    optionsShown: optionsShown === true,
    draft: readDraft(isRecord(draft) ? draft : {}),
  }
}

/** A field that isn't what it can be is what it is in an empty form. */
function readDraft(value: Fields): EarlierForm['draft'] {
  const { source: _, device: __, password: ___, fixed, start, compression, ...fields } = streamDraft
  const isFixed = (name: unknown): name is StreamDraft['fixed'][number] =>
    name === 'name' || name === 'group' || name === 'dataRate'
  const same = Object.entries(fields).filter(([name, field]) => typeof value[name] === typeof field)
  return {
    ...fields,
    ...Object.fromEntries(same.map(([name]) => [name, value[name]])),
    start: starts.find((rule) => rule === value['start']) ?? start,
    compression: compressions.find((kind) => kind === value['compression']) ?? compression,
    fixed: Array.isArray(value['fixed']) ? value['fixed'].filter(isFixed) : fixed,
  }
}

const starts: readonly StreamDraft['start'][] = ['first', 'clients', 'time', 'either', 'hand']
const compressions: readonly StreamDraft['compression'][] = ['none', 'speed', 'balanced', 'size']

function parseJson(text: string | null): unknown {
  try {
    return JSON.parse(text ?? 'null')
  } catch {
    return null
  }
}

type Fields = { readonly [name: string]: unknown }

const isRecord = (value: unknown): value is Fields => typeof value === 'object' && value !== null

const isSource = (value: unknown): value is EarlierSource =>
  isRecord(value) &&
  typeof value['locator'] === 'string' &&
  (value['disk'] === null || isPlace(value['disk']))

function isTarget(value: unknown): value is EarlierTarget {
  if (!isRecord(value) || typeof value['path'] !== 'string') return false
  const { form } = value
  if (form !== undefined && form !== 'contents' && form !== 'file') return false
  if (value['kind'] === 'file') return value['disk'] === null
  return (value['kind'] === 'disk' || value['kind'] === 'partition') && isPlace(value['disk'])
}

const isPlace = (value: unknown): value is DiskPlace =>
  isRecord(value) &&
  typeof value['path'] === 'string' &&
  typeof value['identity'] === 'string' &&
  Array.isArray(value['volumes']) &&
  value['volumes'].every(
    (volume) =>
      isRecord(volume) && typeof volume['path'] === 'string' && typeof volume['offset'] === 'number',
  )

function readOptions(value: unknown): RestoreOptions {
  if (!isRecord(value)) return defaultOptions
  const flag = (name: 'verify' | 'clearUnused' | 'changedOnly') => {
    const kept = value[name]
    return typeof kept === 'boolean' ? kept : defaultOptions[name]
  }
  return {
    erase: false,
    verify: flag('verify'),
    clearUnused: flag('clearUnused'),
    changedOnly: flag('changedOnly'),
    afterwards: value['afterwards'] === 'eject' ? 'eject' : 'remount',
  }
}
