import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { connectStream, type ReceiveOptions, type StreamConnection } from '#engine/multicast/client'
import { silentLogger } from '#shared/log'
import type { StreamLocator } from '#shared/model'
import { seededBytes, seededRandom } from '#test/seeded'
import { startStreamServer, type StreamServerDouble } from '#test/stream-server-double'

const image = seededBytes(seededRandom(1), 40 * 64 * 1024 + 1234)
const never = new AbortController().signal

const connect = (server: StreamServerDouble, locator: Partial<StreamLocator> = {}, password?: string) =>
  connectStream(
    { ...server.locator, ...locator },
    {
      password: password ?? null,
      clientId: Uint8Array.from(randomBytes(16)),
      log: silentLogger,
      signal: never,
    },
  )

/** Receives into memory, and counts how often each block came. */
function receive(stream: StreamConnection, options: Partial<ReceiveOptions> = {}) {
  const file = new Uint8Array(stream.sizeBytes)
  const came = new Uint8Array(stream.blocks)
  const reception = stream.receive({
    have: null,
    holdBytes: 16 * 1024 * 1024,
    timeoutMs: 0,
    signal: never,
    onBlock(block, bytes) {
      came[block]! += 1
      file.set(bytes, block * stream.blockBytes)
      reception.written(block)
    },
    ...options,
  })
  return { file, came, reception }
}

describe('a stream that is received', () => {
  test('comes whole, each block once', async () => {
    await using server = await startStreamServer({ image, loss: 0.02 })
    await using stream = await connect(server)
    const { file, came, reception } = receive(stream)
    await reception.complete
    expect(Buffer.compare(file, image)).toBe(0)
    expect(came.every((count) => count === 1)).toBe(true)
    await reception.finish('done', '')
    expect(server.heard.at(-1)).toMatchObject({ kind: 'finished', outcome: 'done' })
    expect(reception.progress()).toMatchObject({ blocks: 41, missingBlocks: 0 })
    expect(reception.progress().passes.at(-1)).toBe('.'.repeat(50))
  })
})
