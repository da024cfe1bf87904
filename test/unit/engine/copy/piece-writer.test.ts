import { describe, expect, it } from 'vitest'
import { DeviceError } from '#shared/errors'
import { createPieceWriter } from '#src/main/engine/copy/piece-writer.ts'

const MiB = 1024 ** 2
const never = new AbortController().signal

/** A destination that takes `msPerMiB` for each, on a clock of its own. */
function destination(msPerMiB: number) {
  const writes: { offset: number; length: number }[] = []
  const clock = { ms: 0 }
  return {
    writes,
    clock,
    now: () => clock.ms,
    write: async (bytes: Uint8Array, offset: number) => {
      writes.push({ offset, length: bytes.length })
      clock.ms += (bytes.length / MiB) * msPerMiB
    },
  }
}

describe('writing a long buffer', () => {
  it('goes in pieces of 1 MiB onto a slow destination, and tells each', async () => {
    const stick = destination(200)
    const write = createPieceWriter(stick, stick.now)
    const told: number[] = []
    await write(new Uint8Array(3 * MiB + 512), 10 * MiB, never, (bytes) => told.push(bytes))
    expect(stick.writes).toEqual([
      { offset: 10 * MiB, length: MiB },
      { offset: 11 * MiB, length: MiB },
      { offset: 12 * MiB, length: MiB },
      { offset: 13 * MiB, length: 512 },
    ])
    expect(told).toEqual([MiB, MiB, MiB, 512])
  })

  it('goes whole onto a destination that has shown that it is fast', async () => {
    const fast = destination(0.5)
    const write = createPieceWriter(fast, fast.now)
    await write(new Uint8Array(8 * MiB), 0, never, () => undefined)
    await write(new Uint8Array(8 * MiB), 8 * MiB, never, () => undefined)
    expect(fast.writes.map(({ length }) => length)).toEqual([MiB, 7 * MiB, 8 * MiB])
  })

  it('goes in pieces again when the destination becomes slow', async () => {
    const card = destination(0.5)
    const write = createPieceWriter(
      {
        write: async (bytes, offset) => {
          await card.write(bytes, offset)
          if (offset >= 8 * MiB) card.clock.ms += 2000
        },
      },
      card.now,
    )
    for (const offset of [0, 8 * MiB, 16 * MiB])
      await write(new Uint8Array(8 * MiB), offset, never, () => undefined)
    expect(card.writes.slice(2).map(({ length }) => length / MiB)).toEqual([8, 1, 1, 1, 1, 1, 1, 1, 1])
  })

  it('stops between two pieces', async () => {
    const stick = destination(200)
    const stop = new AbortController()
    const write = createPieceWriter(stick, stick.now)
    const writing = write(new Uint8Array(8 * MiB), 0, stop.signal, () => {
      if (stick.writes.length === 2) stop.abort(new Error('enough'))
    })
    await expect(writing).rejects.toThrow('enough')
    expect(stick.writes).toHaveLength(2)
  })

  it('says where in it the place is that cannot be written', async () => {
    const bad = 5 * MiB + 100_000
    const fast = destination(0.5)
    const write = createPieceWriter(
      {
        write: async (bytes, offset) => {
          if (offset <= bad && bad < offset + bytes.length)
            throw new DeviceError('E_IO_WRITE', `at ${offset}`, { details: { path: '/dev/x', offset } })
          await fast.write(bytes, offset)
        },
      },
      fast.now,
    )
    const failed = write(new Uint8Array(8 * MiB), 0, never, () => undefined)
    await expect(failed).rejects.toThrow(`at ${5 * MiB + 65_536}`)
  })

  it('fails as it failed when the place could be written the second time', async () => {
    let isBad = true
    const write = createPieceWriter(
      {
        write: async (_, offset) => {
          if (offset > 0 && isBad) {
            isBad = false
            throw new DeviceError('E_IO_WRITE', 'at first', { details: { path: '/dev/x', offset } })
          }
        },
      },
      () => 0,
    )
    await expect(write(new Uint8Array(8 * MiB), 0, never, () => undefined)).rejects.toThrow('at first')
  })
})
