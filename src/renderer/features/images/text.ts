/** The words of the sheets that work on images. */
import { unreachable, type SerializedError } from '#shared/errors'
import type { DraftProblem, FilesSheet, ImageDraft } from '#renderer/store'
import type { ImageInfo } from '#shared/model'
import { formatBytes, formatRemaining, formatShare } from '#shared/units'
import { describeError } from '#shared/words'

export const filesTitles: { readonly [purpose in FilesSheet['purpose']]: string } = {
  source: 'Choose an image as the source',
  open: 'Open a disk image',
  stream: 'Choose an image to stream',
  verify: 'Choose an image to verify',
  scan: 'Choose an image to scan for restore',
  'scan-info': 'Choose an image whose scan to show',
  convert: 'Choose an image to convert',
  resize: 'Choose an image to resize',
  'add-checksum': 'Choose an image to add checksums to',
  compact: 'Choose a sparse image to compact',
  target: 'Choose where to write the image',
  folder: 'Choose the folder that the image is to hold',
  configuration: 'Open a configuration of a stream',
  'configuration-folder': 'Choose where to write the configuration',
}

/** Why a folder isn't listed. Rights are the system's: what a terminal could do about them helps nobody in this panel. */
export function describeListing(error: SerializedError): string {
  const { what, now } = describeError(error)
  return now === null || error.code === 'E_DENIED' ? what : `${what} ${now}`
}

export function makeTitle({ work }: ImageDraft): string {
  switch (work.kind) {
    case 'convert':
      return `Convert '${work.name}'`
    case 'blank':
      return 'New blank image'
    case 'folder':
      return 'New image from a folder'
    case 'device':
      return 'New image from a device'
    default:
      return unreachable(work)
  }
}

/** Larger ones couldn't even be counted in bytes. */
export const sizeWanted = `Give a size of at most ${formatBytes(Number.MAX_SAFE_INTEGER)}, for example 4.7 GB.`

/** What is to be mended before it can be started. */
export function describeDraftProblem(problem: DraftProblem): string {
  switch (problem.kind) {
    case 'no-name':
      return 'Give the image a name.'
    case 'bad-name':
      return "A name can't hold / or \\."
    case 'no-folder':
      return 'Choose where to write it.'
    case 'folder-gone':
      return "This folder isn't there. Choose another."
    case 'folder-denied':
      return "This folder can't be written to. Choose another."
    case 'is-folder':
      return 'A folder has this name. Choose another name.'
    case 'same-file':
      return "This is the image itself. Choose another name; the original isn't changed."
    case 'no-size':
      return sizeWanted
    case 'no-segments':
      return 'Give the size of a segment, for example 650 MB.'
    case 'no-from':
      return 'Choose what the image is made of.'
    case 'no-password':
      return 'Give a password. Without it nobody can open the image, you neither.'
    case 'passwords-differ':
      return "The two passwords aren't the same."
    case 'error': {
      const words = describeError(problem.error)
      return [words.what, words.why, words.now].filter((part) => part !== null).join(' ')
    }
    default:
      return unreachable(problem)
  }
}

/** The words of a problem that belongs to one field, for that field; null for the others. */
export const problemAbout = (
  problem: DraftProblem | null,
  ...kinds: readonly DraftProblem['kind'][]
): string | null => (problem && kinds.includes(problem.kind) ? describeDraftProblem(problem) : null)

/** What there is before a conversion: `14.2 GB disk in 5.8 GB, 41 %`. */
export function originalSize({
  sizeBytes,
  storedBytes,
}: Pick<ImageInfo, 'sizeBytes' | 'storedBytes'>): string {
  const stored = formatBytes(storedBytes)
  return sizeBytes === null
    ? `${stored} stored`
    : `${formatBytes(sizeBytes)} disk in ${stored}, ${formatShare(storedBytes, sizeBytes)}`
}

/** A rough rate at which images are read and hashed, for an estimate that is told as one. */
const scanBytesPerSecond = 250e6

/** `about 40 seconds` */
export const scanTime = (sizeBytes: number): string =>
  formatRemaining((sizeBytes / scanBytesPerSecond) * 1000)

/** What rewriting an image needs, beside what is free where that is known. */
export function describeRoom(neededBytes: number, freeBytes: number | null): string {
  const needs = `${formatBytes(neededBytes)} beside the image`
  return freeBytes === null ? needs : `${needs}; ${formatBytes(freeBytes)} are free there`
}
