/** What can be folded out under a job that ended: checksums, and how an image was made. Pure. */
import { unreachable } from '#shared/errors'
import type { CreationWay, ImageChecksum, JobOutcome, ReadPart, WholeReason } from '#shared/model'
import { formatBytes, formatCount } from '#shared/units'
import { describeFilesystem, describePartitionMap } from '#shared/words'

export interface OutcomeDetails {
  readonly label: string
  readonly lines: readonly string[]
}

export function outcomeDetails(outcome: JobOutcome): OutcomeDetails | null {
  switch (outcome.kind) {
    case 'checked':
      return checksums(outcome.verification.checked)
    case 'checksummed':
      return checksums(outcome.checksums.added)
    case 'created':
      return { label: 'How it was made', lines: wayLines(outcome.creation.way) }
    case 'done':
    case 'converted':
    case 'scanned':
    case 'resized':
    case 'failed':
    case 'cancelled':
      return null
    default:
      return unreachable(outcome)
  }
}

/** `blkx 2 "disk image (Apple_HFS : 2)": CRC-32 89ab12cd` */
function checksums(
  list: readonly (Pick<ImageChecksum, 'algorithm' | 'value'> & { readonly what: string })[],
): OutcomeDetails | null {
  if (list.length === 0) return null
  return {
    label: list.length === 1 ? '1 checksum' : `${list.length} checksums`,
    lines: list.map(({ what, algorithm, value }) => `${what}: ${algorithm} ${value}`),
  }
}

function wayLines(way: CreationWay): readonly string[] {
  switch (way.kind) {
    case 'blank': {
      const map = describePartitionMap(way.partitionMap)
      if (way.filesystem === null) return [map, 'No file system']
      const tool = way.tool === null ? '' : `, made by ${way.tool}`
      return [map, `${describeFilesystem(way.filesystem)}${tool}`]
    }
    case 'folder':
      return [
        `${describeFilesystem(way.filesystem)}, made by ${way.tool}`,
        `${formatCount(way.entries)} files and folders, ${formatBytes(way.contentBytes)}`,
      ]
    case 'device':
      return [describePartitionMap(way.partitionMap), ...way.parts.map(partLine)]
    default:
      return unreachable(way)
  }
}

const reasons: { readonly [reason in WholeReason]: string } = {
  unknown: "its file system isn't one whose free space Reprise knows",
  unclean: "it wasn't unmounted cleanly",
  features: 'its file system uses features that Reprise knows too little of',
  inconsistent: 'what its file system says of its free space contradicts itself',
}

function partLine(part: ReadPart): string {
  const { index, label, filesystem, usedBytes, sizeBytes, whole } = part
  const name = [
    index === 0 ? 'All of it' : `Partition ${index}`,
    label,
    filesystem && describeFilesystem(filesystem),
  ]
  const words = name.filter((each) => each !== null && each !== '').join(', ')
  const shadows = part.hasShadowCopies === true ? '; its restore points may not be whole' : ''
  return whole === null
    ? `${words}: only what is used, ${formatBytes(usedBytes)} of ${formatBytes(sizeBytes)}${shadows}`
    : `${words}: read whole, ${formatBytes(sizeBytes)}: ${reasons[whole]}`
}
