import { open } from 'node:fs/promises'
import { constants, existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { attachFaultyDisk } from '#test/faulty-disk'
import { missing } from '#test/needs'

const MiB = 2 ** 20
const direct = constants.O_RDWR | constants.O_DIRECT

/** A page-aligned buffer, as direct I/O wants it. */
const page = (fill: number) =>
  new Uint8Array(new WebAssembly.Memory({ initial: 1 }).buffer, 0, 4096).fill(fill)

describe.skipIf(missing('root', 'loop', 'program:nbdfuse'))('a faulty disk', () => {
  it('takes as many writes as it was told, then answers EIO', async () => {
    await using disk = await attachFaultyDisk({ sizeBytes: 16 * MiB, failWritesAfter: 2 })
    await using handle = await open(disk.path, direct)
    await handle.write(page(1), 0, 4096, 0)
    await handle.write(page(1), 0, 4096, 8192)
    await expect(handle.write(page(1), 0, 4096, 0)).rejects.toThrow('EIO')
    expect(await disk.setFaults({})).toMatchObject({ writes: 3 })
    await handle.write(page(2), 0, 4096, 0)
  })

  it('fails to read at chosen places only, and from the medium, not from a cache', async () => {
    await using disk = await attachFaultyDisk({ sizeBytes: 16 * MiB })
    await using handle = await open(disk.path, direct)
    await handle.write(page(7), 0, 4096, MiB)
    await handle.write(page(8), 0, 4096, 2 * MiB)
    await disk.setFaults({ failReadsAt: [MiB + 5], flipBitAt: 2 * MiB })
    const into = page(0)
    await expect(handle.read(into, 0, 4096, MiB)).rejects.toThrow('EIO')
    await handle.read(into, 0, 4096, 2 * MiB)
    expect([into[0], into[1]]).toEqual([9, 8])
  })

  it('forgets what is written beyond its true size', async () => {
    await using disk = await attachFaultyDisk({ sizeBytes: 16 * MiB, forgetWritesFrom: 8 * MiB })
    await using handle = await open(disk.path, direct)
    await handle.write(page(3), 0, 4096, 8 * MiB)
    const into = page(1)
    await handle.read(into, 0, 4096, 8 * MiB)
    expect(into[0]).toBe(0)
  })

  it('stalls until it is told to go on', async () => {
    await using disk = await attachFaultyDisk({ sizeBytes: 16 * MiB, stall: true })
    await using handle = await open(disk.path, direct)
    const write = handle.write(page(3), 0, 4096, 0).then(() => 'written')
    expect(await Promise.race([write, sleep(300, 'waiting')])).toBe('waiting')
    await disk.setFaults({})
    expect(await write).toBe('written')
  })

  it('fails everything once it has vanished, and leaves nothing behind', async () => {
    let file: string
    {
      await using disk = await attachFaultyDisk({ sizeBytes: 16 * MiB, stall: true })
      file = disk.file
      await using handle = await open(disk.path, direct)
      // It may fail before the medium's end is confirmed.
      const [written] = await Promise.allSettled([handle.write(page(3), 0, 4096, 0), disk.vanish()])
      expect(written).toMatchObject({ status: 'rejected', reason: { code: 'EIO' } })
      await expect(handle.read(page(0), 0, 4096, 0)).rejects.toThrow('EIO')
    }
    expect(existsSync(file)).toBe(false)
  })
})
