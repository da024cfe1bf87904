/** The control port by itself: who is told more than he reads. Real TLS on the loopback interface. */
import { connect, type TLSSocket } from 'node:tls'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { SessionHub } from '#engine/multicast/sessions'
import { createFrameReader, type ServerMessage } from '#engine/multicast/wire'
import { AnswerPacer } from '#src/main/engine/multicast/port/answer-pacer.ts'
import { ControlServer } from '#src/main/engine/multicast/port/control-server.ts'
import { serverIdentity } from '#src/main/engine/multicast/server/server-identity.ts'
import { freePort } from '#test/real-stream-server'
import { temporaryFolder } from '#test/temporary-folder'

const hashes = new Uint8Array(4096 * 32).fill(7)
/** More than the system keeps for a connection that isn't read: 40 MB. */
const messages: readonly ServerMessage[] = Array.from({ length: 320 }, (_, index) => ({
  kind: 'hashes',
  firstBlock: index * 4096,
  hashes,
}))

/** A port whose hub tells everyone all that, and `last` at the end; or nothing. What is long goes out at `pacer`'s rate. */
async function talkative(last: 'stays' | 'hangs up' | 'nothing', pacer: AnswerPacer | null = null) {
  const folder = await temporaryFolder()
  onTestFinished(() => folder[Symbol.asyncDispose]())
  const identity = await serverIdentity(folder.path)
  const here: string[] = []
  const gone: string[] = []
  const behind: string[] = []
  const hub: Pick<SessionHub, 'connected' | 'disconnected' | 'isBehind'> = {
    connected: (connection) => {
      here.push(connection)
      return [
        ...(last === 'nothing' ? [] : messages).map((message) => ({
          kind: 'send' as const,
          connection,
          message,
        })),
        ...(last === 'hangs up' ? [{ kind: 'close' as const, connection }] : []),
      ]
    },
    disconnected: (connection) => void gone.push(connection),
    isBehind: (connection) => void behind.push(connection),
  }
  const port = await freePort()
  const server = new ControlServer({
    port,
    ...identity,
    hub: hub as SessionHub,
    other: () => undefined,
    said: () => undefined,
    told: () => undefined,
    left: () => undefined,
    paceOf: (_, go) => pacer?.pace({ isLittle: () => true, go }) ?? null,
    log: () => undefined,
  })
  await server.listen()
  onTestFinished(() => server.close())
  const socket = await new Promise<TLSSocket>((resolve, reject) => {
    const made = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => resolve(made))
    made.on('error', reject)
    made.pause()
  })
  onTestFinished(() => void socket.destroy())
  await expect.poll(() => here).toEqual(['c1'])
  return { server, socket, gone, behind }
}

