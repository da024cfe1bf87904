/**
 * What --format, --SHA1 and --SHA256 demand of the source. asr converts nothing in a block copy either: the target gets
 * the source's file system, so another format can only be refused.
 */
import { UsageError, unreachable } from '#shared/errors'
import type { SourceInfo } from '#shared/model'
import { describeFilesystem } from '#shared/words'
import { usageError } from './arguments.ts'
import type { Demands } from './restore-options.ts'

/** Throws UsageError E_USAGE or E_SRC_NOSCAN. */
export function checkDemands(demands: Demands, source: SourceInfo): void {
  if (demands.format !== null) checkFormat(demands.format, source)
  if (demands.digest !== null) checkDigest(demands.digest, source)
}

function checkFormat(format: 'HFS+' | 'HFSX', source: SourceInfo): void {
  const names = filesystemsOf(source).map(describeFilesystem)
  const hfs = names.filter((name) => name === 'HFS+' || name === 'HFSX')
  // Linux calls both `hfsplus`; only an image is read closely enough to tell them apart.
  const exact = imageOf(source) !== null
  if (hfs.some((name) => name === format || !exact)) return
  throw usageError(
    '--format',
    hfs.length === 0
      ? `'${source.name}' holds no ${format} volume.`
      : `'${source.name}' holds ${hfs.join(' and ')}, and a block copy can't make ${format} of it.`,
    'Leave --format out: the target gets the format of the source.',
  )
}

function filesystemsOf(source: SourceInfo): readonly string[] {
  return allFilesystems(source).filter((name) => name !== null)
}

function allFilesystems(source: SourceInfo): readonly (string | null)[] {
  switch (source.kind) {
    case 'image':
    case 'stream':
      return (source.image?.partitions ?? []).map((partition) => partition.filesystem)
    case 'volume':
      return [source.volume.filesystem]
    case 'disk':
      return source.disk.volumes.map((volume) => volume.filesystem)
    default:
      return unreachable(source)
  }
}

const imageOf = (source: SourceInfo) =>
  source.kind === 'image' || source.kind === 'stream' ? source.image : null

function checkDigest(digest: 'SHA-1' | 'SHA-256', source: SourceInfo): void {
  const partitions = imageOf(source)?.scan?.partitions ?? []
  const key = digest === 'SHA-1' ? 'sha1' : 'sha256'
  if (partitions.some((partition) => partition[key] !== null)) return
  throw new UsageError('E_SRC_NOSCAN', `no ${digest} digest in ${source.locator}`, {
    details: { input: source.locator, name: source.name, digest },
  })
}
