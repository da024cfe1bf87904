/** How an image came about, in words: which way was taken, and what was read of a device. */
import { unreachable } from '#shared/errors'
import type { CreationWay, ReadPart, WholeReason } from '#shared/model'
import { formatBytes, formatCount } from '#shared/units'
import { describeFilesystem } from './disks.ts'

const reasons: { readonly [reason in WholeReason]: string } = {
  unknown: 'which of its blocks are in use is not known',
  unclean: "it wasn't unmounted cleanly",
  features: 'it has features that Reprise does not know',
  inconsistent: 'what it says of its blocks contradicts itself',
}

/** A line each. */
export function describeCreationWay(way: CreationWay): readonly string[] {
  switch (way.kind) {
    case 'blank': {
      const map =
        way.partitionMap === 'none'
          ? 'no partition map'
          : `a partition map (${way.partitionMap.toUpperCase()})`
      const { filesystem, tool } = way
      if (filesystem === null) return [`Blank, with ${map}`]
      return [`Blank, with ${map} and ${describeFilesystem(filesystem)}, made by ${tool ?? 'the system'}`]
    }
    case 'folder': {
      const { filesystem, tool, entries, contentBytes } = way
      return [
        `${describeFilesystem(filesystem)} with ${formatCount(entries)} files and folders (${formatBytes(contentBytes)}), made by ${tool}`,
      ]
    }
    case 'device':
      return way.parts.map((part) => partText(part))
    default:
      return unreachable(way)
  }
}

/** What has no map may be a disk, or a partition that was named itself. */
function partText(part: ReadPart): string {
  const { index, filesystem, label, sizeBytes, usedBytes, whole } = part
  const place = index === 0 ? (filesystem === null ? 'All of it' : 'The volume') : `Partition ${index}`
  const kind = filesystem === null ? 'no known file system' : describeFilesystem(filesystem)
  const named = label === null ? kind : `${kind}, ${label}`
  const shadows = part.hasShadowCopies === true ? '; its restore points (shadow copies) may not be whole' : ''
  return whole === null
    ? `${place} (${named}): only used blocks were read, ${formatBytes(usedBytes)} of ${formatBytes(sizeBytes)}${shadows}`
    : `${place} (${named}): all ${formatBytes(sizeBytes)} were read, because ${reasons[whole]}`
}
