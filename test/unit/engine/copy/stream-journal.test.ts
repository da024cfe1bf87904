import { describe, expect, it } from 'vitest'
import { openJournal, type JournalSubject } from '#src/main/engine/copy/stream-journal.ts'
import { FakeDisk, ioError, makeDisk } from '#test/fake-disk'

const KiB = 1024
const MiB = 1024 * KiB
const subject: JournalSubject = {
  root: new Uint8Array(32).fill(7),
  streamBytes: 20 * MiB,
  blockBytes: MiB,
  blocks: 20,
  diskBytes: 40 * MiB,
  clearUnused: false,
}
const sizes = { earlier: 'looked for', capacityBytes: 4 * MiB } as const

/** A disk whose head was blanked, as it is while something is received onto it. */
function blankDisk() {
  const disk = new FakeDisk(makeDisk({ path: '/dev/sdb', sizeBytes: 4 * MiB }))
  disk.bytes.fill(0, 0, MiB)
  return { disk, sink: disk.openSink('/dev/sdb') }
}

const complete = (...blocks: readonly number[]) =>
  Uint8Array.from({ length: subject.blocks }, (_, block) => (blocks.includes(block) ? 1 : 0))

async function written(...states: readonly (readonly number[])[]) {
  const { disk, sink } = blankDisk()
  const journal = await openJournal(sink, subject, sizes)
  for (const blocks of states)
    await journal!.write({ complete: complete(...blocks), gapsDone: blocks.includes(2) })
  return { disk, sink, journal: journal! }
}

const reopened = async (sink: Parameters<typeof openJournal>[0], changes: Partial<JournalSubject> = {}) =>
  (await openJournal(sink, { ...subject, ...changes }, sizes))?.found ?? null

describe('the journal of a disk that is being received', () => {
  it('is found again with what it said last', async () => {
    const { sink } = await written([0, 3], [0, 3, 19])
    expect(await reopened(sink)).toMatchObject({ complete: complete(0, 3, 19), gapsDone: false })
    const more = await written([0], [0, 1], [0, 1, 2])
    expect(await reopened(more.sink)).toMatchObject({ complete: complete(0, 1, 2), gapsDone: true })
  })

  it('isn’t there on a disk that is blank, or that holds something else', async () => {
    const { sink, disk } = blankDisk()
    expect(await reopened(sink)).toBeNull()
    disk.bytes.fill(0xee)
    expect(await reopened(sink)).toBeNull()
  })

  it('isn’t there on a disk whose beginning can’t be read', async () => {
    const { sink, disk } = await written([0, 3], [0, 3])
    disk.faults = {
      onRead: ({ offset }) => {
        throw ioError('E_IO_READ', '/dev/sdb', offset)
      },
    }
    expect(await reopened(sink)).toBeNull()
    disk.vanish()
    await expect(reopened(sink)).rejects.toThrow('gone')
  })

  it.each([
    { what: 'another image', changes: { root: new Uint8Array(32).fill(8) } },
    { what: 'a longer stream', changes: { streamBytes: 20 * MiB - 1 } },
    { what: 'another disk in it', changes: { diskBytes: 41 * MiB } },
    { what: 'other blocks', changes: { blockBytes: 2 * MiB, blocks: 10 } },
    { what: 'another way with unused space', changes: { clearUnused: true } },
  ])('is ignored when it is of $what', async ({ changes }) => {
    const { sink } = await written([0, 3], [0, 3, 4])
    expect(await reopened(sink)).not.toBeNull()
    expect(await reopened(sink, changes)).toBeNull()
  })

  it('falls back to the older copy when the newer one was torn', async () => {
    const { sink, disk } = await written([0], [0, 1])
    // They take turns; the newer one lies in the first place now.
    const bitsAt = 128 * KiB + 88
    disk.bytes[bitsAt] = (disk.bytes[bitsAt] ?? 0) ^ 1
    expect(await reopened(sink)).toMatchObject({ complete: complete(0) })
  })

  it('is ignored when both copies are damaged, at any byte that counts', async () => {
    const { sink, disk } = await written([0], [0, 1])
    const recordBytes = 88 + Math.ceil(subject.blocks / 8)
    for (let byte = 0; byte < recordBytes; byte++) {
      for (const copy of [128 * KiB, 576 * KiB]) disk.bytes[copy + byte]! ^= 0x40
      expect(await reopened(sink), `byte ${byte}`).toBeNull()
      for (const copy of [128 * KiB, 576 * KiB]) disk.bytes[copy + byte]! ^= 0x40
    }
    expect(await reopened(sink)).not.toBeNull()
  })

  it.each([0, 510, 4096, 100 * KiB, 300 * KiB, MiB - 1])(
    'is ignored when somebody has written to the disk since, at %i',
    async (offset) => {
      const { sink, disk } = await written([0, 3], [0, 3])
      disk.bytes[offset] = 0x55
      expect(await reopened(sink)).toBeNull()
    },
  )

  it('is gone when it was erased', async () => {
    const { sink, disk, journal } = await written([0, 3], [0, 3])
    await journal.erase()
    expect(await reopened(sink)).toBeNull()
    expect(disk.bytes.subarray(0, MiB).every((byte) => byte === 0)).toBe(true)
  })

  it('never writes to the first 64 KiB, or behind the first MiB', async () => {
    const { disk, journal } = await written([0, 3], [0, 3], [1])
    await journal.erase()
    const places = disk.events.filter((event) => event.startsWith('write ')).map((event) => event.slice(6))
    for (const place of places) {
      const [offset = 0, length = 0] = place.split('+').map(Number)
      expect(offset).toBeGreaterThanOrEqual(64 * KiB)
      expect(offset + length).toBeLessThanOrEqual(MiB)
    }
    expect(places.length).toBeGreaterThan(2)
  })

  it('can’t be kept of a stream without a root, on a small disk, or of more blocks than fit', async () => {
    const { sink } = blankDisk()
    expect(await openJournal(sink, { ...subject, root: new Uint8Array(32) }, sizes)).toBeNull()
    expect(await openJournal(sink, subject, { ...sizes, capacityBytes: MiB - 512 })).toBeNull()
    expect(await openJournal(sink, { ...subject, blocks: 2 ** 22 }, sizes)).toBeNull()
    expect(await openJournal(sink, { ...subject, blocks: 3_600_000 }, sizes)).not.toBeNull()
  })
})
