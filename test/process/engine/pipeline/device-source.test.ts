import { constants } from 'node:fs'
import { open, writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { allocateExtentTable, kindIndex, type ExtentLayout } from '#engine/formats/extents'
import { defaultPool, openBlockStream } from '#engine/pipeline'
import { attachFaultyDisk } from '#test/faulty-disk'
import { noise } from '#test/image-of-runs'
import { attachLoop } from '#test/loop'
import { missing } from '#test/needs'

const mebibyte = 1024 * 1024

/** A device is one raw run. */
function deviceLayout(path: string, sizeBytes: number): ExtentLayout {
  const extents = allocateExtentTable(1)
  extents.kind[0] = kindIndex.raw
  extents.diskBytes[0] = sizeBytes
  extents.storedBytes[0] = sizeBytes
  const parts = [{ path, streamOffset: 0, fileOffset: 0, lengthBytes: sizeBytes }]
  return { kind: 'extents', sizeBytes, parts, extents, checks: [], storedChecks: [] }
}

async function openDevice(path: string) {
  const handle = await open(path, constants.O_RDONLY | constants.O_DIRECT)
  return { fd: handle.fd, [Symbol.asyncDispose]: () => handle.close() }
}

describe.skipIf(missing('linux', 'root', 'loop'))('a device as a source', () => {
  test.each([512, 4096])('is read with direct I/O, sectors of %i bytes', async (logicalBlockBytes) => {
    const sizeBytes = 5 * mebibyte + 4096
    await using loop = await attachLoop({ sizeBytes, logicalBlockBytes })
    const disk = noise(sizeBytes, 1)
    await writeFile(loop.path, disk)
    await using device = await openDevice(loop.path)
    await using stream = await openBlockStream(deviceLayout(loop.path, sizeBytes), {
      pool: defaultPool,
      alignmentBytes: logicalBlockBytes,
      openFiles: new Map([[loop.path, device.fd]]),
      signal: new AbortController().signal,
    })
    const pieces: Uint8Array[] = []
    for (let item = await stream.next(); item !== null; item = await stream.next()) {
      if (item.kind !== 'data') throw new Error(item.kind)
      pieces.push(Buffer.from(item.bytes))
      item.release()
    }
    expect(Buffer.compare(Buffer.concat(pieces), disk)).toBe(0)
  })
})

describe.skipIf(missing('linux', 'root', 'loop', 'program:nbdfuse'))('a source that fails', () => {
  test('is told with the place that could not be read, after all blocks before it', async () => {
    const sizeBytes = 8 * mebibyte
    await using disk = await attachFaultyDisk({ sizeBytes })
    await using device = await openDevice(disk.path)
    await writeFile(disk.path, noise(sizeBytes, 1))
    await using stream = await openBlockStream(deviceLayout(disk.path, sizeBytes), {
      pool: { buffers: 2, bufferBytes: mebibyte },
      alignmentBytes: 512,
      openFiles: new Map([[disk.path, device.fd]]),
      signal: new AbortController().signal,
    })
    const first = await stream.next()
    expect(first).toMatchObject({ kind: 'data', offset: 0 })
    await disk.vanish()
    let told = 0
    const reading = (async () => {
      for (let item = first; item !== null; item = await stream.next()) {
        if (item.kind !== 'data') throw new Error(item.kind)
        expect(item.offset).toBe(told)
        told += item.bytes.length
        item.release()
      }
    })()
    const error: unknown = await reading.catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({
      code: 'E_IO_READ',
      family: 'device',
      details: { path: disk.path, errno: 'EIO', offset: told },
    })
    expect(told).toBeLessThan(sizeBytes)
  })

  test('that answers no more does not hold up a close', async () => {
    const sizeBytes = 8 * mebibyte
    await using disk = await attachFaultyDisk({ sizeBytes })
    await using device = await openDevice(disk.path)
    await writeFile(disk.path, noise(sizeBytes, 1))
    const stream = await openBlockStream(deviceLayout(disk.path, sizeBytes), {
      pool: { buffers: 2, bufferBytes: mebibyte },
      alignmentBytes: 512,
      openFiles: new Map([[disk.path, device.fd]]),
      signal: new AbortController().signal,
    })
    const first = await stream.next()
    await disk.setFaults({ stall: true })
    if (first?.kind === 'data') first.release()
    // The read has begun by then.
    await sleep(100)
    // It answers only after that.
    await expect(stream[Symbol.asyncDispose]()).resolves.toBe(undefined)
    await disk.setFaults({})
  })
})
