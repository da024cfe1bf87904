/**
 * Which blocks of a stream a disk has got so far, written on the disk itself: so a client that was killed or rebooted goes on
 * where it was. It lies in the disk's first MiB, which is written last and is zeros until then; never in the first 64 KiB, where
 * partition maps and superblocks are. Two copies take turns, so that one is always whole.
 *
 *     0          128 KiB            576 KiB            1 MiB
 *     | zeros    | copy A, zeros    | copy B, zeros    |
 *
 * It is believed only when everything around it is zeros, as it is on a disk that is being received: whoever formatted the disk
 * since then has written there.
 */
import { crc32 } from 'node:zlib'
import { allocatePageAligned, type BlockSink } from '#engine/block-io'
import { defineStruct, parsedOrNull } from '#engine/formats/struct'
import { DeviceError } from '#shared/errors'
import { isZeros } from './block-checksums.ts'
import { headBytes } from './head-blocks.ts'

/** What is received where: all of it must be the same for a journal to be this one's. */
export interface JournalSubject {
  /** Over the hashes of all blocks: 32 bytes. */
  readonly root: Uint8Array
  readonly streamBytes: number
  readonly blockBytes: number
  readonly blocks: number
  /** Of the disk inside the image. */
  readonly diskBytes: number
  readonly clearUnused: boolean
}

export interface JournalState {
  /** A byte a block: 1 when it is on the medium. */
  readonly complete: Uint8Array
  /** Zeros and unused space were seen to. */
  readonly gapsDone: boolean
}

const kibibyte = 1024
const copyOffsets = [128 * kibibyte, 576 * kibibyte] as const
const copyBytes = 448 * kibibyte
const pageBytes = 4096
const flags = { clearUnused: 1, gapsDone: 2 }

const header = defineStruct({
  format: 'journal',
  name: 'header',
  endian: 'big',
  fields: [
    ['magic', 8, 'ascii'], // 'RPMCJRNL'
    ['version', 4, 'uint'], // 1
    ['flags', 4, 'uint'], // 1: unused space becomes zeros; 2: zeros and unused space are done
    ['serial', 8, 'uint'], // the newer copy has the higher one
    ['streamBytes', 8, 'uint'],
    ['diskBytes', 8, 'uint'],
    ['blockBytes', 4, 'uint'],
    ['blocks', 4, 'uint'], // a bit each follows, the first in the highest bit of a byte
    ['root', 32, 'bytes'],
    ['crc32', 4, 'uint'], // of header and bits, with zeros here
    ['reserved', 4, 'reserved'],
  ],
})

export interface Journal {
  /** What an earlier run left, or null. */
  readonly found: JournalState | null
  /** There is one on the disk now, found or written. */
  readonly isThere: boolean
  /** On the medium after the next flush. Flush before, so that it doesn't say more than there is. */
  write(state: JournalState): Promise<void>
  /** There is none any more. */
  erase(): Promise<void>
}

/** Bytes a journal of so many blocks takes up, whole pages. */
const recordBytes = (blocks: number) =>
  Math.ceil((header.sizeBytes + Math.ceil(blocks / 8)) / pageBytes) * pageBytes

/**
 * The journal of `subject`. Null where there can be none: the destination, or the disk in the image, is smaller (`capacityBytes`)
 * than what is written last, the stream has no root, or more blocks than fit. `earlier`: that of an earlier run may be gone on with,
 * if there is one; `ignored`: what is there isn't looked at. What can't be read is none: writing heals many a sector. Throws what
 * the sink's `read` throws but for that.
 */
