import { expect, it } from 'vitest'
import { createSystemIo } from '#engine/copy'
import type { Platform } from '#engine/platform'
import { FakeMachine } from '#test/fake-platform'
import { temporaryFolder } from '#test/temporary-folder'

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
