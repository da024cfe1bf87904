import { describe, expect, it } from 'vitest'
import { UnreadableError } from '#engine/formats/struct'
import { DeviceError } from '#shared/errors'
import { silentLogger } from '#shared/log'
import { pastBadSectors } from '#src/main/engine/create/past-bad-sectors.ts'

/** A disk that takes `secondsPerRead` to say that a sector is bad: the odd ones. Resolves to how many were looked past. */
async function lookAt(secondsPerRead: number): Promise<number> {
  let ms = 0
  const error = new DeviceError('E_IO_READ', 'read', { details: { path: '/dev/sdz', errno: 'EIO' } })
  const read = async (offset: number, lengthBytes: number) => {
    ms += secondsPerRead * 1000
    if ((offset / 512) % 2 === 1) throw error
    return new Uint8Array(lengthBytes)
  }
  const past = pastBadSectors(read, silentLogger, { now: () => ms })
  for (let sector = 0; sector < 1000; sector++) {
    const thrown: unknown = await past.readDisk(sector * 512, 512).then(
      () => null,
      (reason: unknown) => reason,
    )
    if (thrown !== null && !(thrown instanceof UnreadableError)) return past.failedReads()
  }
  return Infinity
}

describe('bad sectors that are looked past', () => {
  it('are two dozen, and fewer when they take long; reads that succeed do not count', async () => {
    expect(await lookAt(0.1)).toBe(24)
    expect(await lookAt(30)).toBe(10)
    expect(await lookAt(3600)).toBe(1)
  })
})
