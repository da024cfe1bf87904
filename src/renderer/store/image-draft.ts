/**
 * What stands in the Convert and New Image sheets while they are filled in, what is still wrong with it, and the task
 * that it becomes. Pure.
 */
import type { SerializedError } from '#shared/errors'
import {
  compressionLevels,
  isWebLocator,
  type CreatableFilesystem,
  type CreatableMap,
  type CreateSource,
  type ImageInfo,
  type ImageTask,
  type WritableFormat,
} from '#shared/model'
import { devicePath, itemName, type DeviceItem } from './items.ts'

export const sizeUnits = ['MB', 'GB', 'TB'] as const
/** A size as it is typed. */
export interface SizeDraft {
  readonly figure: string
  readonly unit: (typeof sizeUnits)[number]
}

export interface ImageDraft {
  readonly work:
    | {
        readonly kind: 'convert'
        readonly path: string
        readonly name: string
        readonly info: ImageInfo | null
      }
    | { readonly kind: 'blank' }
    | { readonly kind: 'folder' }
    | { readonly kind: 'device' }
  readonly name: string
  /** The person gave the name: it doesn't follow what the image is made of any more. */
  readonly named: boolean
  readonly folder: string
  /** The path that the system's panel has asked about: what lies there may go. */
  readonly mayReplace: string | null
  readonly format: WritableFormat
  /** Null: as the format has it. */
  readonly level: number | null
  /** Null: in one piece. */
  readonly segments: SizeDraft | null
  /** Null: not encrypted. */
  readonly encryption: { readonly password: string; readonly again: string } | null
  // Of New Image only.
  readonly size: SizeDraft
  readonly partitionMap: CreatableMap
  readonly filesystem: CreatableFilesystem | null
  readonly volumeName: string
  /** The folder or device an image is made of. */
  readonly from: string | null
  /** The device, as it was chosen: another one may come to its path. Null for a folder. */
  readonly device: DeviceItem | null
}

/** What keeps it from being started. */
export type DraftProblem =
  | { readonly kind: 'no-name' | 'bad-name' | 'no-folder' | 'folder-gone' | 'folder-denied' | 'is-folder' }
  | { readonly kind: 'same-file' | 'no-size' | 'no-segments' | 'no-from' }
  | { readonly kind: 'no-password' | 'passwords-differ' }
  | { readonly kind: 'error'; readonly error: SerializedError }

/** Of every format that has another one than `.dmg`. */
const endings: { readonly [format: string]: string } = {
  raw: '.img',
  UDSP: '.sparseimage',
  UDSB: '.sparsebundle',
}

const endingOf = (format: WritableFormat): string => endings[format] ?? '.dmg'

const anyEnding =
  /\.(dmg|img|raw|iso|cdr|toast|sparseimage|sparsebundle|bin|dd)(\.(gz|bz2|xz|zst))?$|\.(gz|bz2|xz|zst)$/i

/** `System.dmg` as `raw` is `System.img`; a name without an ending of ours gets the format's. */
export function nameFor(name: string, format: WritableFormat): string {
  const stem = name.trim().replace(anyEnding, '')
  return stem === '' ? '' : stem + endingOf(format)
}

const blank: Omit<ImageDraft, 'work' | 'name' | 'folder'> = {
  named: false,
  mayReplace: null,
  format: 'UDZO',
  level: null,
  segments: null,
  encryption: null,
  size: { figure: '100', unit: 'MB' },
  partitionMap: 'gpt',
  filesystem: null,
  volumeName: '',
  from: null,
  device: null,
}

/** `home` is where files go that have no better place. */
export function convertDraft(path: string, info: ImageInfo | null, name: string, home: string): ImageDraft {
  const format: WritableFormat = info?.format === 'UDZO' ? 'ULFO' : 'UDZO'
  const folder = isWebLocator(path) ? home : folderOf(path)
  // In the same folder the copy needs a name of its own.
  const named = nameFor(name, format)
  const free = joinPath(folder, named) === path ? named.replace(/(\.[^.]*)$/, ' converted$1') : named
  return { ...blank, work: { kind: 'convert', path, name, info }, name: free, folder, format }
}

export function createDraft(
  kind: 'blank' | 'folder' | 'device',
  device: DeviceItem | null,
  home: string,
): ImageDraft {
  const draft: ImageDraft = {
    ...blank,
    work: { kind },
    name: '',
    folder: home,
    format: kind === 'blank' ? 'UDRW' : 'UDZO',
    filesystem: kind === 'blank' ? 'ext4' : null,
  }
  return draftOfDevice(draft, device)
}

