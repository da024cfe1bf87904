/**
 * Records of NTFS' master file table and the attributes in them. Layout as in the Linux kernel's fs/ntfs3/ntfs.h. Attributes
 * that a record has elsewhere aren't followed.
 */
import { consistent, NotCertain, safe, type BlockVolume } from './used-blocks.ts'

export const attributeList = 0x20
export const volumeInformation = 0x70
export const data = 0x80
const inUse = 1
/** Where the fixups begin in records that have their own number in front of them: those of version 3.1. */
const fixupsBehindNumber = 48

/** What of the boot sector the records need. */
export interface NtfsLayout {
  readonly clusterBytes: number
  readonly clusters: number
  readonly recordBytes: number
  readonly tableAt: number
}

/** A stretch of a file: clusters on the volume. */
export interface Run {
  readonly cluster: number
  readonly count: number
}

export interface Attribute {
  readonly type: number
  readonly isNamed: boolean
  /** From its own start, for values that are in the record; null for others. */
  readonly value: Buffer | null
  /** Of others. */
  readonly runs: readonly Run[]
  /** Clusters that aren't on the volume. */
  readonly holes: number
  readonly sizeBytes: number
  readonly flags: number
}

/** All attributes of the record of that index. Throws `NotCertain` 'inconsistent' for one that isn't sound. */
export async function readRecord(
  volume: BlockVolume,
  layout: NtfsLayout,
  index: number,
): Promise<Attribute[]> {
  const { tableAt, recordBytes } = layout
  const record = await volume.read(tableAt + index * recordBytes, recordBytes)
  consistent(record.toString('latin1', 0, 4) === 'FILE', `record ${index}`)
  undoFixups(record)
  const hasNumber = record.readUInt16LE(4) >= fixupsBehindNumber
  consistent(
    (record.readUInt16LE(22) & inUse) !== 0 && (!hasNumber || record.readUInt32LE(44) === index),
    `record ${index}`,
  )
  const attributes: Attribute[] = []
  const end = Math.min(record.readUInt32LE(24), recordBytes)
  for (let at = record.readUInt16LE(20); at + 8 <= end;) {
    const type = record.readUInt32LE(at)
    if (type === 0xffff_ffff) return attributes
    const length = record.readUInt32LE(at + 4)
    consistent(length >= 24 && at + length <= end, `attribute of record ${index}`)
    attributes.push(parseAttribute(record.subarray(at, at + length), layout))
    at += length
  }
  throw new NotCertain('inconsistent', `record ${index} has no end`)
}

function parseAttribute(bytes: Buffer, layout: NtfsLayout): Attribute {
  const common = {
    type: bytes.readUInt32LE(0),
    isNamed: bytes.readUInt8(9) !== 0,
    flags: bytes.readUInt16LE(12),
  }
  if (bytes.readUInt8(8) === 0) {
    const start = bytes.readUInt16LE(20)
    const length = bytes.readUInt32LE(16)
    consistent(start + length <= bytes.length, 'value of an attribute')
    return { ...common, value: bytes.subarray(start, start + length), runs: [], holes: 0, sizeBytes: length }
  }
  consistent(bytes.length >= 64 && bytes.readBigUInt64LE(16) === 0n, 'runs of an attribute')
  const places =
    common.type === data
      ? parseRuns(bytes.subarray(bytes.readUInt16LE(32)), layout.clusters)
      : { runs: [], holes: 0 }
  return {
    ...common,
    value: null,
    ...places,
    sizeBytes: safe(bytes.readBigUInt64LE(48), 'size of an attribute'),
  }
}

/** Pairs of a length and a signed step from the last cluster, each in as many bytes as the nibbles of the byte before say. */
function parseRuns(
  bytes: Buffer,
  clusters: number,
): { readonly runs: readonly Run[]; readonly holes: number } {
  const runs: Run[] = []
  let holes = 0
  let cluster = 0
  for (let at = 0; ;) {
    const header = bytes[at]
    consistent(header !== undefined, 'runs without an end')
    if (header === 0) return { runs, holes }
    const lengthSize = header & 15
    const stepSize = header >>> 4
    const next = at + 1 + lengthSize + stepSize
    consistent(lengthSize >= 1 && lengthSize <= 6 && stepSize <= 6 && next <= bytes.length, 'a run')
    const count = bytes.readUIntLE(at + 1, lengthSize)
    if (stepSize === 0) holes += count
    else {
      cluster += bytes.readIntLE(at + 1 + lengthSize, stepSize)
      consistent(count > 0 && cluster >= 0 && cluster + count <= clusters, 'a run leads outside')
      runs.push({ cluster, count })
    }
    at = next
  }
}

/** The last two bytes of every 512 must be the record's counter; what they were is kept in an array at the front. */
function undoFixups(record: Buffer): void {
  const arrayAt = record.readUInt16LE(4)
  const count = record.readUInt16LE(6)
  consistent(count === record.length / 512 + 1 && arrayAt + count * 2 <= 510, 'fixups of a record')
  const counter = record.readUInt16LE(arrayAt)
  for (let index = 1; index < count; index++) {
    consistent(record.readUInt16LE(index * 512 - 2) === counter, 'a record that was not written whole')
    record.copy(record, index * 512 - 2, arrayAt + index * 2, arrayAt + index * 2 + 2)
  }
}
