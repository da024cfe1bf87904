/** `reprise info`: what a scan for restore stored in an image, when, and by what. */
import { serializeError, UsageError } from '#shared/errors'
import {
  apfsRole,
  streamObstacle,
  withoutPassword,
  type ImageInfo,
  type ScanInfo,
  type ScannedPartition,
  type StreamObstacle,
} from '#shared/model'
import { formatBytes, formatCount } from '#shared/units'
import { usageError, type OptionTable } from './arguments.ts'
import { exitCancelled, exitDone } from './exit-status.ts'
import { tellFetching } from './fetching.ts'
import { untilInterrupted, watchInterrupt } from './interrupt.ts'
import { isoTime } from './iso-time.ts'
import { jsonLine } from './json-lines.ts'
import { imageLocatorFrom, nameOfLocator } from './locator.ts'
import { passwordOptions, unlockSource } from './passwords.ts'
import { plistText, type PlistValue } from './plist-text.ts'
import { printable } from './printable.ts'
import { report, tellingOf } from './report.ts'
import { defineVerb, openLog } from './verb.ts'

const infoOptions = {
  source: { kind: 'text', letter: 's', placeholder: 'IMAGE', help: 'An image that was scanned for restore.' },
  plist: { kind: 'flag', help: 'Print it as a property list.' },
  ...passwordOptions,
} as const satisfies OptionTable

export const info = defineVerb({
  name: 'info',
  summary: 'Show what a scan for restore stored in an image.',
  synopsis: '--source IMAGE [--plist]',
  notes: ['reprise image info shows everything else about an image.'],
  options: infoOptions,
  operands: { least: 0, most: 1, placeholder: 'IMAGE' },
  async run(context, values, [operand]) {
    const { terminal, cwd } = context
    if (values.source !== null && operand !== undefined)
      throw usageError(operand, 'The image is named twice.', 'Name it with --source alone.')
    if (values.json && values.plist)
      throw usageError('--plist', "--json and --plist can't both be given.", 'Leave one out.')
    const source = values.source ?? operand
    if (source === undefined) throw usageError('--source', '--source is missing.', 'It names an image.')
    const path = imageLocatorFrom(cwd, source)
    using interrupt = watchInterrupt(terminal)
    const engines = await context.engines(openLog(context, values))
    using _fetching = tellFetching(engines, { ...context, as: values.json ? null : 'text', target: null })
    try {
      await unlockSource(context, engines, path, values, interrupt)
      const image = await untilInterrupted(engines.imageInfo(path), interrupt)
      const { scan } = image
      // The name and password in an address are for its server alone.
      const shown = withoutPassword(path)
      if (scan === null)
        throw new UsageError('E_SRC_NOSCAN', `${shown} was never scanned`, {
          details: { input: shown, name: image.name, obstacle: scanObstacle(image) },
        })
      terminal.write(
        values.json
          ? jsonLine('scan', { path: shown, name: image.name, inOrder: image.inOrder, ...scan })
          : values.plist
            ? plistText(scanPlist(image, scan))
            : `${lines([['Image', image.name]], '')}${scanInfoText(image, scan)}`,
      )
      return exitDone
    } catch (error) {
      if (interrupt.causedBy(error)) return exitCancelled
      return report(terminal, serializeError(error), tellingOf(values), {
        names: { source: nameOfLocator(path) },
      })
    }
  },
})

type ScannedFacts = Pick<ImageInfo, 'inOrder' | 'segmentCount' | 'partitions'>

const obstacles: { readonly [obstacle in StreamObstacle]: string } = {
  segments: 'no, it lies in several files',
  order: 'no, its data is not in order',
  hashes: 'no, no hashes of its blocks were stored',
}

/** Why it can never be scanned as it is; null: it can. */
function scanObstacle({ tables, encrypted }: Pick<ImageInfo, 'tables' | 'encrypted'>) {
  if (encrypted !== null) return 'encrypted'
  return tables.length === 0 ? 'format' : null
}

const timeOf = ({ dateMs }: Pick<ScanInfo | ScannedPartition, 'dateMs'>): string | null =>
  dateMs === null ? null : isoTime(dateMs)

/** Also what `image info` says of a scan. */
export function scanInfoText(info: ScannedFacts, scan: ScanInfo): string {
  const obstacle = streamObstacle(info, scan)
  const facts: (readonly [string, string])[] = [
    ['Scanned', timeOf(scan) ?? 'at a time that was not stored'],
    ['By', scan.scannedBy ?? 'another program'],
    ['Stream-ready', obstacle === null ? 'yes' : obstacles[obstacle]],
    ...(scan.blocks === null
      ? [['Blocks', 'no hashes: changed blocks alone can be found after a scan by Reprise'] as const]
      : [
          [
            'Blocks',
            `${formatCount(scan.blocks.count)} of ${formatBytes(scan.blocks.blockBytes)}, SHA-256 each`,
          ] as const,
          ['Root', scan.blocks.root] as const,
        ]),
  ]
  return [lines(facts, ''), ...scan.partitions.map((partition) => partitionText(partition, info))].join('')
}

function partitionText(partition: ScannedPartition, info: Pick<ImageInfo, 'partitions'>): string {
  const { sha256, sha1, blockChecksum2, usedBytes, volumes } = partition
  const facts: (readonly [string, string | null])[] = [
    ['SHA-256', sha256],
    ['SHA-1', sha1],
    ['Block checksum', blockChecksum2],
    ['In use', usedBytes === null ? null : `${formatBytes(usedBytes)} (${formatCount(usedBytes)} bytes)`],
    ['Changed', timeOf(partition)],
    ...volumes.map(
      ({ name, uuid }) =>
        [
          'Volume',
          `${name} (${[apfsRole(info, uuid), uuid].filter((part) => part !== null).join(', ')})`,
        ] as const,
    ),
  ]
  return `Partition ${partition.partNum}\n${lines(
    facts.filter((fact): fact is readonly [string, string] => fact[1] !== null),
    '  ',
  )}`
}

const lines = (facts: readonly (readonly [string, string])[], indent: string): string =>
  facts.map(([key, value]) => `${indent}${`${key}:`.padEnd(16)}${printable(value)}\n`).join('')

const dateOf = (stored: Pick<ScanInfo | ScannedPartition, 'dateMs'>): Date | null =>
  timeOf(stored) === null ? null : new Date(stored.dateMs ?? 0)

/** Keys as asr stores them, where it has any. */
function scanPlist(info: ImageInfo, scan: ScanInfo): PlistValue {
  return {
    image: info.path,
    'scan-date': dateOf(scan),
    'scanned-by': scan.scannedBy,
    'stream-ready': streamObstacle(info, scan) === null,
    blocks:
      scan.blocks === null
        ? null
        : {
            'block-size': scan.blocks.blockBytes,
            count: scan.blocks.count,
            root: Buffer.from(scan.blocks.root, 'hex'),
          },
    partitions: scan.partitions.map((partition) => ({
      'part-num': partition.partNum,
      'SHA-256-digest': partition.sha256 === null ? null : Buffer.from(partition.sha256, 'hex'),
      'SHA-1-digest': partition.sha1 === null ? null : Buffer.from(partition.sha1, 'hex'),
      'block-checksum-2':
        partition.blockChecksum2 === null ? null : parseInt(partition.blockChecksum2, 16) | 0,
      bytes: partition.usedBytes,
      date: dateOf(partition),
      'Volume names and UUIDs': partition.volumes.length === 0 ? null : [...partition.volumes],
    })),
  }
}
