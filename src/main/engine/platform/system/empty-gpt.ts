/**
 * An empty GUID partition table: what a disk is left with when a restore failed after writing began, so that every
 * system sees a valid disk with nothing on it. Bytes only, no I/O.
 *
 * UEFI Specification 2.10, §5.2.3 (protective MBR) and §5.3 (GPT).
 *
 *   block 0                 protective MBR
 *   block 1                 header
 *   block 2 …               128 entries of 128 bytes, all zero
 *   …                       usable blocks
 *   last − entries … last−1 the entries again
 *   last                    header again
 */
import { crc32 } from 'node:zlib'
import { invariant } from '#shared/errors'

const ENTRIES = 128
const ENTRY_BYTES = 128
const HEADER_BYTES = 92

export interface EmptyGptOptions {
  /** Of the whole disk; a multiple of `blockBytes`. */
  readonly sizeBytes: number
  /** The disk's logical block size: 512 … 65,536. */
  readonly blockBytes: number
  /** `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`; a new one for each table. */
  readonly diskGuid: string
}

/** The smallest disk that can carry a table with room for one block of data. */
export function smallestGptBytes(blockBytes: number): number {
  return (2 * (entryBlocks(blockBytes) + 1) + 2) * blockBytes
}

/** The table as two stretches: at the start of the disk and at its end. Throws nothing for a disk that is big enough. */
export function encodeEmptyGpt(options: EmptyGptOptions): readonly { offset: number; bytes: Uint8Array }[] {
  const { sizeBytes, blockBytes } = options
  invariant(sizeBytes >= smallestGptBytes(blockBytes), 'encodeEmptyGpt was given a disk that is too small')
  const last = Math.floor(sizeBytes / blockBytes) - 1
  const entries = entryBlocks(blockBytes)
  const start = Buffer.alloc((2 + entries) * blockBytes)
  encodeProtectiveMbr(last).copy(start, 0)
  encodeHeader(options, { own: 1, other: last, firstEntry: 2, last }).copy(start, blockBytes)
  const end = Buffer.alloc((entries + 1) * blockBytes)
  encodeHeader(options, { own: last, other: 1, firstEntry: last - entries, last }).copy(
    end,
    entries * blockBytes,
  )
  return [
    { offset: 0, bytes: start },
    { offset: (last - entries) * blockBytes, bytes: end },
  ]
}

function entryBlocks(blockBytes: number): number {
  return Math.ceil((ENTRIES * ENTRY_BYTES) / blockBytes)
}

/** One record of type 0xEE over the whole disk. The C/H/S fields are what §5.2.3 prints: 0x000200 and 0xFFFFFF. */
function encodeProtectiveMbr(last: number): Buffer {
  const mbr = Buffer.alloc(512)
  mbr.writeUIntBE(0x00_00_02_00, 446, 4) // not bootable, starting C/H/S
  mbr.writeUIntBE(0xee_ff_ff_ff, 450, 4) // type, ending C/H/S
  mbr.writeUInt32LE(1, 454) // starting block
  mbr.writeUInt32LE(Math.min(last, 0xffff_ffff), 458) // blocks, "0xFFFFFFFF if it doesn't fit"
  mbr.writeUInt16BE(0x55aa, 510)
  return mbr
}

interface Place {
  readonly own: number
  readonly other: number
  readonly firstEntry: number
  readonly last: number
}

function encodeHeader({ blockBytes, diskGuid }: EmptyGptOptions, place: Place): Buffer {
  const entries = entryBlocks(blockBytes)
  const header = Buffer.alloc(blockBytes)
  header.write('EFI PART', 0, 'latin1') // Signature
  header.writeUInt32LE(0x0001_0000, 8) // Revision 1.0
  header.writeUInt32LE(HEADER_BYTES, 12) // HeaderSize
  header.writeBigUInt64LE(BigInt(place.own), 24) // MyLBA
  header.writeBigUInt64LE(BigInt(place.other), 32) // AlternateLBA
  header.writeBigUInt64LE(BigInt(2 + entries), 40) // FirstUsableLBA
  header.writeBigUInt64LE(BigInt(place.last - entries - 1), 48) // LastUsableLBA
  encodeGuid(diskGuid).copy(header, 56) // DiskGUID
  header.writeBigUInt64LE(BigInt(place.firstEntry), 72) // PartitionEntryLBA
  header.writeUInt32LE(ENTRIES, 80) // NumberOfPartitionEntries
  header.writeUInt32LE(ENTRY_BYTES, 84) // SizeOfPartitionEntry
  header.writeUInt32LE(crc32(Buffer.alloc(ENTRIES * ENTRY_BYTES)), 88) // PartitionEntryArrayCRC32
  // HeaderCRC32: "computed by setting this field to 0 and computing the CRC over HeaderSize bytes".
  header.writeUInt32LE(crc32(header.subarray(0, HEADER_BYTES)), 16)
  return header
}

/** The first three groups are little-endian numbers, the rest are bytes (§A, EFI GUID format). */
function encodeGuid(guid: string): Buffer {
  const raw = Buffer.from(guid.replaceAll('-', ''), 'hex')
  invariant(raw.length === 16, `not a GUID: ${guid}`)
  raw.subarray(0, 4).reverse()
  raw.subarray(4, 6).reverse()
  raw.subarray(6, 8).reverse()
  return raw
}
