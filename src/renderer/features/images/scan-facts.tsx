/** A scan for restore as facts. Pure. */
import type { Fact } from '#renderer/components'
import {
  apfsRole,
  streamObstacle,
  type ImageInfo,
  type ScanInfo,
  type ScannedPartition,
  type StreamObstacle,
} from '#shared/model'
import { formatBytes, formatCount, localTime } from '#shared/units'
import { describeApfsVolume } from '#shared/words'

const moment = (ms: number) => localTime(ms, { dateStyle: 'medium', timeStyle: 'short' })
const optional = (name: string, value: string | null): readonly Fact[] =>
  value === null ? [] : [{ name, value }]

/** Long rows of figures, small enough for one line. */
const Hash = ({ value }: { readonly value: string }) => <code className="small">{value}</code>
const hash = (name: string, value: string | null): readonly Fact[] =>
  value === null ? [] : [{ name, value: <Hash value={value} /> }]

const obstacles: { readonly [obstacle in StreamObstacle]: string } = {
  segments: 'No: it lies in several files',
  order: "No: the data isn't in order",
  hashes: 'No: there are no block hashes',
}

/** Of the image as a whole. */
export function scanInfoFacts(
  info: Pick<ImageInfo, 'inOrder' | 'segmentCount'>,
  scan: ScanInfo,
): readonly Fact[] {
  const { blocks } = scan
  const obstacle = streamObstacle(info, scan)
  return [
    ...optional('Scanned', scan.dateMs === null ? null : moment(scan.dateMs)),
    { name: 'By', value: scan.scannedBy ?? 'Another program' },
    {
      name: 'Stream-ready',
      value: obstacle === null ? 'Yes: the data is in order' : obstacles[obstacle],
    },
    {
      name: 'Block hashes',
      value: blocks
        ? `${formatCount(blocks.count)} blocks of ${formatBytes(blocks.blockBytes)}, SHA-256`
        : 'None: scan it with Reprise to store them',
    },
    ...(blocks ? [{ name: 'Over all blocks', value: <Hash value={blocks.root} /> }] : []),
  ]
}

/** Of each partition, in the order stored. */
export function scannedPartitions(
  info: Pick<ImageInfo, 'tables' | 'partitions'>,
  scan: ScanInfo,
): readonly { readonly title: string; readonly facts: readonly Fact[] }[] {
  return scan.partitions.map((scanned) => {
    // It goes by the tables of the image, of which a partition map and the gaps have theirs, too.
    const name = info.tables.find(({ id }) => id === scanned.partNum)?.name ?? ''
    return {
      title: name === '' ? `Part ${scanned.partNum}` : name,
      facts: partitionFacts(scanned, info),
    }
  })
}

function partitionFacts(scanned: ScannedPartition, info: Pick<ImageInfo, 'partitions'>): readonly Fact[] {
  return [
    ...hash('SHA-256', scanned.sha256),
    ...hash('SHA-1', scanned.sha1),
    ...hash('Block checksum', scanned.blockChecksum2),
    ...optional('Used', scanned.usedBytes === null ? null : formatBytes(scanned.usedBytes)),
    ...optional('Last changed', scanned.dateMs === null ? null : moment(scanned.dateMs)),
    ...(scanned.volumes.length === 0
      ? []
      : [
          {
            name: 'Volumes',
            value: scanned.volumes
              .map(({ name, uuid }) => describeApfsVolume({ name, role: apfsRole(info, uuid) }))
              .join(', '),
          },
        ]),
  ]
}
