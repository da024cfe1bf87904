/** What the footer and Get Info tell of a disk, a volume or an image. Pure. */
import { unreachable } from '#shared/errors'
import type { Fact } from '#renderer/components'
import { isLocked, volumeName, type Item, type OpenedImage } from '#renderer/store'
import {
  isComparedWithFile,
  isStreamReady,
  isWebLocator,
  withoutPassword,
  type Disk,
  type FoundStream,
  type ImageChecksum,
  type ImageInfo,
  type ScanInfo,
  type Volume,
} from '#shared/model'
import { formatBytes, formatCount } from '#shared/units'
import {
  capital,
  describeApfsVolume,
  describeBus,
  describeError,
  describeFilesystem,
  describeFormat,
  describePartitionMap,
  describeProtection,
  scanDay,
  scanHashes,
} from '#shared/words'

/** Under the name. */
export function itemKind(item: Item): string {
  switch (item.kind) {
    case 'disk': {
      const { disk } = item
      if (disk.protection) return `Protected: ${describeProtection(disk.protection)}`
      if (disk.practice) return 'Practice disk'
      return disk.model !== null && disk.model !== disk.name ? disk.model : diskKind(disk)
    }
    case 'volume':
      return `Volume on ${item.disk.name}`
    case 'image':
      return imageKind(item.image)
    case 'stream':
      return `Stream from ${item.stream.host}`
    default:
      return unreachable(item)
  }
}

function imageKind({ practice, path, info, ...image }: OpenedImage): string {
  if (practice) return 'Practice image'
  const kind = isLocked(image) || info?.encrypted ? 'Encrypted disk image' : 'Disk image'
  return isWebLocator(path) ? `${kind} on a web server` : kind
}

const diskKind = (disk: Disk) => {
  if (disk.bus === 'loop') return 'Attached disk image'
  return disk.internal ? 'Internal disk' : 'External disk'
}

/** At most five: there is one line for them. */
export function shortFacts(item: Item): readonly Fact[] {
  switch (item.kind) {
    case 'disk':
      return [
        { name: 'Bus', value: describeBus(item.disk.bus) },
        { name: 'Device', value: item.disk.path },
        { name: 'Format', value: describePartitionMap(item.disk.partitionMap) },
        { name: 'Mounted at', value: mountedAt(item.disk.volumes) },
        { name: 'Capacity', value: formatBytes(item.disk.sizeBytes) },
      ]
    case 'volume':
      return [
        { name: 'Device', value: item.volume.path },
        { name: 'Format', value: volumeFormat(item.volume) },
        { name: 'Mounted at', value: mountedAt([item.volume]) },
        { name: 'Capacity', value: formatBytes(item.volume.sizeBytes) },
      ]
    case 'image':
      return imageShortFacts(item.image)
    case 'stream':
      return streamFacts(item.stream)
    default:
      return unreachable(item)
  }
}

const streamFacts = ({ imageName, sizeBytes, host, address, port }: FoundStream): readonly Fact[] => [
  { name: 'Image', value: imageName },
  ...(sizeBytes === null ? [] : [{ name: 'Size', value: formatBytes(sizeBytes) }]),
  { name: 'Server', value: host },
  { name: 'Address', value: `${address}:${port}` },
]

/** What an image's path is called. */
const placeName = (path: string) => (isWebLocator(path) ? 'Address' : 'File')

function imageShortFacts({ info, error, path, name }: OpenedImage): readonly Fact[] {
  if (error && isLocked({ error }))
    return [
      { name: 'Locked', value: 'Unlock it with its password to see what is inside' },
      { name: 'File', value: withoutPassword(path) },
    ]
  if (error) return [{ name: 'Problem', value: describeError(error, { source: name }).what }]
  if (!info) return [{ name: placeName(path), value: withoutPassword(path) }]
  return [
    { name: 'Format', value: describeFormat(info.format) },
    { name: 'Capacity', value: info.sizeBytes === null ? 'Not known yet' : formatBytes(info.sizeBytes) },
    { name: 'File size', value: formatBytes(info.storedBytes) },
    // Only of UDIF images anybody asks.
    ...(canBeScanned(info)
      ? [{ name: 'Scanned', value: info.scan ? scanFacts(info, info.scan) : 'No' }]
      : []),
    ...(info.encrypted ? [{ name: 'Encrypted', value: `AES-${info.encrypted.bits}` }] : []),
    ...(isComparedWithFile(info) ? [{ name: 'Checksum', value: 'SHA-256 beside it' }] : []),
  ]
}

/** Raw and sparse images have no place for a scan. */
const canBeScanned = ({ format }: ImageInfo) => !/^(raw|UDSP$|UDSB$)/.test(format)

const mountedAt = (volumes: readonly Volume[]) =>
  volumes.flatMap((volume) => volume.mountPoints).join(', ') || 'Not mounted'

const volumeFormat = (volume: Volume) =>
  volume.filesystem === null ? (volume.partitionType ?? 'Unknown') : describeFilesystem(volume.filesystem)

