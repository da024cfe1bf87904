/** `reprise image info`: what an image is, without reading all of it. */
import { serializeError } from '#shared/errors'
import { isStreamReady, type ImageChecksum, type ImageInfo } from '#shared/model'
import { formatBytes, formatCount } from '#shared/units'
import { describeFilesystem, describeFormat, describePartitionMap } from '#shared/words'
import { exitCancelled, exitDone } from './exit-status.ts'
import { tellFetching } from './fetching.ts'
import { untilInterrupted, watchInterrupt } from './interrupt.ts'
import { isoTime } from './iso-time.ts'
import { jsonLine } from './json-lines.ts'
import { imageLocatorFrom, nameOfLocator } from './locator.ts'
import { passwordNote, passwordOptions, unlockSource } from './passwords.ts'
import { printable } from './printable.ts'
import { report, tellingOf } from './report.ts'
import { scanInfoText } from './scan-info.ts'
import { table } from './table.ts'
import { defineVerb, openLog } from './verb.ts'

export const imageInfo = defineVerb({
  name: 'image info',
  summary: 'Show what an image is and holds.',
  synopsis: 'IMAGE [--stdinpass] [--json]',
  notes: [passwordNote],
  options: passwordOptions,
  operands: { least: 1, most: 1, placeholder: 'IMAGE' },
  async run(context, values, [path = '']) {
    using interrupt = watchInterrupt(context.terminal)
    const engines = await context.engines(openLog(context, values))
    using _fetching = tellFetching(engines, { ...context, as: values.json ? null : 'text', target: null })
    const image = imageLocatorFrom(context.cwd, path)
    try {
      await unlockSource(context, engines, image, values, interrupt)
      const info = await untilInterrupted(engines.imageInfo(image), interrupt)
      context.terminal.write(values.json ? jsonLine('image', info) : imageInfoText(info))
      return exitDone
    } catch (error) {
      if (interrupt.causedBy(error)) return exitCancelled
      return report(context.terminal, serializeError(error), tellingOf(values), {
        names: { source: nameOfLocator(path) },
      })
    }
  },
})

export function imageInfoText(info: ImageInfo): string {
  return [factsText(info), partitionsText(info), tablesText(info), checksumsText(info), scanText(info)]
    .filter((part) => part !== '')
    .join('\n')
}

function factsText(info: ImageInfo): string {
  const modified = info.modifiedMs === 0 ? null : isoTime(info.modifiedMs)
  const facts: (readonly [string, string] | null)[] = [
    ['Image', info.name],
    ['Path', info.path],
    ['Format', formatText(info)],
    [
      'Disk size',
      info.sizeBytes === null ? 'not known before all of it has been read' : exactly(info.sizeBytes),
    ],
    ['Stored', storedText(info)],
    info.encrypted === null ? null : ['Encrypted', `AES-${info.encrypted.bits}`],
    info.dataBytes === null ? null : ['Data', `${exactly(info.dataBytes)} that are neither zero nor unused`],
    info.segmentCount > 1 ? ['Segments', formatCount(info.segmentCount)] : null,
    modified === null ? null : ['Modified', modified],
    ['Partition map', describePartitionMap(info.partitionMap)],
    runsText(info),
    info.inOrder === null ? null : ['In order', orderText(info)],
  ]
  const shown = facts.filter((fact) => fact !== null)
  return shown.map(([name, value]) => `${`${name}:`.padEnd(16)}${printable(value)}\n`).join('')
}

/** Only what lies in one file can be put in order. */
function orderText(info: ImageInfo): string {
  if (info.inOrder === true) return isStreamReady(info) ? 'yes, ready to be multicast' : 'yes'
  return info.segmentCount > 1 ? 'no' : 'no, a scan would put it in order'
}

const formatText = ({ format }: ImageInfo): string =>
  format.startsWith('U') ? `${describeFormat(format)}, ${format}` : describeFormat(format)

const exactly = (bytes: number): string =>
  bytes < 1000 ? formatBytes(bytes) : `${formatBytes(bytes)} (${formatCount(bytes)} bytes)`

