import { execFile } from 'node:child_process'
import { open, readFile, writeFile } from 'node:fs/promises'
import { constants } from 'node:fs'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { allocatePageAligned, createDeviceSink, type DeviceSinkOptions } from '#engine/block-io'
import { attachFaultyDisk } from '#test/faulty-disk'
import { noise } from '#test/image-of-runs'
import { attachLoop, command } from '#test/loop'
import { missing } from '#test/needs'
import { describeSink } from '#test/sink-conformance'

const mebibyte = 1024 * 1024
const roomBytes = 16 * mebibyte

/** A loop device, a sink on it, and the file behind it. */
async function openDevice(options: Partial<DeviceSinkOptions> & { logicalBlockBytes?: number } = {}) {
  const { logicalBlockBytes = 512, ...more } = options
  const loop = await attachLoop({ sizeBytes: roomBytes, logicalBlockBytes })
  const direct = (more.pastCache ?? 'direct') === 'direct' ? constants.O_DIRECT : 0
  const handle = await open(loop.path, constants.O_RDWR | constants.O_EXCL | direct)
  const sink = createDeviceSink({
    fd: handle.fd,
    path: loop.path,
    sizeBytes: roomBytes,
    alignmentBytes: logicalBlockBytes,
    pastCache: 'direct',
    zeroOut: null,
    discard: null,
    ...more,
  })
  return {
    loop,
    sink,
    stored: async (lengthBytes: number) => {
      await sink.flush()
      return (await readFile(loop.file)).subarray(0, lengthBytes)
    },
    async [Symbol.asyncDispose]() {
      await sink[Symbol.asyncDispose]()
      await handle.close()
      await loop[Symbol.asyncDispose]()
    },
  }
}

/** What a platform would do for the device at `path()`. */
const blkdiscard =
  (path: () => string, ...flags: string[]) =>
  async (offset: number, lengthBytes: number, signal?: AbortSignal) => {
    const range = ['-o', String(offset), '-l', String(lengthBytes)]
    await promisify(execFile)('blkdiscard', [...flags, ...range, path()], { signal })
  }

