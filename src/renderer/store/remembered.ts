/**
 * What a reload of the page brings back: the wells, the options, and the restore that was shown. Only what to ask the
 * engine for again is kept, with the identity of disks, and everything is chosen anew with it. Never kept: the tick, what
 * was typed to confirm, passwords. What is read may be anything. Pure.
 */
import type { EarlierSource, EarlierTarget } from './follow-disks.ts'
import { defaultOptions, type RestoreOptions, type ViewState } from './view-state.ts'

/** Text that lasts as long as the page's tab. */
export interface Memory {
  readonly read: () => string | null
  readonly write: (text: string) => void
}

export interface Remembered {
  readonly source: EarlierSource | null
  readonly target: EarlierTarget | null
  readonly options: RestoreOptions
  readonly restoreJobId: string | null
}

export function encodeRemembered({ source, destination, options, restoreJobId }: ViewState): string {
  const kept: Remembered = {
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
  }
  return JSON.stringify(kept)
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
  const { source, target, options, restoreJobId } = value
  return {
    source: isSource(source) ? source : null,
    target: isTarget(target) ? target : null,
    options: readOptions(options),
    restoreJobId: typeof restoreJobId === 'string' ? restoreJobId : null,
  }
}

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