describe('a client that is told much', () => {
  it.each(['stays', 'hangs up'] as const)('gets it in order and whole, at its own pace: %s', async (last) => {
    const { socket } = await talkative(last)
    const reader = createFrameReader({ peer: 'server', from: 'server' })
    const firsts: number[] = []
    await new Promise<void>((resolve) => {
      socket.on('data', (bytes: Buffer) => {
        for (const message of reader.read(bytes))
          if (message.kind === 'hashes') firsts.push(message.firstBlock)
        if (firsts.length === messages.length && last === 'stays') resolve()
      })
      socket.once('end', resolve)
      socket.resume()
    })
    expect(firsts).toEqual(messages.map((_, index) => index * 4096))
  })

  it('is told once where the stream is when it reads on, however often that was said', async () => {
    const { server, socket } = await talkative('stays')
    const send = (message: ServerMessage) => ({ kind: 'send' as const, connection: 'c1', message })
    for (let serial = 1; serial <= 600; serial++)
      server.carry(
        [
          send({ kind: 'position', serial, state: 'waiting', standing: 'well', reportEveryMs: 250 }),
          send({ kind: 'waiting', joined: serial, wanted: 0, startsInMs: 0 }),
        ],
        performance.now(),
      )
    const told: ServerMessage[] = []
    const reader = createFrameReader({ peer: 'server', from: 'server' })
    await new Promise<void>((resolve) => {
      socket.on('data', (bytes: Buffer) => {
        told.push(...(reader.read(bytes) as ServerMessage[]))
        if (told.some((message) => message.kind === 'waiting' && message.joined === 600)) resolve()
      })
      socket.resume()
    })
    expect(told.slice(messages.length)).toMatchObject([
      { kind: 'position', serial: 600 },
      { kind: 'waiting', joined: 600 },
    ])
  })

  it('is cut off when it reads nothing of it for a minute', async () => {
    const { server, socket, gone, behind } = await talkative('stays')
    const after = (ms: number) => {
      server.tick(performance.now() + ms)
      return gone
    }
    // The system's buffers are full.
    let bytesRead = -1
    await expect.poll(() => bytesRead === (bytesRead = socket.bytesRead), { interval: 300 }).toBe(true)
    expect(after(30_000)).toEqual([])
    // It says nothing because it has more to read.
    expect(behind).toEqual(['c1'])
    await expect.poll(() => after(60_000)).toEqual(['c1'])
  })

  it('is cut off when it takes one message for minutes, a little now and then', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    onTestFinished(() => void vi.useRealTimers())
    // Counts what goes out: the system takes much from the server before it hands more to the client.
    let pieces = 0
    const take = () => (pieces++, true)
    const counting = { pace: () => ({ pieceBytes: 64 * 1024, take }) } as unknown as AnswerPacer
    const { server, socket, gone } = await talkative('nothing', counting)
    void server.tellBlock('c1', 0, new Uint8Array(16 * 1024 * 1024))
    for (let seconds = 0; seconds < 300; seconds += 50) {
      server.tick(performance.now())
      expect(gone).toEqual([])
      const before = pieces
      await expect.poll(() => (socket.read(), pieces), { interval: 5 }).toBeGreaterThan(before)
      vi.advanceTimersByTime(50_000)
    }
    server.tick(performance.now())
    await expect.poll(() => gone).toEqual(['c1'])
  })

  it('is cut off when it asks again and again, and reads no answer', async () => {
    const { server, gone, behind } = await talkative('stays')
    const isThere = () => {
      server.tick(performance.now())
      return behind.length > 0
    }
    await expect.poll(isThere).toBe(true)
    const message = { kind: 'answer', id: 1, json: new Uint8Array(256 * 1024) } as const
    const answer = () => server.carry([{ kind: 'send', connection: 'c1', message }], performance.now())
    for (let count = 0; count < 8; count++) answer()
    expect(gone).toEqual([])
    answer()
    await expect.poll(() => gone).toEqual(['c1'])
  })
})

describe('a client that is slow, in the middle of a block,', () => {
  /** More than the system keeps on the way: 16 MiB. */
  const block = new Uint8Array(16 * 1024 * 1024 - 64).fill(3)
  const end = { kind: 'end', reason: 'stopped', text: '' } as const

  /** What it hears when it reads some of it each moment, for longer than who takes nothing is waited for. */
  async function heardSlowly(socket: TLSSocket): Promise<string[]> {
    const reader = createFrameReader({ peer: 'server', from: 'server' })
    const kinds: string[] = []
    const sinceMs = performance.now()
    const over = new Promise<void>((resolve) => socket.once('close', () => resolve()))
    socket.on('data', (bytes: Buffer) => {
      kinds.push(...reader.read(bytes).map(({ kind }) => kind))
      if (performance.now() - sinceMs > 3000) return
      socket.pause()
      setTimeout(() => socket.resume(), 10)
    })
    socket.resume()
    await over
    return kinds
  }

  it('hears that its session is over', async () => {
    const { server, socket } = await talkative('nothing')
    void server.tellBlock('c1', 0, block)
    const outputs = [
      { kind: 'send', connection: 'c1', message: end },
      { kind: 'close', connection: 'c1' },
    ] as const
    server.carry(outputs, performance.now())
    expect(await heardSlowly(socket)).toEqual(['block', 'end'])
  })

  it('hears that its server is stopped', async () => {
    const { server, socket } = await talkative('nothing')
    void server.tellBlock('c1', 0, block)
    server.carry([{ kind: 'send', connection: 'c1', message: end }], performance.now())
    const heard = heardSlowly(socket)
    await server.close()
    expect(await heard).toEqual(['block', 'end'])
  })
})

