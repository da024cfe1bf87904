import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createBlockHasher } from '#src/main/engine/hashing/block-hasher.ts'

const memory = new Uint8Array(new SharedArrayBuffer(64 * 1024))
memory.forEach((_, at) => (memory[at] = (at * 2_654_435_761) >>> 13))
const blocks = Array.from({ length: 64 }, (_, index) => memory.subarray(index * 1024, (index + 1) * 1024))
const hex = (digest: Uint8Array) => Buffer.from(digest).toString('hex')
const expected = blocks.map((block) => createHash('sha256').update(Uint8Array.from(block)).digest('hex'))

describe.each([
  ['in place', { threads: 1 }],
  ['in one thread and then in another', { threads: 2, inlineBytes: 0 }],
  ['the first in place, the rest in threads', { threads: 3, inlineBytes: 5000 }],
] as const)('blocks hashed %s', (_, options) => {
  it('have each its own SHA-256, whichever is done first', async () => {
    await using hasher = createBlockHasher(options)
    const digests = await Promise.all(blocks.map((block) => hasher.digest(block)))
    expect(digests.map(hex)).toEqual(expected)
  })
})

describe('a block hasher that is closed', () => {
  it('lets nobody wait for ever', async () => {
    const hasher = createBlockHasher({ threads: 2, inlineBytes: 0 })
    const asked = blocks.map((block) => hasher.digest(block).catch(String))
    await hasher[Symbol.asyncDispose]()
    for (const answer of await Promise.all(asked))
      expect(String(answer)).toContain('the hash lane was closed')
  })
})