function storedText(info: ImageInfo): string {
  const stored = exactly(info.storedBytes)
  if (info.sizeBytes === null || info.sizeBytes === 0) return stored
  const percent = (info.storedBytes / info.sizeBytes) * 100
  return `${stored}, ${percent < 9.95 ? percent.toFixed(1) : percent.toFixed(0)} % of the disk`
}

function runsText(info: ImageInfo): readonly [string, string] | null {
  const counts = Object.entries(info.runCounts).filter(([, count]) => count > 0)
  if (counts.length === 0) return null
  return ['Runs', counts.map(([kind, count]) => `${formatCount(count)} ${kind}`).join(', ')]
}

function partitionsText(info: ImageInfo): string {
  if (info.partitions.length === 0) return ''
  return `Partitions\n${table(
    [
      { title: '#', align: 'right' },
      { title: 'OFFSET', align: 'right' },
      { title: 'SIZE', align: 'right' },
      { title: 'TYPE' },
      { title: 'FORMAT' },
      { title: 'LABEL' },
      { title: 'NAME' },
    ],
    info.partitions.map((partition) => [
      String(partition.index),
      formatCount(partition.offset),
      formatBytes(partition.sizeBytes),
      partition.type,
      partition.filesystem === null ? '' : describeFilesystem(partition.filesystem),
      partition.label ?? '',
      partition.name ?? '',
    ]),
  )}${volumesText(info)}`
}

/** The volumes of APFS containers. */
function volumesText({ partitions }: ImageInfo): string {
  const volumes = partitions.flatMap(({ index, volumes: inside = [] }) =>
    inside.map(({ name, role, uuid }) => [String(index), name, role ?? '', uuid]),
  )
  if (volumes.length === 0) return ''
  const columns = [
    { title: 'PARTITION', align: 'right' as const },
    { title: 'VOLUME' },
    { title: 'ROLE' },
    { title: 'UUID' },
  ]
  return `\nVolumes\n${table(columns, volumes)}`
}

function tablesText(info: ImageInfo): string {
  if (info.tables.length === 0) return ''
  return `Block tables\n${table(
    [
      { title: 'FIRST SECTOR', align: 'right' },
      { title: 'SECTORS', align: 'right' },
      { title: 'RUNS', align: 'right' },
      { title: 'CHECKSUM' },
      { title: 'NAME' },
    ],
    info.tables.map((entry) => [
      formatCount(entry.firstSector),
      formatCount(entry.sectorCount),
      formatCount(entry.runCount),
      checksumText(entry.checksum),
      entry.name,
    ]),
  )}`
}

function checksumsText(info: ImageInfo): string {
  const { fileChecksum, streamChecksum, tables } = info
  const inside =
    streamChecksum === undefined
      ? ''
      : `Contents:       ${printable(streamChecksum)}, which the file carries and image verify compares\n`
  const beside =
    fileChecksum === undefined
      ? ''
      : `File:           ${printable(`${checksumText(fileChecksum)}, in ${info.name}.sha256`)}\n`
  if (info.dataForkChecksum === null && info.masterChecksum === null) {
    const some = inside + beside !== '' || tables.some(({ checksum }) => checksum !== null)
    return some ? inside + beside : 'Checksums:      none\n'
  }
  return [
    `Data fork:      ${printable(checksumText(info.dataForkChecksum))}\n`,
    `Master:         ${printable(checksumText(info.masterChecksum))}\n`,
    beside,
  ].join('')
}

const checksumText = (checksum: ImageChecksum | null): string =>
  checksum === null ? 'none' : `${checksum.algorithm} ${checksum.value}`

/** Only UDIF images have a place for a scan, as long as they are not encrypted. */
function scanText(info: ImageInfo): string {
  if (info.scan !== null) return `Scan for restore\n${scanInfoText(info, info.scan)}`
  return info.tables.length === 0 || info.encrypted !== null
    ? ''
    : 'Scan:           none, this image has not been scanned for restore\n'
}