/** What the image is made of was chosen: the image is called after it, until somebody calls it otherwise. */
export const draftFrom = (draft: ImageDraft, path: string | null, name: string): ImageDraft => ({
  ...draft,
  from: path,
  name: draft.named ? draft.name : nameFor(name, draft.format),
})

/** The same of a device; null: of none. */
export const draftOfDevice = (draft: ImageDraft, device: DeviceItem | null): ImageDraft => ({
  ...draftFrom(draft, device && devicePath(device), device ? itemName(device) : 'Untitled'),
  device,
})

const unitBytes: { readonly [unit in SizeDraft['unit']]: number } = { MB: 1e6, GB: 1e9, TB: 1e12 }
/** Every size is whole blocks of 4 KiB, so that every file system and every sector size likes it. */
const wholeBytes = 4096

/** Bytes, rounded up to whole blocks; null when it isn't a size. */
export function draftBytes({ figure, unit }: SizeDraft): number | null {
  if (!/^\d{1,6}([.,]\d{1,3})?$/.test(figure.trim())) return null
  const bytes =
    Math.ceil((Number(figure.trim().replace(',', '.')) * unitBytes[unit]) / wholeBytes) * wholeBytes
  return bytes > 0 && Number.isSafeInteger(bytes) ? bytes : null
}

/** The size as it would be typed: in the largest unit that leaves at most three decimals. */
export function sizeDraft(bytes: number): SizeDraft {
  const unit = bytes >= unitBytes.TB ? 'TB' : bytes >= unitBytes.GB ? 'GB' : 'MB'
  return { figure: String(Number((bytes / unitBytes[unit]).toFixed(3))), unit }
}

/** Only UDIF is cut into segments. */
export const canBeCut = (format: WritableFormat): boolean => endingOf(format) === '.dmg'

/** The first thing that is to be mended, as far as the window can tell; null when it can be started. */
export function draftProblem(draft: ImageDraft): DraftProblem | null {
  const { work, name, folder, encryption, segments, format } = draft
  if ((work.kind === 'folder' || work.kind === 'device') && draft.from === null) return { kind: 'no-from' }
  if (name.trim() === '') return { kind: 'no-name' }
  if (/[/\\\0]/.test(name) || name === '.' || name === '..') return { kind: 'bad-name' }
  if (folder === '') return { kind: 'no-folder' }
  if (work.kind === 'convert' && draftPath(draft) === work.path) return { kind: 'same-file' }
  if (work.kind === 'blank' && draftBytes(draft.size) === null) return { kind: 'no-size' }
  if (work.kind === 'convert' && segments && canBeCut(format) && draftBytes(segments) === null)
    return { kind: 'no-segments' }
  if (encryption && encryption.password === '') return { kind: 'no-password' }
  if (encryption && encryption.password !== encryption.again) return { kind: 'passwords-differ' }
  return null
}

/** Where it is to be written. */
export const draftPath = ({ folder, name }: ImageDraft): string => joinPath(folder, name.trim())

/** The task, of a draft that has no problem. `erase`: what lies there may be replaced. */
export function draftTask(draft: ImageDraft, { erase }: { readonly erase: boolean }): ImageTask {
  const { work, format } = draft
  const shared = {
    target: draftPath(draft),
    format,
    level: compressionLevels[format] === undefined ? null : draft.level,
    erase,
    encryption: draft.encryption && { password: draft.encryption.password },
  }
  if (work.kind === 'convert') {
    const cut = draft.segments && canBeCut(format) ? draftBytes(draft.segments) : null
    return { kind: 'convert', source: work.path, segmentBytes: cut, ...shared }
  }
  const volumeName = draft.volumeName.trim() === '' ? null : draft.volumeName.trim()
  return { kind: 'create', volumeName, from: sourceOf(draft), ...shared }
}

function sourceOf({ work, from, size, partitionMap, filesystem }: ImageDraft): CreateSource {
  if (work.kind === 'folder' || work.kind === 'device') return { kind: work.kind, path: from ?? '' }
  return { kind: 'blank', sizeBytes: draftBytes(size) ?? 0, partitionMap, filesystem }
}

/** Paths of the host's system, which may be Windows. */
export function joinPath(folder: string, name: string): string {
  const separator = folder.includes('\\') && !folder.includes('/') ? '\\' : '/'
  return folder.endsWith(separator) ? folder + name : folder + separator + name
}

/** The folder of a path; the path's root for what lies there. */
export function folderOf(path: string): string {
  const end = Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\'))
  return end <= 0 ? path.slice(0, end + 1) : path.slice(0, end)
}

/** A folder that is an image: it is chosen, not gone into, and replaced as one thing. */
export const isBundle = (path: string): boolean => /\.sparsebundle$/i.test(path)
