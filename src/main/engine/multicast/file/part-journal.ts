/**
 * What an unfinished file says of itself: which blocks of which stream are on the medium. Two copies behind the file's data,
 * written by turns, so that a power cut in the middle of one leaves the other:
 *
 *      0   8  magic       "RPRSPART"
 *      8   4  version     1
 *     12   4  blockBytes
 *     16   8  sizeBytes   of the stream
 *     24   8  turn        counts up; the higher one holds
 *     32  32  root        of the stream's block hashes
 *     64      a bit for each block, the first in the lowest bit
 *      …  32  SHA-256 of all that
 *
 * Little more than big-endian numbers; a file of somebody else's never passes for one.
 */
import { createHash } from 'node:crypto'

export interface StreamFacts {
  readonly sizeBytes: number
  readonly blockBytes: number
  /** 32 bytes. */
  readonly root: Uint8Array
}

export interface PartJournal extends StreamFacts {
  readonly turn: number
  /** By block: 1 when it is on the medium. */
  readonly have: Uint8Array
}

const magic = Buffer.from('RPRSPART', 'ascii')
const [version, headerBytes, digestBytes] = [1, 64, 32]
const alignBytes = 4096

const blocksOf = ({ sizeBytes, blockBytes }: StreamFacts) => Math.ceil(sizeBytes / blockBytes)
const recordBytes = (facts: StreamFacts) => headerBytes + Math.ceil(blocksOf(facts) / 8) + digestBytes
const aligned = (bytes: number) => Math.ceil(bytes / alignBytes) * alignBytes

/** Where the two copies begin, how long each is, and where the second one's pages end. */
export function journalPlace(facts: StreamFacts): {
  readonly offsets: readonly [number, number]
  readonly lengthBytes: number
  readonly endBytes: number
} {
  const lengthBytes = recordBytes(facts)
  const first = aligned(facts.sizeBytes)
  const second = first + aligned(lengthBytes)
  return { offsets: [first, second], lengthBytes, endBytes: second + aligned(lengthBytes) }
}

export function encodeJournal({ sizeBytes, blockBytes, root, turn, have }: PartJournal): Uint8Array {
  const record = Buffer.alloc(recordBytes({ sizeBytes, blockBytes, root }))
  magic.copy(record)
  record.writeUInt32BE(version, 8)
  record.writeUInt32BE(blockBytes, 12)
  record.writeBigUInt64BE(BigInt(sizeBytes), 16)
  record.writeBigUInt64BE(BigInt(turn), 24)
  record.set(root, 32)
  have.forEach((value, block) => {
    const at = headerBytes + (block >> 3)
    if (value === 1) record[at] = (record[at] as number) | (1 << (block & 7))
  })
  const end = record.length - digestBytes
  record.set(createHash('sha256').update(record.subarray(0, end)).digest(), end)
  return record
}

/** Null for what isn't a journal of this stream. */
export function parseJournal(bytes: Uint8Array, facts: StreamFacts): PartJournal | null {
  if (bytes.length !== recordBytes(facts)) return null
  const record = Buffer.from(bytes)
  const end = record.length - digestBytes
  const isWhole = createHash('sha256').update(record.subarray(0, end)).digest().equals(record.subarray(end))
  const isOurs =
    isWhole &&
    record.subarray(0, 8).equals(magic) &&
    record.readUInt32BE(8) === version &&
    record.readUInt32BE(12) === facts.blockBytes &&
    record.readBigUInt64BE(16) === BigInt(facts.sizeBytes) &&
    record.subarray(32, 64).equals(facts.root)
  if (!isOurs) return null
  const have = Uint8Array.from(
    { length: blocksOf(facts) },
    (_, block) => ((record[headerBytes + (block >> 3)] as number) >> (block & 7)) & 1,
  )
  return { ...facts, turn: Number(record.readBigUInt64BE(24)), have }
}
