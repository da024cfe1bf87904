/** The preflight's findings, one line each. */
import { unreachable } from '#shared/errors'
import type { PreflightCheck, RestorePlan, SourceInfo } from '#shared/model'
import { formatBytes } from '#shared/units'
import { counted, enumerate, quote, sizePair, type Names } from './details.ts'
import { describeError } from './error-words.ts'
import { describeFormat } from './formats.ts'
import { byReader } from './readers.ts'

/** A line without a full stop where it is a fact, a sentence where it explains. */
export function describeCheck(check: PreflightCheck, names: Names = {}): string {
  switch (check.kind) {
    case 'target-ok':
      return `Destination: ${check.name}${check.sizeBytes === null ? '' : `, ${formatBytes(check.sizeBytes)}`}`
    case 'source-ok':
      return `Source: ${check.name}, ${describeFormat(check.format)}${comparison(check)}`
    case 'fits': {
      if (check.availableBytes === null) return `Needs ${formatBytes(check.neededBytes)}`
      const [needed, available] = sizePair(check.neededBytes, check.availableBytes)
      return needed === available ? `Fits exactly: ${needed}` : `Fits: ${needed} of ${available}`
    }
    case 'size-unknown':
      return check.availableBytes === null
        ? "The size of the image isn't known before it has been read."
        : `The size of the image isn't known before it has been read; the destination holds ${formatBytes(check.availableBytes)}.`
    case 'left-over':
      return `${formatBytes(check.unusedBytes)} at the end will be left unused`
    case 'losses':
      if (check.names.length === 0) return 'Will be lost: the partition map of the disk'
      return check.names.length === 1
        ? `Will be lost: ${check.names.join('')}`
        : `${counted(check.names.length, 'volume', 'volumes')} will be lost: ${enumerate(check.names)}`
    case 'unmounts':
      return `Will be unmounted: ${enumerate(check.mountPoints)}`
    case 'only-volume':
      return `Only ${describeVolumes(check)} is restored`
    case 'not-checksummed':
      return 'The image holds no checksums: the copy is compared with what was read, and damage in the image itself would not be noticed.'
    case 'partly-checksummed':
      return 'The image holds checksums of only a part of it: damage in the rest would not be noticed.'
    case 'checksum-left-out':
      return `The SHA-256 in ${quote(check.file)} isn't compared here: only verifying the image does that (${byReader(names, { window: 'Images ▸ Verify…', terminal: 'reprise image verify' })}).`
    case 'changed-only':
      return describeComparison(check.by)
    case 'block-size':
      return `The source is made for blocks of ${check.sourceBytes} bytes; the destination has blocks of ${check.diskBytes} bytes. ${check.holds === 'partitions' ? 'Its partitions may not be recognised.' : 'Its file system may not open there.'}`
    case 'error': {
      const words = describeError(check.error, names)
      return words.why === null ? words.what : `${words.what} ${words.why}`
    }
    default:
      return unreachable(check)
  }
}

function describeVolumes({ names, partition }: Extract<PreflightCheck, { kind: 'only-volume' }>): string {
  const place = `partition ${partition}`
  if (names.length === 0) return `${place} of the image`
  const shown = enumerate(names.map(quote))
  return names.length === 1
    ? `the volume ${shown} of the image (${place})`
    : `${place} of the image, with the volumes ${shown},`
}

/** With what the image is compared while it is read. */
function comparison({ name, checksums }: Extract<PreflightCheck, { kind: 'source-ok' }>): string {
  switch (checksums) {
    case 'inside':
      return ', with checksums'
    case 'partly':
      return ', with checksums of a part of it'
    case 'beside':
      return `, compared with the SHA-256 in ${quote(`${name}.sha256`)}`
    case 'none':
      return ''
    default:
      return unreachable(checksums)
  }
}

function describeComparison(by: Extract<PreflightCheck, { kind: 'changed-only' }>['by']): string {
  switch (by) {
    case 'hashes':
      return 'Only changed blocks will be written, as the hashes in the image tell them'
    case 'source':
      return 'Only changed blocks will be written. The image holds no block hashes, so all of it has to be read to find them. Of an image that was scanned for restore, only what differs is read.'
    case 'volume':
      return 'Only changed blocks will be written. All of the volume has to be read to find them: hashes are of the blocks of a whole disk.'
    case 'nothing':
      return 'There is nothing to compare with yet: everything will be written.'
    default:
      return unreachable(by)
  }
}

/** The names a plan's errors are told with: the ends' own names as far as they were found. */
export function namesOf({ source, target }: Pick<RestorePlan, 'source' | 'target'>): Names {
  return {
    source: source?.name,
    sourcePath: source === null ? undefined : pathOf(source),
    target: target?.name,
    targetPath: target?.path,
  }
}

/** Where it is read: the node, where a mount point was named. */
function pathOf(source: SourceInfo): string {
  switch (source.kind) {
    case 'disk':
      return source.disk.path
    case 'volume':
      return source.volume.path
    case 'image':
      return source.image.path
    case 'stream':
      return source.locator
    default:
      return unreachable(source)
  }
}
