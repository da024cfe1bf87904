import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { planStream } from '#engine/multicast/layout'
import { BlockCache, type ReadBytes } from '#src/main/engine/multicast/port/block-cache.ts'
import { seededBytes, seededRandom } from '#test/seeded'

const blockBytes = 4096
const image = seededBytes(seededRandom(3), 40 * blockBytes + 100)
const layout = planStream({ sizeBytes: image.length, blockBytes, symbolBytes: 1024 })
const blockOf = (block: number) => image.subarray(block * blockBytes, (block + 1) * blockBytes)

function cacheOf(read: ReadBytes, most = 12, now = () => 0) {
  const failures: unknown[] = []
  const failing: number[] = []
  const cache = new BlockCache({
    layout,
    path: '/lab.dmg',
    read,
    hashOf: (block) => createHash('sha256').update(blockOf(block)).digest(),
    most,
    arrived: () => undefined,
    failed(error, failingMs) {
      failures.push(error)
      failing.push(failingMs)
    },
    now,
  })
  return { cache, failures, failing }
}
const readImage: ReadBytes = (into, offset) => {
  into.set(image.subarray(offset, offset + into.length))
  return Promise.resolve()
}

describe('blocks read ahead', () => {
  it('are here when they are needed, the last and shorter one too, and no more of them than may be', async () => {
    const { cache } = cacheOf(readImage)
    for (let block = 0; block <= 40; block++) {
      cache.want([block, block + 1, block + 2].filter((each) => each <= 40))
      await expect.poll(() => cache.get(block)).not.toBeNull()
      expect(Buffer.compare(cache.get(block) ?? new Uint8Array(), blockOf(block))).toBe(0)
    }
    const held = Array.from({ length: 41 }, (_, block) => block).filter((block) => cache.get(block) !== null)
    expect(held.length).toBeLessThanOrEqual(12)
    expect(held).toContain(40)
    // Their room is used again, also after that of the short one.
    cache.want([0, 1, 2, 3, 4, 5, 6, 7])
    await expect.poll(() => cache.get(7)).not.toBeNull()
    expect(Buffer.compare(cache.get(7) ?? new Uint8Array(), blockOf(7))).toBe(0)
  })

  it("don't wait for each other", async () => {
    const waiting = new Map<number, () => void>()
    const { cache } = cacheOf((into, offset) =>
      new Promise<void>((resolve) => {
        waiting.set(offset / blockBytes, resolve)
      }).then(() => readImage(into, offset)),
    )
    cache.want([5, 6, 7])
    expect([...waiting.keys()]).toEqual([5, 6, 7])
    waiting.get(7)?.()
    await expect.poll(() => cache.get(7)).not.toBeNull()
    expect(cache.get(5)).toBeNull()
    for (const resolve of waiting.values()) resolve()
    await expect.poll(() => cache.get(5)).not.toBeNull()
  })

  it('that are not what they were are never given out', async () => {
    const { cache, failures } = cacheOf((into) => {
      into.fill(7)
      return Promise.resolve()
    })
    cache.want([2])
    await expect
      .poll(() => failures)
      .toMatchObject([{ code: 'E_SRC_CHANGED', details: { offset: 2 * blockBytes } }])
    expect(cache.get(2)).toBeNull()
    await expect(cache.readOne(3)).rejects.toMatchObject({ code: 'E_SRC_CHANGED' })
    cache.close()
  })

  it('that fail at the same time are one failure, counted from where they began to', async () => {
    let nowMs = 0
    let isBroken = true
    const { cache, failing } = cacheOf(
      (into, offset) => (isBroken ? Promise.reject(new Error('broken')) : readImage(into, offset)),
      12,
      () => nowMs,
    )
    cache.want([2, 3, 4, 5])
    await expect.poll(() => failing).toEqual([0, 0, 0, 0])
    nowMs += 6000
    await expect.poll(() => failing).toEqual([0, 0, 0, 0, 6000, 6000, 6000, 6000])
    // One that can be read ends it.
    isBroken = false
    nowMs += 1500
    await expect.poll(() => cache.get(2)).not.toBeNull()
    isBroken = true
    cache.want([6])
    await expect.poll(() => failing.at(-1)).toBe(0)
    cache.close()
  })

  it('that are never answered are failing as well, and nothing else is asked of such a source', async () => {
    let nowMs = 0
    let asked = 0
    const never: ReadBytes = () => (asked++, new Promise(() => {}))
    const { cache, failures, failing } = cacheOf(never, 12, () => nowMs)
    cache.want([2, 3, 4, 5, 6])
    nowMs += 4999
    cache.want([3, 4, 5, 6, 7])
    expect([asked, failing]).toEqual([4, []])
    nowMs += 1
    await expect.poll(() => failing[0]).toBe(5000)
    nowMs += 25_000
    await expect.poll(() => failing.at(-1)).toBe(30_000)
    expect(failures[0]).toMatchObject({
      code: 'E_IO_READ',
      details: { path: '/lab.dmg', offset: 2 * blockBytes, reason: 'no-answer' },
    })
    expect(asked).toBe(4)
    cache.close()
  })

  it('are not failing since the last one that was read, where they are not answered to who fetches them', async () => {
    let nowMs = 0
    const { cache } = cacheOf(
      async (into, offset) => {
        const block = offset / blockBytes
        if (block === 2) await new Promise(() => {})
        if (block === 4) throw new Error('broken')
        await readImage(into, offset)
      },
      12,
      () => nowMs,
    )
    const errorOf = (block: number) => cache.readOne(block).catch((error: unknown) => error)
    const silence = async () => {
      const error = errorOf(2)
      nowMs += 5000
      return await error
    }
    const sinceMs = cache.failingFrom(await silence())
    expect(sinceMs).toBe(5000)
    nowMs = 20_000
    await errorOf(4)
    expect(cache.failingFrom(await silence(), sinceMs)).toBe(5000)
    nowMs = 30_000
    await cache.readOne(3)
    expect(cache.failingFrom(await silence(), sinceMs)).toBe(30_000)
    // That others can be read says nothing of one that can't, as it was tried again since.
    expect(cache.failingFrom(await errorOf(4), 20_000)).toBe(20_000)
    cache.close()
  })

  it('are not waited for once it is closed', async () => {
    const { cache } = cacheOf(() => new Promise(() => {}))
    const reading = cache.readOne(2)
    cache.close()
    await expect(reading).rejects.toMatchObject({ code: 'E_IO_READ' })
  })

  it('keep their room until they are answered, however late', async () => {
    let nowMs = 0
    const rooms: ArrayBufferLike[] = []
    const late = Promise.withResolvers<void>()
    const { cache, failing } = cacheOf(
      async (into, offset) => {
        rooms.push(into.buffer)
        if (offset === 0) await late.promise
        await readImage(into, offset)
      },
      12,
      () => nowMs,
    )
    cache.want([0, 1, 2])
    nowMs += 60_000
    await expect.poll(() => failing.length).toBeGreaterThan(0)
    for (let block = 3; block <= 30; block++) {
      cache.want([block])
      await expect.poll(() => cache.get(block)).not.toBeNull()
    }
    expect(rooms.slice(1)).not.toContain(rooms[0])
    late.resolve()
    await expect.poll(() => cache.get(0)).not.toBeNull()
    expect(Buffer.compare(cache.get(0) ?? new Uint8Array(), blockOf(0))).toBe(0)
    cache.close()
  })

  it('are tried again after a while', async () => {
    let isBroken = true
    const { cache, failures } = cacheOf((into, offset) =>
      isBroken ? Promise.reject(new Error('broken')) : readImage(into, offset),
    )
    cache.want([2])
    await expect.poll(() => failures.length).toBe(1)
    isBroken = false
    await expect.poll(() => cache.get(2)).not.toBeNull()
  })
})