/** Everything, for the Get Info sheet. */
export function longFacts(item: Item): readonly Fact[] {
  switch (item.kind) {
    case 'disk':
      return diskFacts(item.disk)
    case 'volume':
      return [
        ...shortFacts(item),
        { name: 'On', value: item.disk.name },
        ...optional('Partition type', item.volume.partitionType),
        ...optional('UUID', item.volume.uuid),
        { name: 'Offset', value: `${formatCount(item.volume.offset)} bytes` },
        ...(item.volume.usedBytes === null
          ? []
          : [{ name: 'Used', value: formatBytes(item.volume.usedBytes) }]),
      ]
    case 'image':
      return item.image.info ? imageFacts(item.image.info) : shortFacts(item)
    case 'stream':
      return [
        ...streamFacts(item.stream),
        { name: 'Locator', value: item.stream.locator },
        ...optional('Fingerprint', item.stream.fingerprint),
      ]
    default:
      return unreachable(item)
  }
}

function diskFacts(disk: Disk): readonly Fact[] {
  return [
    ...(disk.protection ? [{ name: 'Protected', value: capital(describeProtection(disk.protection)) }] : []),
    ...optional('Vendor', disk.vendor),
    ...optional('Model', disk.model),
    ...optional('Serial number', disk.serial),
    { name: 'Bus', value: describeBus(disk.bus) },
    { name: 'Device', value: disk.path },
    ...optional('File', disk.backingFile),
    { name: 'Capacity', value: exactSize(disk.sizeBytes) },
    { name: 'Block size', value: `${formatCount(disk.logicalBlockBytes)} bytes` },
    { name: 'Format', value: describePartitionMap(disk.partitionMap) },
    ...disk.volumes.map((volume) => ({
      name: volume.index > 0 ? `Partition ${volume.index}` : 'Volume',
      value: [
        volumeName(volume),
        volumeFormat(volume),
        formatBytes(volume.sizeBytes),
        ...volume.mountPoints,
      ].join(', '),
    })),
  ]
}

function imageFacts(info: ImageInfo): readonly Fact[] {
  const checksummed = info.tables.filter((table) => table.checksum !== null).length
  return [
    { name: placeName(info.path), value: withoutPassword(info.path) },
    { name: 'Format', value: describeFormat(info.format) },
    ...(info.encrypted
      ? [
          {
            name: 'Encrypted',
            value: `AES-${info.encrypted.bits}, version ${info.encrypted.version}; unlocked until Reprise ends`,
          },
        ]
      : []),
    { name: 'File size', value: exactSize(info.storedBytes) },
    ...(info.segmentCount > 1 ? [{ name: 'Segments', value: formatCount(info.segmentCount) }] : []),
    {
      name: 'Capacity',
      value: info.sizeBytes === null ? 'Not known before it has been read' : exactSize(info.sizeBytes),
    },
    ...(info.dataBytes === null ? [] : [{ name: 'Data in it', value: formatBytes(info.dataBytes) }]),
    { name: 'Partition map', value: describePartitionMap(info.partitionMap) },
    ...info.partitions.map((partition) => ({
      name: `Partition ${partition.index}`,
      value: [
        partition.label ?? partition.name ?? partition.type,
        partition.filesystem === null ? partition.type : describeFilesystem(partition.filesystem),
        formatBytes(partition.sizeBytes),
      ].join(', '),
    })),
    ...info.partitions.flatMap(({ index, volumes = [] }) =>
      volumes.length === 0
        ? []
        : [{ name: `APFS volumes in ${index}`, value: volumes.map(describeApfsVolume).join(', ') }],
    ),
    ...(info.tables.length === 0
      ? []
      : [
          {
            name: 'Tables',
            value: `${formatCount(info.tables.length)}, ${formatCount(checksummed)} with checksum`,
          },
        ]),
    ...(info.dataForkChecksum ? [{ name: 'Data checksum', value: checksum(info.dataForkChecksum) }] : []),
    ...(info.masterChecksum ? [{ name: 'Master checksum', value: checksum(info.masterChecksum) }] : []),
    ...(info.streamChecksum === undefined
      ? []
      : [{ name: 'Checksum', value: `${info.streamChecksum} of its contents, which Verify compares` }]),
    ...(info.fileChecksum ? [{ name: 'Beside it', value: checksumBeside(info, info.fileChecksum) }] : []),
    ...(info.inOrder === null ? [] : [{ name: 'In order', value: orderText(info) }]),
    ...(canBeScanned(info)
      ? [{ name: 'Scanned', value: info.scan ? scanFacts(info, info.scan) : 'No' }]
      : []),
    ...(info.scan?.blocks
      ? [
          {
            name: 'Block hashes',
            value: `${formatCount(info.scan.blocks.count)} of ${formatBytes(info.scan.blocks.blockBytes)}`,
          },
        ]
      : []),
  ]
}

function orderText(info: ImageInfo): string {
  if (!info.inOrder) return 'No'
  return isStreamReady(info) ? 'Yes, ready to be multicast' : 'Yes'
}

/** What is read here and there, or decrypted, can't be compared with it on the way. */
const checksumBeside = (info: ImageInfo, found: ImageChecksum) =>
  `${checksum(found)}, in ${info.name}.sha256${isComparedWithFile(info) ? '' : '; only Verify compares it'}`

const checksum = ({ algorithm, value }: ImageChecksum) => `${algorithm} ${value}`

const exactSize = (bytes: number) => `${formatBytes(bytes)} (${formatCount(bytes)} bytes)`

const optional = (name: string, value: string | null): readonly Fact[] =>
  value === null ? [] : [{ name, value }]

const scanFacts = (info: ImageInfo, scan: ScanInfo): string =>
  [scanDay(scan) ?? 'Yes', ...scanHashes(scan), ...(isStreamReady(info) ? ['stream-ready'] : [])].join(', ')
