import { describe, expect, test } from 'vitest'
import { encodeMessage, type ServerMessage } from '#engine/multicast/wire'
import { createLogger, type LogLine } from '#shared/log'
import { lookAtStream, receiveToMemory } from '#test/receive-to-memory'
import { seededBytes, seededRandom } from '#test/seeded'
import { startStreamServer, type StreamServerOptions } from '#test/stream-server-double'

const blockBytes = 64 * 1024
const image = seededBytes(seededRandom(1), 40 * blockBytes + 1234)
const blocks = 41
const isImage = (file: Uint8Array) => Buffer.compare(file, image) === 0

describe.concurrent('multicast that does not arrive', () => {
  test('is said, with its likely causes, and the image comes over the connection', async ({ expect }) => {
    await using server = await startStreamServer({ image })
    server.multicast = 'off'
    const lines: LogLine[] = []
    const log = createLogger(
      (line) => lines.push(line),
      () => 0,
    )
    await using stream = await lookAtStream(server, {}, { log })
    const states: string[] = []
    const reasons = new Set<string | undefined>()
    const came: number[] = []
    const { reception, file } = receiveToMemory(stream, {
      onBlock(block, bytes) {
        came.push(block)
        states.push(reception.progress().state)
        reasons.add(reception.progress().silence?.code)
        file.set(bytes, block * blockBytes)
        reception.written(block)
      },
    })
    await reception.complete
    expect(isImage(file)).toBe(true)
    expect(came.toSorted((a, b) => a - b)).toEqual([...came.keys()])
    expect(came).toHaveLength(blocks)
    expect(new Set(states)).toEqual(new Set(['fetching']))
    expect(reasons).toContain('E_MC_SILENT')
    expect(reception.warnings()).toMatchObject([
      { code: 'E_MC_SILENT', details: { group: server.group, interface: 'lo' } },
    ])
    const told = lines.filter(({ level }) => level === 'warn').map(({ fields }) => String(fields['likely']))
    expect(told).toContainEqual(expect.stringContaining('firewall'))
    await reception.finish('done', '')
  })

  test('any more, in the middle of a block, has the rest come over the connection', async ({ expect }) => {
    await using server = await startStreamServer({ image, dataRate: 1e6 })
    await using stream = await lookAtStream(server)
    const { reception, file, count } = receiveToMemory(stream)
    await expect.poll(count).toBeGreaterThan(0)
    server.multicast = 'off'
    await reception.complete
    expect(isImage(file)).toBe(true)
    await reception.finish('done', '')
  })

  test('is taken up again as soon as it does', async ({ expect }) => {
    let asked = 0
    // A server that is slow to give single blocks, so that the stream has something left to bring.
    await using server = await startStreamServer({
      image,
      falsify: (message) => {
        if (message.kind === 'block') {
          asked += 1
          if (asked === 3) server.multicast = 'on'
        }
        return message
      },
    })
    server.multicast = 'off'
    await using stream = await lookAtStream(server)
    const { reception, file } = receiveToMemory(stream, {
      onBlock(block, bytes) {
        file.set(bytes, block * blockBytes)
        // Slow enough for the stream to be heard before everything is fetched.
        const isFetching = reception.progress().state === 'fetching'
        setTimeout(() => reception.written(block), isFetching ? 300 : 0)
      },
      holdBytes: 4 * blockBytes,
    })
    await reception.complete
    expect(isImage(file)).toBe(true)
    expect(asked).toBeLessThan(blocks)
    await reception.finish('done', '')
  })

  test("doesn't make the server send to nobody", async ({ expect }) => {
    await using server = await startStreamServer({ image, falsify: noBlocks })
    server.multicast = 'off'
    await using stream = await lookAtStream(server)
    const { reception } = receiveToMemory(stream)
    await expect.poll(() => reception.progress().state).toBe('fetching')
    await expect.poll(() => server.sender.state).toBe('quiet')
    const reports = () => server.heard.filter((message) => message.kind === 'report')
    const before = reports().length
    await expect.poll(() => reports().length).toBeGreaterThan(before + 2)
    expect(reports().at(-1)).toMatchObject({ needs: [] })
    await reception.finish('failed', '')
  })
})

test.concurrent.each([
  ['cut off', "the server can't be reached"],
  ['there', 'the server is there, but sends nothing'],
] as const)('a silence is blamed on who is to blame: the server is %s', async (how, message) => {
  let isCutOff = false
  const falsify = (said: ServerMessage) => (isCutOff ? new Uint8Array(0) : said)
  await using server = await startStreamServer({ image, dataRate: 1e6, falsify })
  await using stream = await lookAtStream(server)
  const { reception, count } = receiveToMemory(stream, { timeoutMs: 2000 })
  await expect.poll(count).toBeGreaterThan(0)
  // As when the cable is pulled: the connection stands, and says nothing.
  isCutOff = how === 'cut off'
  server.multicast = 'off'
  await expect(reception.complete).rejects.toMatchObject({ code: 'E_MC_TIMEOUT', message })
  await reception.finish('failed', '')
})