describe('a client that is told something long at a rate', () => {
  const rate = 1_000_000
  const block = new Uint8Array(1024 * 1024).fill(3)

  /** Served as the loop serves it. */
  async function paced(last: Parameters<typeof talkative>[0] = 'nothing') {
    let timer: NodeJS.Timeout | undefined
    const pacer: AnswerPacer = new AnswerPacer({ rate: () => rate, wake: () => void setImmediate(turn) })
    const turn = () => {
      clearTimeout(timer)
      const nowMs = performance.now()
      const dueMs = pacer.serve(nowMs)
      if (dueMs < Infinity) timer = setTimeout(turn, dueMs - nowMs)
    }
    onTestFinished(() => clearTimeout(timer))
    return { pacer, ...(await talkative(last, pacer)) }
  }

  it('gets it whole, and no faster', async () => {
    const { server, socket } = await paced()
    socket.resume()
    const sinceMs = performance.now()
    const reader = createFrameReader({ peer: 'server', from: 'server' })
    const came = new Promise<ServerMessage>((resolve) => {
      socket.on('data', (bytes: Buffer) => {
        for (const message of reader.read(bytes)) resolve(message as ServerMessage)
      })
    })
    await server.tellBlock('c1', 7, block)
    const message = await came
    expect(performance.now() - sinceMs).toBeGreaterThan(900)
    expect(message.kind === 'block' && [message.block, Buffer.compare(message.bytes, block)]).toEqual([7, 0])
  })

  it('is not cut off for what it has to wait for, and nothing is expected of it', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    onTestFinished(() => void vi.useRealTimers())
    const { server, socket, gone, behind } = await paced()
    socket.resume()
    void server.tellBlock('c1', 0, block)
    // What went out was taken long ago, and nobody has its turn.
    await expect.poll(() => socket.bytesRead).toBeGreaterThan(9000)
    vi.advanceTimersByTime(400_000)
    server.tick(performance.now())
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect([gone, behind]).toEqual([[], ['c1']])
  })

  it('leaves its turn to others when it is gone', async () => {
    const { server, socket, gone, pacer } = await paced()
    const told = server.tellBlock('c1', 0, block)
    expect(pacer.waiting).toBe('little')
    socket.destroy()
    await told
    await expect.poll(() => gone).toEqual(['c1'])
    await expect.poll(() => pacer.waiting).toBe('none')
  })

  it('hears at once that it is over', async () => {
    const { server, socket } = await paced()
    socket.resume()
    const reader = createFrameReader({ peer: 'server', from: 'server' })
    const kinds: string[] = []
    socket.on('data', (bytes: Buffer) => kinds.push(...reader.read(bytes).map(({ kind }) => kind)))
    const send = (message: ServerMessage) => ({ kind: 'send' as const, connection: 'c1', message })
    void server.tellBlock('c1', 0, block)
    const sinceMs = performance.now()
    server.carry(
      [
        ...messages.map(send),
        send({ kind: 'end', reason: 'stopped', text: '' }),
        { kind: 'close', connection: 'c1' },
      ],
      sinceMs,
    )
    await new Promise((resolve) => void socket.once('end', resolve))
    expect([kinds[0], kinds.at(-1)]).toEqual(['block', 'end'])
    expect(performance.now() - sinceMs).toBeLessThan(900)
  })
})
