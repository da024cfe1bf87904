import { describe, expect, test, type ExpectStatic } from 'vitest'
import { lookAtStream, receiveToMemory } from '#test/receive-to-memory'
import { seededBytes, seededRandom } from '#test/seeded'
import { startStreamServer, type StreamServerOptions } from '#test/stream-server-double'

const blockBytes = 64 * 1024
const image = seededBytes(seededRandom(1), 40 * blockBytes + 1234)
const blocks = 41
const isImage = (file: Uint8Array) => Buffer.compare(file, image) === 0

describe.concurrent('a stream that is received', () => {
  test('comes whole, each block once, and the server is told', async ({ expect }) => {
    await using server = await startStreamServer({ image, loss: 0.02 })
    await using stream = await lookAtStream(server)
    const { file, came, reception } = receiveToMemory(stream)
    await reception.complete
    expect(isImage(file)).toBe(true)
    expect(came.every((count) => count === 1)).toBe(true)
    await reception.finish('done', '')
    expect(server.heard.at(-1)).toMatchObject({ kind: 'finished', outcome: 'done' })
    expect(reception.progress()).toMatchObject({ blocks, missingBlocks: 0 })
    expect(reception.progress().passes.at(-1)).toBe('.'.repeat(50))
  })

  test("doesn't bring what is there already", async ({ expect }) => {
    await using server = await startStreamServer({ image })
    await using stream = await lookAtStream(server)
    const have = Uint8Array.from({ length: blocks }, (_, block) => (block < 30 ? 1 : 0))
    const { came, reception } = receiveToMemory(stream, { have })
    await reception.complete
    expect([...came]).toEqual([...have].map((value) => 1 - value))
    await reception.finish('done', '')
  })

  test('is over at once when everything is there already', async ({ expect }) => {
    await using server = await startStreamServer({ image })
    await using stream = await lookAtStream(server)
    const { reception, count } = receiveToMemory(stream, { have: new Uint8Array(blocks).fill(1) })
    await reception.complete
    expect(count()).toBe(0)
    await reception.finish('done', '')
    expect(server.heard.at(-1)).toMatchObject({ kind: 'finished', outcome: 'done' })
  })

  test('can be received twice at once by one program', async ({ expect }) => {
    await using server = await startStreamServer({ image, dataRate: 4e6 })
    const clientId = new Uint8Array(16).fill(5)
    await using first = await lookAtStream(server, {}, { clientId })
    await using second = await lookAtStream(server, {}, { clientId })
    const both = [first, second].map((stream) => receiveToMemory(stream))
    await Promise.all(both.map(({ reception }) => reception.complete))
    expect(both.every(({ file }) => isImage(file))).toBe(true)
    await Promise.all(both.map(({ reception }) => reception.finish('done', '')))
    const joins = server.heard.filter((message) => message.kind === 'hello' && message.purpose === 'join')
    expect(joins).toHaveLength(2)
    expect(joins).toContainEqual(expect.objectContaining({ clientId }))
  })

  test('brings a block again that could not be kept', async ({ expect }) => {
    await using server = await startStreamServer({ image })
    await using stream = await lookAtStream(server)
    let isGivenBack = false
    const { came, reception } = receiveToMemory(stream, {
      onBlock(block) {
        came[block] = (came[block] ?? 0) + 1
        if (block === 7 && !isGivenBack) {
          isGivenBack = true
          reception.again(block)
        } else reception.written(block)
      },
    })
    await reception.complete
    expect([...came]).toEqual(Array.from({ length: blocks }, (_, block) => (block === 7 ? 2 : 1)))
    await reception.finish('done', '')
  })

  test('waits for who writes, and holds no more than it may', async ({ expect }) => {
    await using server = await startStreamServer({ image })
    await using stream = await lookAtStream(server)
    const unwritten: number[] = []
    const { reception } = receiveToMemory(stream, {
      holdBytes: 4 * blockBytes,
      onBlock: (block) => void unwritten.push(block),
    })
    let most = 0
    let isOver = false
    const writing = setInterval(() => {
      most = Math.max(most, unwritten.length)
      const block = unwritten.shift()
      if (block !== undefined) reception.written(block)
    }, 5)
    await reception.complete.finally(() => {
      isOver = true
      clearInterval(writing)
    })
    expect(isOver).toBe(true)
    expect(most).toBeLessThanOrEqual(4)
    await reception.finish('done', '')
  })

  test('stops when it is told to, and says so to the server', async ({ expect }) => {
    await using server = await startStreamServer({ image, dataRate: 1e6 })
    await using stream = await lookAtStream(server)
    const stop = new AbortController()
    const { reception, count } = receiveToMemory(stream, { signal: stop.signal })
    await expect.poll(count).toBeGreaterThan(1)
    stop.abort(new Error('enough'))
    await expect(reception.complete).rejects.toThrow('enough')
    const then = count()
    await reception.finish('cancelled', 'by hand')
    expect(count()).toBe(then)
    expect(server.heard.at(-1)).toMatchObject({ kind: 'finished', outcome: 'cancelled', text: 'by hand' })
  })

  test('fails, with the words of the server, when the server ends it', async ({ expect }) => {
    await using server = await startStreamServer({ image, dataRate: 1e6 })
    await using stream = await lookAtStream(server)
    const { reception, count } = receiveToMemory(stream)
    await expect.poll(count).toBeGreaterThan(0)
    server.stop('stopped', 'closing time')
    await expect(reception.complete).rejects.toMatchObject({
      code: 'E_MC_ENDED',
      details: { text: 'closing time' },
    })
    await reception.finish('failed', '')
  })

  test('says how long it has waited when nothing comes', async ({ expect }) => {
    await using server = await startStreamServer({ image, dataRate: 1e6 })
    await using stream = await lookAtStream(server)
    const { reception, count } = receiveToMemory(stream, { timeoutMs: 1000 })
    await expect.poll(count).toBeGreaterThan(0)
    await server[Symbol.asyncDispose]()
    await expect(reception.complete).rejects.toMatchObject({ code: 'E_MC_TIMEOUT', details: { seconds: 1 } })
    await reception.finish('failed', '')
  })

  test('says that it loses far more than others when the server does', async ({ expect }) => {
    await using server = await startStreamServer({
      image,
      startRule: { clients: 2, afterLastJoinMs: null },
      falsify: (message) => (message.kind === 'position' ? { ...message, standing: 'slow' } : message),
    })
    await using stream = await lookAtStream(server)
    const { reception } = receiveToMemory(stream)
    expect(reception.progress().standing).toBe('well')
    await expect.poll(() => reception.progress().standing).toBe('slow')
    await reception.finish('cancelled', '')
    await expect(reception.complete).rejects.toThrow()
  })

  test("waits for its start, which isn't a silence that it gives up for", async ({ expect }) => {
    const startRule = { clients: 2, afterLastJoinMs: null }
    await using server = await startStreamServer({ image, startRule })
    await using stream = await lookAtStream(server)
    const { reception, file } = receiveToMemory(stream, { timeoutMs: 1500 })
    await expect
      .poll(() => reception.progress())
      .toMatchObject({ state: 'waiting', waiting: { joined: 1, wanted: 2, startsInMs: null } })
    await new Promise((resolve) => setTimeout(resolve, 2000))
    server.hub.startNow('lab')
    await reception.complete
    expect(isImage(file)).toBe(true)
    await reception.finish('done', '')
  })
})

