/** The copy engine's `RestoreIo` over a `FakeMachine`: its files and disks, streams in miniature, a checker. */
import { crc32 } from 'node:zlib'
import type { BlockSink } from '#engine/block-io'
import type { RestoreIo } from '#engine/copy'
import { kindIndex, type ExtentLayout } from '#engine/formats/extents'
import { createDiskChecker } from '#engine/pipeline'
import { DeviceError, FormatError, UsageError } from '#shared/errors'
import { openFakeStream } from '#test/fake-stream'
import type { FakeFile, FakeMachine } from '#test/fake-platform'

export function ioOf(machine: FakeMachine): RestoreIo {
  const paths = new Map<number, string>()
  const hold = (path: string) => {
    const fd = paths.size + 1000
    paths.set(fd, path)
    return {
      fd,
      async [Symbol.asyncDispose]() {
        paths.delete(fd)
        machine.onClose?.(path)
      },
    }
  }
  return {
    async openImage(path) {
      const file = machine.files.get(path)
      if (file === undefined && !machine.folders.has(path))
        throw new DeviceError('E_NOT_FOUND', `no ${path}`, { details: { path } })
      if (file === undefined || file.image === null)
        throw new FormatError('E_SRC_FORMAT', 'not an image', {
          details: { format: 'raw', field: 'signature', offset: 0 },
        })
      return file.image
    },
    readBlockHashes: async ({ path }) => machine.files.get(path)?.hashes ?? null,
    async connectStream(locator, options) {
      if (machine.connectStream !== null) return await machine.connectStream(locator, options)
      throw new UsageError('E_UNSUPPORTED', 'no streams', { details: { input: 'source' } })
    },
    async openStream(layout, options) {
      const stream = openFakeStream(layout, {
        ...options,
        bytesOf: machine.bytesOf,
        onItem: (offset) => machine.onItem?.(offset),
      })
      machine.streams.push(stream)
      return stream
    },
    askServers: async () => undefined,
    createChecker: (layout) =>
      layout.kind === 'extents' && layout.checks.length > 0 ? createDiskChecker(layout) : null,
    async holdFile(path) {
      const facts = machine.factsOf(path)
      if (facts === null) throw new DeviceError('E_NOT_FOUND', `no ${path}`, { details: { path } })
      return { ...hold(path), facts }
    },
    async holdDevice(path, { alone }) {
      const part = machine.diskAt(path)?.partAt(path)
      if (part === null || part === undefined)
        throw new DeviceError('E_SRC_GONE', `no ${path}`, { details: { path } })
      return { ...hold(path), sizeBytes: part.sizeBytes, isAlone: alone }
    },
    async openDeviceSink(path) {
      machine.calls.push(`open ${path}`)
      const disk = machine.diskAt(path)
      if (disk === null) throw new DeviceError('E_DST_GONE', `no ${path}`, { details: { path } })
      return disk.openSink(path)
    },
    async openFileSink(path, mode) {
      machine.calls.push(`open ${path} ${mode}`)
      const present = machine.files.get(path)
      if (mode === 'create' && present !== undefined)
        throw new UsageError('E_DST_EXISTS', `${path} exists`, { details: { input: path } })
      return fileSink(machine, path, present ?? machine.addFile(path, new Uint8Array(0)))
    },
    readFacts: async (path) => machine.factsOf(path),
    readFreeBytes: async () => machine.freeBytes,
    checkWritable: async (path) => {
      if (path.startsWith('/denied')) throw new DeviceError('E_DENIED', 'no', { details: { path } })
    },
    readAllocated: async (path) => machine.files.get(path)?.bytes.length ?? 0,
    async truncate(path, sizeBytes) {
      machine.calls.push(`truncate ${path} ${sizeBytes}`)
      const file = machine.files.get(path)
      if (file !== undefined) file.bytes = resized(file.bytes, sizeBytes)
    },
    async remove(path) {
      machine.calls.push(`remove ${path}`)
      machine.files.delete(path)
    },
  }
}

function fileSink(machine: FakeMachine, path: string, file: FakeFile): BlockSink {
  return {
    path,
    sizeBytes: null,
    alignmentBytes: 512,
    async write(bytes, offset) {
      await machine.onFileWrite?.(offset)
      file.bytes = resized(file.bytes, Math.max(file.bytes.length, offset + bytes.length))
      file.bytes.set(bytes, offset)
    },
    async zero(offset, lengthBytes) {
      if (offset < file.bytes.length) file.bytes.fill(0, offset, offset + lengthBytes)
      return 'hole'
    },
    discard: async () => 'discarded',
    flush: async () => undefined,
    async read(into, offset) {
      if (offset + into.length > file.bytes.length)
        throw new DeviceError('E_IO_READ', 'past the end', { details: { path, offset } })
      into.set(file.bytes.subarray(offset, offset + into.length))
    },
    async finish(sizeBytes) {
      file.bytes = resized(file.bytes, sizeBytes)
    },
    [Symbol.asyncDispose]: async () => undefined,
  }
}

function resized(bytes: Uint8Array, sizeBytes: number): Uint8Array {
  const result = new Uint8Array(sizeBytes)
  result.set(bytes.subarray(0, sizeBytes))
  return result
}

/** Ignore runs left out. */
export function crcOf({ extents }: ExtentLayout, disk: Uint8Array): number {
  let crc = 0
  for (let row = 0; row < extents.count; row++) {
    if (extents.kind[row] === kindIndex.ignore) continue
    const from = extents.diskOffset[row] ?? 0
    crc = crc32(disk.subarray(from, from + (extents.diskBytes[row] ?? 0)), crc)
  }
  return crc
}
