/**
 * What a scan for restore stored: `cSum` and `nsiz` resources, one pair for each scanned partition, and `size` for the
 * HFS+ volume. Byte tables: docs/formats/udif.md §6. It is shown, never relied on: what can't be read is left out.
 */
import { defineStruct, parsedOrNull } from '#engine/formats/struct'
import type { ScanInfo, ScannedPartition } from '#shared/model'
import { parseBlockHashesHeader } from './block-hashes.ts'
import { parseNsizVolumes } from './nsiz-volumes.ts'
import { cSumFields, hfsEpochSeconds, sizeFields } from './scan-structs.ts'
import { parseSmallPlist, type PlistDict } from './small-plist.ts'
import type { Resource } from './resources.ts'

const cSumStructs = (['little', 'big'] as const).map((endian) =>
  defineStruct({ format: 'udif', name: 'cSum', endian, fields: cSumFields }),
)

const sizeStruct = defineStruct({ format: 'udif', name: 'size', endian: 'little', fields: sizeFields })

/**
 * One entry for each partition that has `nsiz`, `cSum` or both; null when the image was never scanned. `diskBytes`: of the
 * disk inside.
 */
export function parseScanInfo(resources: readonly Resource[], diskBytes: number): ScanInfo | null {
  const ids = [
    ...new Set(resources.filter(({ type }) => type === 'nsiz' || type === 'cSum').map(({ id }) => id)),
  ]
  const partitions = ids
    .map((id) =>
      scannedPartition(id, (type) => resources.find((found) => found.type === type && found.id === id)),
    )
    .filter((partition) => partition !== null)
  const hashes = resources.find(({ type }) => type === 'rpbh')
  const blocks =
    hashes === undefined
      ? null
      : parsedOrNull(() =>
          parseBlockHashesHeader(hashes.data, { lengthBytes: hashes.lengthBytes, diskBytes }),
        )
  if (partitions.length === 0 && blocks === null) return null
  return {
    partitions,
    blocks: blocks && { blockBytes: blocks.blockBytes, count: blocks.count, root: blocks.root },
    dateMs: blocks?.scannedMs ?? null,
    scannedBy: blocks?.scannedBy ?? null,
  }
}

function scannedPartition(
  id: number,
  resource: (type: string) => Resource | undefined,
): ScannedPartition | null {
  const about = parsedOrNull(() => parseSmallPlist(resource('nsiz')?.data ?? new Uint8Array(0)))
  const blockChecksum2 =
    numberIn(about, 'block-checksum-2') ?? parsedOrNull(() => parseCSum(resource('cSum')?.data))
  if (about === null && blockChecksum2 === null) return null
  const date = numberIn(about, 'date') ?? parsedOrNull(() => parseSize(resource('size')?.data))
  const bytes = numberIn(about, 'bytes')
  return {
    partNum: numberIn(about, 'part-num') ?? id,
    sha1: hexIn(about, 'SHA-1-digest', 20),
    sha256: hexIn(about, 'SHA-256-digest', 32),
    blockChecksum2: blockChecksum2 === null ? null : (blockChecksum2 >>> 0).toString(16).padStart(8, '0'),
    // Written as a signed 32-bit number although it counts from 1904.
    dateMs: date === null || date === 0 ? null : ((date >>> 0) - hfsEpochSeconds) * 1000,
    usedBytes: bytes !== null && bytes >= 0 ? bytes : null,
    volumes: parsedOrNull(() => parseNsizVolumes(resource('nsiz')?.data ?? new Uint8Array(0))) ?? [],
  }
}

function parseCSum(data: Uint8Array | undefined): number | null {
  if (data === undefined) return null
  for (const struct of cSumStructs) {
    const { version, type, checksum } = struct.parse(data, 0)
    if (version === 1 && type === 2) return checksum
  }
  return null
}

function parseSize(data: Uint8Array | undefined): number | null {
  return data === undefined ? null : sizeStruct.parse(data, 0).volumeModified
}

function numberIn(dict: PlistDict | null, key: string): number | null {
  const value = dict?.get(key)
  return typeof value === 'number' ? value : null
}

function hexIn(dict: PlistDict | null, key: string, lengthBytes: number): string | null {
  const value = dict?.get(key)
  return value instanceof Uint8Array && value.length === lengthBytes
    ? Buffer.from(value).toString('hex')
    : null
}