describe.concurrent('a stream whose server', () => {
  test('cuts connections goes on where it was, as the same client', async ({ expect }) => {
    await using server = await startStreamServer({ image, dataRate: 2e6 })
    await using stream = await lookAtStream(server)
    const { reception, file, came, count } = receiveToMemory(stream)
    await expect.poll(count).toBeGreaterThan(3)
    server.cut()
    await expect.poll(count).toBeGreaterThan(15)
    server.cut()
    await reception.complete
    expect(isImage(file)).toBe(true)
    expect(came.every((count) => count === 1)).toBe(true)
    const ids = server.heard.flatMap((message) =>
      message.kind === 'hello' && message.purpose === 'join'
        ? [Buffer.from(message.clientId).toString('hex')]
        : [],
    )
    expect(ids.length).toBeGreaterThan(1)
    expect(new Set(ids).size).toBe(1)
    await reception.finish('done', '')
  })

  /** Received in part when the server is killed; then another one takes its place. */
  const restarted = async (
    expect: ExpectStatic,
    options: Partial<StreamServerOptions>,
    check: (got: ReturnType<typeof receiveToMemory>) => Promise<void>,
  ) => {
    const first = await startStreamServer({ image, dataRate: 2e6 })
    await using stream = await lookAtStream(first)
    const got = receiveToMemory(stream)
    await expect.poll(got.count).toBeGreaterThan(3)
    await first[Symbol.asyncDispose]()
    const { port, certificate, group, groupPort } = first
    await using _ = await startStreamServer({ image, port, certificate, group, groupPort, ...options })
    await check(got)
    await got.reception.finish('failed', '')
  }

  test('was restarted with the same image goes on where it was', async ({ expect }) => {
    await restarted(expect, {}, async ({ reception, file, came }) => {
      await reception.complete
      expect(isImage(file)).toBe(true)
      expect(came.every((count) => count === 1)).toBe(true)
    })
  })

  test('was restarted with other datagrams and another group goes on where it was', async ({ expect }) => {
    await restarted(
      expect,
      { symbolBytes: 704, group: '239.255.250.1' },
      async ({ reception, file, came }) => {
        await reception.complete
        expect(isImage(file)).toBe(true)
        expect(came.every((count) => count === 1)).toBe(true)
      },
    )
  })

  test('was restarted with another image is left', async () => {
    const other = Uint8Array.from(image, (byte) => byte ^ 1)
    await restarted(expect, { image: other }, async ({ reception }) => {
      await expect(reception.complete).rejects.toMatchObject({ code: 'E_MC_CHANGED' })
    })
  })

  test('is another one than it was is left', async ({ expect }) => {
    const made = await startStreamServer({ image })
    await made[Symbol.asyncDispose]()
    const other = await startStreamServer({ image })
    await other[Symbol.asyncDispose]()
    await restarted(expect, { certificate: other.certificate }, async ({ reception }) => {
      await expect(reception.complete).rejects.toMatchObject({ code: 'E_MC_FINGERPRINT' })
    })
  })
})
