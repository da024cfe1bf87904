import { createHash } from 'node:crypto'
import { expect, it } from 'vitest'
import type { BlockSource } from '#engine/block-io'
import { HashedSource } from '#src/main/engine/pipeline/hashed-source.ts'
import { noise } from '#test/image-of-runs'

const kibibyte = 1024

/** Reads that end when they are told to, in any order. */
function slowSource(bytes: Uint8Array) {
  const waiting: (() => void)[] = []
  const source: BlockSource = {
    path: '/images/disk.img.zst',
    sizeBytes: bytes.length,
    async read(into, offset) {
      await new Promise<void>((resolve) => waiting.push(resolve))
      into.set(bytes.subarray(offset, offset + into.length))
    },
    [Symbol.asyncDispose]: async () => undefined,
  }
  /** Ends the read that began as the `index`th of those under way, once there is one. */
  const end = async (index = 0) => {
    while (waiting.length <= index) await new Promise((resolve) => setImmediate(resolve))
    waiting.splice(index, 1)[0]?.()
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { source, end, waiting }
}

it('has the digest of the file whichever read ends first, also one that nobody waited for', async () => {
  const bytes = noise(700 * kibibyte, 1)
  const expected = createHash('sha256').update(bytes).digest('hex')
  for (const late of [0, 1]) {
    const { source, end, waiting } = slowSource(bytes)
    const hashed = new HashedSource(source)
    const ahead = hashed.read(new Uint8Array(64 * kibibyte), 300 * kibibyte)
    const digest = hashed.digest(new AbortController().signal)
    await end(late)
    const done = new Set<string>()
    void digest.then((value) => done.add(value))
    while (done.size === 0) {
      if (waiting.length > 0) await end(waiting.length - 1)
      else await new Promise((resolve) => setImmediate(resolve))
    }
    expect(await digest).toBe(expected)
    while (waiting.length > 0) await end()
    await ahead
  }
})