export async function openJournal(
  sink: BlockSink,
  subject: JournalSubject,
  { earlier, capacityBytes }: { readonly earlier: 'looked for' | 'ignored'; readonly capacityBytes: number },
): Promise<Journal | null> {
  const { blocks, root } = subject
  const length = recordBytes(blocks)
  if (capacityBytes < headBytes || length > copyBytes || root.every((byte) => byte === 0)) return null
  const newest = earlier === 'ignored' ? null : await readNewest(sink, subject, length)
  let serial = newest?.serial ?? 0
  let isThere = newest !== null
  const room = allocatePageAligned(length)
  return {
    found: newest,
    get isThere() {
      return isThere
    },
    async write({ complete, gapsDone }) {
      serial += 1
      encodeInto(room, subject, { serial, complete, gapsDone })
      await sink.write(room, copyOffsets[serial % 2 === 0 ? 0 : 1])
      isThere = true
    },
    async erase() {
      room.fill(0)
      for (const offset of copyOffsets) await sink.write(room, offset)
      isThere = false
    },
  }
}

function encodeInto(
  room: Uint8Array,
  subject: JournalSubject,
  { serial, complete, gapsDone }: JournalState & { readonly serial: number },
): void {
  const { root, streamBytes, diskBytes, blockBytes, blocks, clearUnused } = subject
  const fields = {
    magic: 'RPMCJRNL',
    version: 1,
    flags: (clearUnused ? flags.clearUnused : 0) + (gapsDone ? flags.gapsDone : 0),
    serial,
    streamBytes,
    diskBytes,
    blockBytes,
    blocks,
    root,
  }
  room.fill(0)
  room.set(header.encode(fields))
  const bits = room.subarray(header.sizeBytes)
  for (let block = 0; block < blocks; block++)
    if (complete[block] === 1) bits[block >>> 3] = (bits[block >>> 3] ?? 0) | (0x80 >>> (block & 7))
  room.set(header.encode({ ...fields, crc32: crc32(recordOf(room, blocks)) }))
}

const recordOf = (room: Uint8Array, blocks: number) =>
  room.subarray(0, header.sizeBytes + Math.ceil(blocks / 8))

interface Found extends JournalState {
  readonly serial: number
}

async function readNewest(sink: BlockSink, subject: JournalSubject, length: number): Promise<Found | null> {
  const head = allocatePageAligned(headBytes)
  try {
    await sink.read(head, 0)
  } catch (error) {
    DeviceError.accept(error)
    if (error.code === 'E_IO_READ') return null
    throw error
  }
  const copies = copyOffsets.map((offset) => parseCopy(head.slice(offset, offset + length), subject))
  const newest = copies
    .filter((copy) => copy !== null)
    .reduce<Found | null>((best, copy) => (best !== null && best.serial > copy.serial ? best : copy), null)
  if (newest === null) return null
  for (const offset of copyOffsets) head.fill(0, offset, offset + length)
  return isZeros(head) ? newest : null
}

/** Null for anything but a whole journal of this subject. */
function parseCopy(bytes: Uint8Array<ArrayBuffer>, subject: JournalSubject): Found | null {
  const found = parsedOrNull(() => header.parse(bytes, 0))
  if (found === null || found.magic !== 'RPMCJRNL' || found.version !== 1) return null
  const same =
    found.streamBytes === subject.streamBytes &&
    found.diskBytes === subject.diskBytes &&
    found.blockBytes === subject.blockBytes &&
    found.blocks === subject.blocks &&
    Buffer.compare(found.root, subject.root) === 0 &&
    ((found.flags & flags.clearUnused) !== 0) === subject.clearUnused
  if (!same) return null
  bytes.fill(0, header.offsetOf('crc32'), header.offsetOf('crc32') + 4)
  if (crc32(recordOf(bytes, subject.blocks)) !== found.crc32) return null
  const complete = new Uint8Array(subject.blocks)
  for (let block = 0; block < subject.blocks; block++)
    complete[block] = ((bytes[header.sizeBytes + (block >>> 3)] ?? 0) >>> (7 - (block & 7))) & 1
  return { complete, gapsDone: (found.flags & flags.gapsDone) !== 0, serial: found.serial }
}
