import { expect, it } from 'vitest'
import { createSystemIo } from '#engine/copy'
import type { Platform } from '#engine/platform'
import { serializeError, type DeviceError } from '#shared/errors'
import { holdIfFree, refuseWritersBesideMounts } from '#src/main/engine/copy/hold-if-free.ts'
import { FakeMachine } from '#test/fake-platform'
import { temporaryFolder } from '#test/temporary-folder'

it('names who writes to a device, and nothing of ours as its cause', async () => {
  await using folder = await temporaryFolder()
  const path = await folder.write('disk.img', Buffer.alloc(512))
  const writing = { openElsewhere: async () => ({ programs: ['qemu (4711)'], isComplete: true }) }
  const refused = await holdIfFree(writing, path).catch((error: unknown) => serializeError(error))
  expect(refused).toMatchObject({ code: 'E_SRC_IN_USE', details: { holders: ['qemu (4711)'] }, cause: null })
})

it('lets the program be that has mounted a part of it read-only, and nobody else', async () => {
  const beside = (...programs: readonly string[]) =>
    refuseWritersBesideMounts(
      { openElsewhere: async () => ({ programs, isComplete: true }) },
      '/dev/sdb',
    ).then(
      () => 'read',
      ({ details }: DeviceError) => details.holders,
    )
  expect(await beside('mount.ntfs (812)')).toBe('read')
  expect(await beside('mount.ntfs-3g (812)', 'qemu-system-x86 (4711)')).toEqual(['qemu-system-x86 (4711)'])
})

it('stops finding out who has a device open when it is told to', async () => {
  await using folder = await temporaryFolder()
  const path = await folder.write('disk.img', Buffer.alloc(512))
  const cancel = new AbortController()
  let closed = 0
  const platform: Platform = {
    ...new FakeMachine().platform,
    openSource: async () => ({
      fd: -1,
      path,
      sizeBytes: 512,
      abilities: { logicalBlockBytes: 512, zeroOut: false, discard: false },
      direct: false,
      [Symbol.asyncDispose]: async () => void (closed += 1),
    }),
    openElsewhere: async (_, { signal }) => {
      cancel.abort(new Error('enough'))
      signal?.throwIfAborted()
      return { programs: [], isComplete: true }
    },
  }
  const holding = createSystemIo(platform).holdDevice(path, { alone: true, signal: cancel.signal })
  await expect(holding).rejects.toThrow('enough')
  expect(closed).toBe(1)
})
