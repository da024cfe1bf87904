/**
 * What a scan for restore stores, as asr does (docs/formats/asr-scan.md): `cSum` and `nsiz` for each scanned partition, `size`
 * for an HFS+ volume, and our own `rpbh`. The reader beside it is scan-info.ts.
 */
import { defineStruct } from '#engine/formats/struct'
import { encodeBlockHashes, type BlockHashes } from './block-hashes.ts'
import { cSumFields, sizeFields } from './scan-structs.ts'
import { base64, escape, type ResourceToWrite } from './write-resources.ts'

/** What is stored of one partition. */
export interface PartitionScan {
  /** Of its table: part-num, and the ID of its resources. */
  readonly id: number
  /** 32 bytes. */
  readonly sha256: Uint8Array
  readonly blockChecksum: number
  /** Bytes in use, as far as the file system tells; else those the image holds. */
  readonly usedBytes: number
  /** Null where the partition holds no HFS+ volume. */
  readonly hfsPlus: {
    readonly signature: number
    /** Seconds since 1904, as in the volume header. */
    readonly modified: number
    readonly name: string | null
  } | null
  /** Of an APFS container. */
  readonly volumes: readonly { readonly name: string; readonly uuid: string }[]
}

export interface ScanToStore {
  readonly partitions: readonly PartitionScan[]
  readonly blocks: BlockHashes
  readonly diskBytes: number
  /** Milliseconds since 1970. */
  readonly scannedMs: number
  /** The program and its version. */
  readonly scannedBy: string
}

/** The types of resources that a scan writes: those of an older scan make way for them. */
export const scanTypes: ReadonlySet<string> = new Set(['cSum', 'nsiz', 'size', 'rpbh'])

const nsizVersion = 6
/** Little-endian, as on every Mac with an Intel or Apple processor. */
const cSumStruct = defineStruct({ format: 'udif', name: 'cSum', endian: 'little', fields: cSumFields })
const sizeStruct = defineStruct({ format: 'udif', name: 'size', endian: 'little', fields: sizeFields })

/** The resources, in asr's order, ours behind them. */
export function scanResources(scan: ScanToStore): ResourceToWrite[] {
  const { partitions } = scan
  return [
    ...partitions.map(({ id, blockChecksum }) =>
      resource('cSum', id, [cSumStruct.encode({ version: 1, type: 2, checksum: blockChecksum })]),
    ),
    ...partitions.map((partition) => resource('nsiz', partition.id, [encodeNsiz(partition)])),
    ...partitions.flatMap((partition) =>
      partition.hfsPlus === null ? [] : [resource('size', partition.id, [encodeSize(partition.hfsPlus)])],
    ),
    resource('rpbh', 0, encodeBlockHashes(scan.blocks, scan)),
  ]
}

const resource = (type: string, id: number, data: readonly Uint8Array[]): ResourceToWrite => ({
  type,
  id,
  name: '',
  attributes: '0x0000',
  data,
})

function encodeSize({ signature, modified, name }: NonNullable<PartitionScan['hfsPlus']>): Uint8Array {
  const text = Buffer.from(name ?? '', 'utf8').subarray(0, 255)
  const padded = new Uint8Array(255)
  padded.set(text)
  return sizeStruct.encode({
    version: 5,
    isHfs: 1,
    nameLength: text.length,
    name: padded,
    volumeModified: modified,
    volumeSignature: signature,
    sizePresent: 1,
  })
}

function encodeNsiz({ id, sha256, blockChecksum, usedBytes, hfsPlus, volumes }: PartitionScan): Uint8Array {
  const integer = (key: string, value: number) => `\t<key>${key}</key>\n\t<integer>${value}</integer>\n`
  const text = (key: string, value: string) =>
    `\t\t\t<key>${key}</key>\n\t\t\t<string>${escape(value)}</string>\n`
  const digest = [...base64([sha256])].join('').replaceAll('\t\t\t\t', '\t')
  const named = volumes.map(
    ({ name, uuid }) => `\t\t<dict>\n${text('name', name)}${text('uuid', uuid)}\t\t</dict>\n`,
  )
  return Buffer.from(
    '<?xml version="1.0" encoding="UTF-8"?>\n' +
      '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">\n' +
      `<plist version="1.0">\n<dict>\n\t<key>SHA-256-digest</key>\n\t<data>\n${digest}\t</data>\n` +
      (named.length === 0
        ? ''
        : `\t<key>Volume names and UUIDs</key>\n\t<array>\n${named.join('')}\t</array>\n`) +
      integer('block-checksum-2', blockChecksum | 0) +
      integer('bytes', usedBytes) +
      // A signed number although it counts from 1904: so do those of asr.
      (hfsPlus === null ? '' : integer('date', hfsPlus.modified | 0)) +
      integer('part-num', id) +
      integer('version', nsizVersion) +
      (hfsPlus === null ? '' : integer('volume-signature', hfsPlus.signature)) +
      '</dict>\n</plist>\n',
  )
}
