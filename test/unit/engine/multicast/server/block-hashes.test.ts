import { describe, expect, it } from 'vitest'
import { hashStream } from '#src/main/engine/multicast/server/block-hashes.ts'
import { temporaryFolder } from '#test/temporary-folder'

describe('hashing a source', () => {
  it('ends at once when it is stopped, also when the source answers nothing', async () => {
    await using folder = await temporaryFolder()
    const abort = new AbortController()
    let asked = 0
    const hashing = hashStream(
      {
        bytes: { locator: '/away.dmg', stamp: null, kind: 'file', sizeBytes: 40_000 },
        imageName: 'away.dmg',
        imageFormat: 'UDZO',
        identity: null,
      },
      {
        read: () => (asked++, new Promise(() => {})),
        [Symbol.asyncDispose]: () => Promise.resolve(),
      },
      { folder: folder.path, blockBytes: 1024, signal: abort.signal, progress: () => undefined },
    )
    expect(asked).toBeGreaterThan(0)
    abort.abort(new Error('stopped'))
    await expect(hashing).rejects.toThrow('stopped')
  })
})