describe.skipIf(missing('linux', 'root', 'loop'))('a loop device', () => {
  const traits = { roomBytes, takesUnaligned: true, waitsAtClose: true }
  describeSink('as a sink', traits, () => openDevice())
  describeSink('with 4 KiB sectors, as a sink', traits, () => openDevice({ logicalBlockBytes: 4096 }))
  describeSink('without direct I/O, as a sink', traits, async () => {
    let path = ''
    const under = await openDevice({
      pastCache: async () => void (await command('blockdev', ['--flushbufs', path])),
    })
    path = under.loop.path
    return under
  })
  describeSink('that zeroes and discards, as a sink', traits, async () => {
    let path = ''
    const under = await openDevice({
      zeroOut: blkdiscard(() => path, '-z', '-f'),
      discard: blkdiscard(() => path, '-f'),
    })
    path = under.loop.path
    return under
  })

  async function filled(options: Partial<DeviceSinkOptions>) {
    const under = await openDevice(options)
    const old = allocatePageAligned(roomBytes).fill(0xa5)
    await under.sink.write(old, 0)
    return under
  }

  test('is asked to zero what is large, and sent zeros for what is small', async () => {
    const asked: string[] = []
    await using under = await filled({
      zeroOut: async (offset, lengthBytes) => void asked.push(`${offset}+${lengthBytes}`),
    })
    expect(await under.sink.zero(4096, mebibyte)).toBe('written')
    expect(await under.sink.zero(mebibyte, 8 * mebibyte)).toBe('offloaded')
    expect(asked).toEqual([`${mebibyte}+${8 * mebibyte}`])
  })

  test("is sent zeros when it fails to zero by itself, and isn't asked again", async () => {
    let asked = 0
    await using under = await filled({
      zeroOut: async () => {
        asked += 1
        throw new Error('EOPNOTSUPP')
      },
    })
    expect(await under.sink.zero(0, 8 * mebibyte)).toBe('written')
    expect(await under.sink.zero(8 * mebibyte, 8 * mebibyte)).toBe('written')
    expect(asked).toBe(1)
    expect((await under.stored(roomBytes)).every((byte) => byte === 0)).toBe(true)
  })

  test('with 4 KiB sectors keeps what lies behind an image that ends inside one', async () => {
    await using large = await openDevice({ logicalBlockBytes: 4096 })
    const old = allocatePageAligned(8192).fill(0xa5)
    await large.sink.write(old, 0)
    await large.sink.write(noise(512, 1), 4096)
    const stored = await large.stored(8192)
    expect(Buffer.compare(stored.subarray(4096, 4608), noise(512, 1))).toBe(0)
    expect(stored.subarray(4608).every((byte) => byte === 0xa5)).toBe(true)
  })

  test('takes nothing past its end', async () => {
    await using under = await filled({})
    const { sink } = under
    const past = { code: 'E_DST_FULL', details: { offset: roomBytes - 4096 } }
    await expect(sink.write(allocatePageAligned(8192), roomBytes - 4096)).rejects.toMatchObject(past)
    await expect(sink.zero(roomBytes - 4096, 8192)).rejects.toMatchObject(past)
    expect((await under.stored(roomBytes)).at(-1)).toBe(0xa5)
  })

  test('is read from the medium and not from the cache', async () => {
    let path = ''
    await using under = await filled({
      pastCache: async () => void (await command('blockdev', ['--flushbufs', path])),
    })
    path = under.loop.path
    await under.sink.flush()
    // Behind its back, as a disk does that loses what it was given.
    await writeFile(under.loop.file, Buffer.alloc(roomBytes, 0x11), { flag: 'r+' })
    const into = new Uint8Array(4096)
    await under.sink.read(into, 65_536)
    expect(into.every((byte) => byte === 0x11)).toBe(true)
  })

  test('is not read at all where there is no way past the cache', async () => {
    await using under = await filled({ pastCache: null })
    await expect(under.sink.read(new Uint8Array(512), 0)).rejects.toMatchObject({ code: 'E_DEVICE_TOOL' })
  })

  test('lets a full device say so', async () => {
    const handle = await open('/dev/full', 'r+')
    try {
      const sink = createDeviceSink({
        fd: handle.fd,
        path: '/dev/full',
        sizeBytes: mebibyte,
        alignmentBytes: 512,
        pastCache: null,
        zeroOut: null,
        discard: null,
      })
      await expect(sink.write(allocatePageAligned(512), 1024)).rejects.toMatchObject({
        code: 'E_DST_FULL',
        details: { errno: 'ENOSPC', offset: 1024 },
      })
    } finally {
      await handle.close()
    }
  })
})

describe.skipIf(missing('linux', 'root', 'loop', 'program:nbdfuse'))('a device that fails', () => {
  test('says where it could not be written, and where it could not be read', async () => {
    await using disk = await attachFaultyDisk({ sizeBytes: roomBytes })
    const handle = await open(disk.path, constants.O_RDWR | constants.O_DIRECT)
    try {
      const sink = createDeviceSink({
        fd: handle.fd,
        path: disk.path,
        sizeBytes: roomBytes,
        alignmentBytes: 512,
        pastCache: 'direct',
        zeroOut: null,
        discard: null,
      })
      await sink.write(allocatePageAligned(65_536), 0)
      await disk.vanish()
      const offset = mebibyte
      await expect(sink.write(allocatePageAligned(65_536), offset)).rejects.toMatchObject({
        code: 'E_IO_WRITE',
        details: { path: disk.path, errno: 'EIO', offset },
      })
      await expect(sink.zero(offset, 65_536)).rejects.toMatchObject({ code: 'E_IO_WRITE' })
      await expect(sink.read(allocatePageAligned(65_536), offset)).rejects.toMatchObject({
        code: 'E_IO_READ',
        details: { offset },
      })
    } finally {
      await handle.close()
    }
  })
})
