import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { AlignedFile } from '#src/main/engine/block-io/aligned-file.ts'
import { DeviceError } from '#shared/errors'
import { ZeroDevice } from '#src/main/engine/block-io/zero-device.ts'

const mib = 1024 * 1024
/** Whole units, offloaded: nothing of it is written. */
const file = null as unknown as AlignedFile

/** The lengths of the stretches that a device is asked to zero which takes so long for each. */
async function askedFor(lengthBytes: number, tookMs: number): Promise<number[]> {
  const asked: number[] = []
  const device = new ZeroDevice({
    file,
    alignmentBytes: 512,
    zeroOut: async (_, length) => {
      asked.push(length / mib)
      if (tookMs > 0) await sleep(tookMs)
    },
  })
  expect(await device.zero(0, lengthBytes)).toBe('offloaded')
  return asked
}

describe('a device that is sent zeros', () => {
  it('has four writes to do at once, however many stretches there are', async () => {
    let most = 0
    let now = 0
    let written = 0
    const slowFile = {
      async write(bytes: Uint8Array) {
        most = Math.max(most, ++now)
        await new Promise(setImmediate)
        now -= 1
        written += bytes.length
        if (written === 20 * mib) throw new Error('a bad place')
      },
    }
    const device = new ZeroDevice({ file: slowFile, alignmentBytes: 512, zeroOut: null })
    const stretches = [0, 16, 32, 48].map((at) => device.zero(at * mib, 16 * mib))
    const results = await Promise.allSettled(stretches)
    expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(1)
    expect(most).toBe(4)
    expect(now).toBe(0)
    expect(await device.zero(0, mib)).toBe('written')
  })
})

describe('whoever zeroes a stretch', () => {
  /** What is told of eleven MiB, not all of it aligned. */
  async function told(zeroOut: (() => Promise<void>) | null) {
    const pieces: string[] = []
    const sent: number[] = []
    const into = { write: async (bytes: Uint8Array) => void sent.push(bytes.length) }
    const device = new ZeroDevice({ file: into, alignmentBytes: 512, zeroOut })
    await device.zero(mib - 256, 11 * mib, undefined, (lengthBytes, how) => {
      pieces.push(`${how} ${lengthBytes / mib}`)
    })
    return { pieces, sent }
  }

  it('is told of each piece that was sent, and of each stretch that was not', async () => {
    const { pieces } = await told(null)
    expect(pieces).toHaveLength(12)
    expect(pieces.filter((piece) => piece === 'written 1')).toHaveLength(10)
    expect((await told(async () => undefined)).pieces).toEqual(['offloaded 8', `offloaded ${3 - 1 / 2048}`])
  })

  it('is told of what is sent where the device would not', async () => {
    const { pieces } = await told(() => Promise.reject(new Error('no')))
    expect(pieces.filter((piece) => piece === 'written 1')).toHaveLength(10)
  })

  it('can end it between two pieces', async () => {
    const stop = new Error('another card')
    for (const zeroOut of [null, async () => undefined]) {
      let sent = 0
      let pieces = 0
      const into = { write: async () => void (sent += 1) }
      const device = new ZeroDevice({ file: into, alignmentBytes: 512, zeroOut })
      const zeroing = device.zero(0, 64 * mib, undefined, async () => {
        pieces += 1
        throw stop
      })
      await expect(zeroing).rejects.toBe(stop)
      expect(sent).toBe(zeroOut === null ? 4 : 0)
      expect(pieces).toBe(zeroOut === null ? 4 : 1)
    }
  })

  it('can end it before zeros are sent in the place of what the device did not do: it may be another card', async () => {
    const stop = new Error('another card')
    const sent: number[] = []
    const into = { write: async (bytes: Uint8Array) => void sent.push(bytes.length) }
    const zeroOut = () => Promise.reject(new Error('no'))
    const device = new ZeroDevice({ file: into, alignmentBytes: 512, zeroOut })
    await expect(device.zero(0, 8 * mib, undefined, () => Promise.reject(stop))).rejects.toBe(stop)
    expect(sent).toEqual([])
    const gone = new DeviceError('E_DST_GONE', 'no medium', { details: { path: '/dev/mmcblk0' } })
    const away = new ZeroDevice({ file: into, alignmentBytes: 512, zeroOut: () => Promise.reject(gone) })
    await expect(away.zero(0, 8 * mib)).rejects.toBe(gone)
    expect(sent).toEqual([])
  })
})

describe('four stretches that are zeroed at once', () => {
  /** Sixteen pieces want to be written, and who hears of the first ones takes his time. */
  function zeroFour({ onPiece, signal }: { onPiece: () => Promise<void>; signal?: AbortSignal }) {
    const sent: number[] = []
    const into = { write: async (_: Uint8Array, offset: number) => void sent.push(offset) }
    const device = new ZeroDevice({ file: into, alignmentBytes: 512, zeroOut: null })
    const stretches = [0, 16, 32, 48].map((at) => device.zero(at * mib, 16 * mib, signal, onPiece))
    return { sent, results: Promise.allSettled(stretches) }
  }
  const reasons = (results: readonly PromiseSettledResult<unknown>[]) =>
    results.map((result) => (result.status === 'rejected' ? (result.reason as unknown) : null))
  const settled = () => new Promise(setImmediate)

  it('write nothing in the place of a piece before that was heard, and nothing when it is the wrong card', async () => {
    const stop = new Error('another card')
    const checked = Promise.withResolvers<void>()
    const { sent, results } = zeroFour({ onPiece: () => checked.promise })
    await settled()
    expect(sent).toHaveLength(4)
    checked.reject(stop)
    expect(reasons(await results)).toEqual([stop, stop, stop, stop])
    expect(sent).toHaveLength(4)
  })

  it('write nothing more after they were cancelled', async () => {
    const checked = Promise.withResolvers<void>()
    const cancel = new AbortController()
    const { sent, results } = zeroFour({ onPiece: () => checked.promise, signal: cancel.signal })
    await settled()
    cancel.abort()
    checked.resolve()
    const { reason } = cancel.signal
    expect(reasons(await results)).toEqual([reason, reason, reason, reason])
    expect(sent).toHaveLength(4)
  })
})

describe('a device that zeroes by itself', () => {
  it('is asked for little at first, so that a Cancel gets through to one that is slow', async () => {
    expect(await askedFor(24 * mib, 450)).toEqual([8, 4, 4, 4, 4])
  })

  it('is asked for ever more when it is quick', async () => {
    expect(await askedFor(248 * mib, 0)).toEqual([8, 16, 32, 64, 128])
  })
})