test.concurrent('a disk that is slow is not taken for a server that sends nothing', async ({ expect }) => {
  await using server = await startStreamServer({ image })
  await using stream = await lookAtStream(server)
  const timeoutMs = 2000
  const waiting: number[] = []
  let isQuick = false
  const { reception, file } = receiveToMemory(stream, {
    timeoutMs,
    holdBytes: 4 * blockBytes,
    onBlock(block, bytes) {
      file.set(bytes, block * blockBytes)
      if (isQuick) reception.written(block)
      else waiting.push(block)
    },
  })
  await expect.poll(() => waiting.length).toBe(3)
  // Longer than the server may be silent: it has nothing to send, as there is no room for anything.
  await new Promise((resolve) => setTimeout(resolve, timeoutMs * 2))
  isQuick = true
  for (const block of waiting) reception.written(block)
  await reception.complete
  expect(isImage(file)).toBe(true)
  await reception.finish('done', '')
})

test.concurrent(
  'a session that ended, which was heard by multicast only, is not waited for',
  async ({ expect }) => {
    await using server = await startStreamServer({ image, dataRate: 1e6 })
    await using stream = await lookAtStream(server)
    const { reception, count } = receiveToMemory(stream, { timeoutMs: 10_000 })
    await expect.poll(count).toBeGreaterThan(0)
    // Its last word is lost with the connection.
    server.hub.stop('lab', { reason: 'stopped', text: '' })
    server.cut()
    await expect(reception.complete).rejects.toMatchObject({ code: 'E_MC_ENDED' })
    await reception.finish('failed', '')
  },
)

const noBlocks = (message: ServerMessage): ServerMessage | Uint8Array =>
  message.kind === 'block' ? new Uint8Array() : message

describe.concurrent('a server that means harm', () => {
  const refusalOf = async (options: Partial<StreamServerOptions>): Promise<unknown> => {
    await using server = await startStreamServer({ image, ...options })
    return await lookAtStream(server).then(
      () => null,
      (error: unknown) => error,
    )
  }
  const falsify = (kind: ServerMessage['kind'], change: object) => (message: ServerMessage) =>
    message.kind === kind ? ({ ...message, ...change } as ServerMessage) : message

  test('and speaks another version is told from one that does not', async ({ expect }) => {
    const versions = { lowestVersion: 7, highestVersion: 9 }
    expect(await refusalOf({ falsify: falsify('greeting', versions) })).toMatchObject({
      code: 'E_MC_PROTOCOL',
      message: expect.stringContaining('7 to 9'),
    })
  })

  test.each<[ServerMessage['kind'], object]>([
    ['greeting', { magic: new Uint8Array(8) }],
    ['session', { group: '10.0.0.1' }],
    ['session', { group: '239.0.0' }],
    ['session', { port: 0 }],
    ['session', { sizeBytes: 2 ** 53 - 1 }],
    ['session', { sizeBytes: 2 ** 28, blockBytes: 16, symbolBytes: 16 }],
    ['session', { root: new Uint8Array(32).fill(1) }],
    ['hashes', { firstBlock: 3 }],
  ])('and offers what cannot be is left: %s %j', async (kind, change) => {
    expect(await refusalOf({ falsify: falsify(kind, change) })).toMatchObject({ code: 'E_MC_PROTOCOL' })
  })

  test('and sends garbage instead of messages is left', async ({ expect }) => {
    const garbage = Uint8Array.from({ length: 5000 }, (_, index) => index % 251)
    const error = await refusalOf({
      falsify: (message) => (message.kind === 'session' ? garbage : message),
    })
    expect(error).toMatchObject({ code: 'E_MC_PROTOCOL' })
  })

  test('and gives wrong bytes for a block is left, and none of them is given on', async ({ expect }) => {
    await using server = await startStreamServer({
      image,
      falsify: falsify('block', { bytes: new Uint8Array(blockBytes) }),
    })
    server.multicast = 'off'
    await using stream = await lookAtStream(server)
    const { reception, count } = receiveToMemory(stream)
    await expect(reception.complete).rejects.toMatchObject({ code: 'E_MC_PROTOCOL' })
    expect(count()).toBe(0)
    await reception.finish('failed', '')
    await expect(stream.fetchBlock(3)).rejects.toMatchObject({ code: 'E_MC_PROTOCOL' })
  })

  test('and sends blocks that nobody asked for is left', async ({ expect }) => {
    const unasked = encodeMessage({ kind: 'block', block: 1, bytes: new Uint8Array(10) })
    await using server = await startStreamServer({
      image,
      dataRate: 1e5,
      falsify: (message) => (message.kind === 'position' && message.serial > 0 ? unasked : message),
    })
    await using stream = await lookAtStream(server)
    const { reception } = receiveToMemory(stream)
    await expect(reception.complete).rejects.toMatchObject({ code: 'E_MC_PROTOCOL' })
    await reception.finish('failed', '')
  })
})

test('garbage in the group is counted, and does not matter', async () => {
  await using server = await startStreamServer({ image, dataRate: 4e6 })
  await using stream = await lookAtStream(server)
  const { reception, file } = receiveToMemory(stream)
  const random = seededRandom(9)
  const noise = setInterval(() => {
    for (let count = 0; count < 20; count++) server.spray(seededBytes(random, random.below(1441)))
  }, 2)
  await reception.complete.finally(() => clearInterval(noise))
  expect(isImage(file)).toBe(true)
  await reception.finish('done', '')
  const last = server.heard.findLast((message) => message.kind === 'report')
  expect(last?.rejected).toBeGreaterThan(100)
})
