/** Images made by Apple's own tools, scanned, and received as a stream whose blocks come in any order. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { createStreamDoor, createSystemIo } from '#engine/copy'
import { createPlatform } from '#engine/platform'
import { silentLogger } from '#shared/log'
import { fakeStreamServer } from '#test/fake-stream-connection'
import { missing } from '#test/needs'
import { restoreForReal, sha256, summaryOf } from '#test/restore-for-real'
import { realImageList, realImagePath } from '#test/real-images'
import { scannedCopy } from '#test/scanned-copy'

const skip = missing('images')
/** One of each kind, and the one whose data doesn't begin at 0: starting decoders takes longer than decoding. */
const readable = realImageList.filter(
  ({ kind, file }) =>
    file.startsWith('dmgwiz/') &&
    /^(UD(RO|CO|ZO|BZ)|ULFO|ULMO)$/.test(kind),
)

const copies = mkdtempSync(join(tmpdir(), 'reprise-streamed-'))
afterAll(() => rmSync(copies, { recursive: true }))

describe.skipIf(skip)('a real image that is streamed', () => {
  test.each(readable)('$file ($kind) comes out in any order as it should', async ({ file, expandedSha256 }) => {
    const bytes = readFileSync(await scannedCopy(realImagePath(file), copies))
    const stream = { bytes, blockBytes: 64 * 1024, imageName: file, imageFormat: 'UDZO', seed: 1 }
    const streams = createStreamDoor(fakeStreamServer({ ...stream, order: 'shuffled' }).connect)
    const target = join(copies, 'restored.img')
    const restored = await restoreForReal(
      { source: 'asr://lab', target },
      { deps: { io: createSystemIo(createPlatform({ log: silentLogger }), streams) } },
    )
    const { restoredBytes, verified } = summaryOf(restored)
    expect(verified).toBe(true)
    expect(await sha256(target, restoredBytes)).toBe(expandedSha256)
    rmSync(target)
  })
})
