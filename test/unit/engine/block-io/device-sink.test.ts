import { mkdtempSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createDeviceSink } from '#engine/block-io'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'reprise-sink-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('a disk that discards', () => {
  it('is sent zeros where it has to hold zeros, however what it discarded reads at first', async () => {
    await using handle = await open(join(folder, 'discards'), 'w+')
    await handle.truncate(8 * 1024 * 1024)
    let discarded = 0
    await using sink = createDeviceSink({
      fd: handle.fd,
      path: '/dev/sdb',
      sizeBytes: 8 * 1024 * 1024,
      alignmentBytes: 512,
      pastCache: 'direct',
      zeroOut: null,
      discard: async () => {
        discarded += 1
      },
    })
    expect(await sink.zero(0, 8 * 1024 * 1024)).toBe('written')
    expect(discarded).toBe(0)
  })
})

describe('a disk that is told of unused space', () => {
  const MiB = 1024 * 1024
  const sizeBytes = 64 * 1024 * MiB

  async function discarding(discard: (offset: number, lengthBytes: number) => Promise<void>) {
    const handle = await open(join(folder, 'unused'), 'w+')
    const sink = createDeviceSink({
      fd: handle.fd,
      path: '/dev/sdb',
      sizeBytes,
      alignmentBytes: 512,
      pastCache: 'direct',
      zeroOut: null,
      discard,
    })
    return { sink, [Symbol.asyncDispose]: () => sink[Symbol.asyncDispose]().then(() => handle.close()) }
  }

  it('is given it in stretches that end at whole ones, each of them told', async () => {
    const asked: (readonly [number, number])[] = []
    const told: number[] = []
    await using disk = await discarding(async (offset, lengthBytes) => void asked.push([offset, lengthBytes]))
    const tell = (lengthBytes: number) => void told.push(lengthBytes)
    expect(await disk.sink.discard(MiB, sizeBytes - MiB, undefined, tell)).toBe('discarded')
    expect(asked[0]).toEqual([MiB, 1023 * MiB])
    expect(asked.length).toBeGreaterThan(1)
    expect(told).toEqual(asked.map(([, lengthBytes]) => lengthBytes))
    expect(told.reduce((sum, each) => sum + each, 0)).toBe(sizeBytes - MiB)
    for (const [offset] of asked.slice(1)) expect(offset % (64 * MiB)).toBe(0)
  })

  it('is given no more of it at once for having been quick with little', async () => {
    const asked: number[] = []
    await using disk = await discarding(async (_, lengthBytes) => void asked.push(lengthBytes / MiB))
    for (let i = 0; i < 12; i++) await disk.sink.discard(i * 16 * MiB, 8 * MiB)
    await disk.sink.discard(32 * 1024 * MiB, 3 * 1024 * MiB)
    expect(asked[12]).toBe(1024)
  })

  it('is given no more of it when who is told of it ends it', async () => {
    let asked = 0
    const stop = new Error('another card')
    await using disk = await discarding(async () => void (asked += 1))
    const discarded = disk.sink.discard(0, sizeBytes, undefined, () => Promise.reject(stop))
    await expect(discarded).rejects.toBe(stop)
    expect(asked).toBe(1)
  })
})

describe('a disk in a file that the system keeps pages of', () => {
  it('has them thrown away before it is read at first, and after a flush', async () => {
    await using handle = await open(join(folder, 'disk'), 'w+')
    await handle.truncate(4096)
    let dropped = 0
    await using sink = createDeviceSink({
      fd: handle.fd,
      path: '/dev/loop7',
      sizeBytes: 4096,
      alignmentBytes: 512,
      pastCache: 'direct',
      dropBeneath: async () => {
        await Promise.resolve()
        dropped += 1
      },
      zeroOut: null,
      discard: null,
    })
    const read = (offset: number) => sink.read(new Uint8Array(512), offset)
    await Promise.all([read(0), read(512)])
    expect(dropped).toBe(1)
    await sink.write(new Uint8Array(512), 0)
    await read(0)
    expect(dropped).toBe(1)
    await sink.flush()
    await Promise.all([read(0), read(512)])
    await read(1024)
    expect(dropped).toBe(2)
  })
})
