import { randomBytes } from 'node:crypto'
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { connectStream } from '#engine/multicast/client'
import { planFile, receiveFile, type OpenStream } from '#engine/multicast/file'
import { formatStreamLocator, type RestoreRequest } from '#shared/model'
import { quietContext } from '#test/quiet-context'
import { seededBytes, seededRandom } from '#test/seeded'
import { startStreamServer, type StreamServerDouble } from '#test/stream-server-double'
import { temporaryFolder } from '#test/temporary-folder'

const image = seededBytes(seededRandom(2), 40 * 64 * 1024 + 99)
const clientId = Uint8Array.from(randomBytes(16))
const connect: OpenStream = (locator, options) =>
  connectStream(locator, { ...options, clientId, password: null })

const request = (
  server: StreamServerDouble,
  target: string,
  changes: Partial<RestoreRequest> = {},
): RestoreRequest => ({
  source: formatStreamLocator(server.locator),
  target,
  erase: false,
  verify: true,
  clearUnused: false,
  changedOnly: false,
  afterwards: 'remount',
  timeoutMs: 0,
  form: 'file',
  buffering: { buffers: null, bufferBytes: null, csumBuffers: null, csumBufferBytes: null },
  ...changes,
})

async function run(asked: RestoreRequest, stop = new AbortController()) {
  const { signal } = stop
  const plan = await planFile(asked, { connect, signal })
  return { plan, outcome: await receiveFile(plan, { connect }, quietContext(signal)) }
}

describe("a stream's image received into a file", () => {
  test('has every byte, and nothing is left beside it', async () => {
    await using server = await startStreamServer({ image })
    await using folder = await temporaryFolder()
    const path = join(folder.path, 'out.dmg')
    const { plan, outcome } = await run(request(server, path))
    expect(plan.checks.map(({ kind }) => kind)).toEqual(['target-ok', 'source-ok', 'fits'])
    expect(outcome).toMatchObject({ kind: 'done', summary: { verified: true, restoredBytes: image.length } })
    expect(Buffer.compare(await readFile(path), image)).toBe(0)
    expect(await readdir(folder.path)).toEqual(['out.dmg'])
  })
})
