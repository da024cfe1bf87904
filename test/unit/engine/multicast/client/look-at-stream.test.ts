import { createServer } from 'node:net'
import { describe, expect, test } from 'vitest'
import { listSessions } from '#engine/multicast/client'
import { parseAdmissionRule } from '#shared/model'
import { lookAtStream, receiveToMemory } from '#test/receive-to-memory'
import { seededBytes, seededRandom } from '#test/seeded'
import { startStreamServer } from '#test/stream-server-double'

const blockBytes = 64 * 1024
const image = seededBytes(seededRandom(3), 4 * blockBytes + 10)
const never = new AbortController().signal

describe('looking at a stream', () => {
  test('tells what it is, gives single blocks, and starts nothing', async () => {
    await using server = await startStreamServer({ image })
    await using stream = await lookAtStream(server)
    expect(stream).toMatchObject({ sizeBytes: image.length, blockBytes, blocks: 5 })
    expect(stream.info).toEqual({
      session: 'lab',
      imageName: 'lab.dmg',
      imageFormat: 'UDZO',
      streamBytes: image.length,
      fingerprint: server.fingerprint,
      pinned: true,
    })
    const last = image.subarray(4 * blockBytes)
    const got = await Promise.all([4, 0, 4].map((block) => stream.fetchBlock(block)))
    expect(got.map((bytes) => bytes.length)).toEqual([10, blockBytes, 10])
    expect(Buffer.compare(got[2] ?? new Uint8Array(), last)).toBe(0)
    expect(server.sender.state).toBe('waiting')
    expect(server.hub.status(0)).toMatchObject([{ joined: 0 }])
  })

  test('believes whoever answers when the address has no fingerprint, and says so', async () => {
    await using server = await startStreamServer({ image })
    await using stream = await lookAtStream(server, { fingerprint: null })
    expect(stream.info).toMatchObject({ fingerprint: server.fingerprint, pinned: false })
  })

  test('connects again when the connection was lost', async () => {
    await using server = await startStreamServer({ image })
    await using stream = await lookAtStream(server)
    await stream.fetchBlock(1)
    server.cut()
    expect((await stream.fetchBlock(2)).length).toBe(blockBytes)
  })

  test('can be given up, and goes on with the next block', async () => {
    await using server = await startStreamServer({ image })
    await using stream = await lookAtStream(server)
    const stop = new AbortController()
    const given = stream.fetchBlock(1, stop.signal)
    stop.abort(new Error('enough'))
    await expect(given).rejects.toThrow('enough')
    expect((await stream.fetchBlock(2)).length).toBe(blockBytes)
  })

  test('leaves a server of another fingerprint before it says anything', async () => {
    await using server = await startStreamServer({ image })
    await expect(lookAtStream(server, { fingerprint: '0'.repeat(64) })).rejects.toMatchObject({
      code: 'E_MC_FINGERPRINT',
      details: { found: server.fingerprint, expected: '0'.repeat(64) },
    })
    expect(server.heard).toEqual([])
  })

  test('needs the password, whatever the Unicode form it was typed in', async () => {
    await using server = await startStreamServer({ image, password: 'caf\u00e9' })
    await expect(lookAtStream(server)).rejects.toMatchObject({
      code: 'E_MC_PASSWORD',
      details: { given: false },
    })
    await expect(lookAtStream(server, {}, { password: 'cafe' })).rejects.toMatchObject({
      code: 'E_MC_PASSWORD',
      details: { given: true },
    })
    await using stream = await lookAtStream(server, {}, { password: 'cafe\u0301' })
    const { reception, file } = receiveToMemory(stream)
    await reception.complete
    expect(Buffer.compare(file, image)).toBe(0)
    await reception.finish('done', '')
  })

  test('is refused on an interface that is not there', async () => {
    await using server = await startStreamServer({ image })
    await expect(lookAtStream(server, {}, { interface: 'nowhere0' })).rejects.toMatchObject({
      code: 'E_MC_IFACE',
      details: { interface: 'nowhere0', known: expect.arrayContaining(['lo']) },
    })
    await using stream = await lookAtStream(server, {}, { interface: '127.0.0.1' })
    const { reception, file } = receiveToMemory(stream)
    await reception.complete
    expect(Buffer.compare(file, image)).toBe(0)
    await reception.finish('done', '')
  })

  test('is refused with a reason', async () => {
    const admission = [parseAdmissionRule('10.99.99.99')]
    await using server = await startStreamServer({ image, admission })
    await expect(lookAtStream(server)).rejects.toMatchObject({
      code: 'E_MC_REFUSED',
      details: { reason: 'not-admitted' },
    })
    await expect(lookAtStream(server, { session: 'nothing' })).rejects.toMatchObject({
      code: 'E_MC_NOSESSION',
      details: { session: 'nothing' },
    })
  })

  test('is refused for a while after too many wrong passwords, which passes', async () => {
    await using server = await startStreamServer({ image, password: 'secret' })
    const refusal = () => lookAtStream(server, {}, { password: 'wrong' }).catch((error: unknown) => error)
    await expect
      .poll(refusal)
      .toMatchObject({ code: 'E_MC_REFUSED', details: { reason: 'wait' }, transient: true })
  })

  test('tells a port where nobody speaks TLS from one where nobody is', async () => {
    const plain = createServer((socket) => socket.resume().end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve))
    const { port } = plain.address() as { port: number }
    await using server = await startStreamServer({ image })
    await expect(lookAtStream(server, { port })).rejects.toMatchObject({ code: 'E_MC_PROTOCOL' })
    await new Promise((resolve) => plain.close(resolve))
    await expect(lookAtStream(server, { port })).rejects.toMatchObject({
      code: 'E_NET',
      details: { errno: 'ECONNREFUSED' },
    })
  })
})

describe('what a server offers', () => {
  test('is told to anyone who asks', async () => {
    const startRule = { clients: 3, afterLastJoinMs: null }
    await using server = await startStreamServer({ image, startRule, password: 'secret' })
    const offer = await listSessions(server.locator, never)
    expect(offer).toEqual({
      fingerprint: server.fingerprint,
      sessions: [
        {
          name: 'lab',
          imageName: 'lab.dmg',
          sizeBytes: image.length,
          state: 'waiting',
          joined: 0,
          wanted: 3,
          startsInMs: null,
        },
      ],
    })
  })

  test('is not read from a server of another fingerprint', async () => {
    await using server = await startStreamServer({ image })
    const locator = { ...server.locator, fingerprint: 'f'.repeat(64) }
    await expect(listSessions(locator, never)).rejects.toMatchObject({ code: 'E_MC_FINGERPRINT' })
  })
})
