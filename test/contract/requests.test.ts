import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { contractDouble, transportPair } from '#test/contract-double'
import {
  connectContract,
  event,
  maxFrameBytes,
  protocolVersion,
  request,
  serveContract,
} from '#shared/contract'
import { DeviceError, EngineGoneError, FormatError, UsageError } from '#shared/errors'
import { silentLogger } from '#shared/log'

/** A contract of its own, so that the plumbing is tested and not what happens to be in ours. */
const tiny = {
  request: {
    add: request(z.strictObject({ a: z.number(), b: z.number() }))<number>(),
    wait: request(z.strictObject({}))<string>(),
  },
  event: { tick: event<{ count: number }>() },
} as const

const answers = {
  add: async ({ a, b }: { a: number; b: number }) => a + b,
  wait: async (_: object, signal: AbortSignal) =>
    new Promise<string>((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
    }),
}
const soon = () => new Promise((resolve) => setTimeout(resolve, 5))

describe('a request', () => {
  test('is answered', async () => {
    const { client } = contractDouble(tiny, answers)
    await expect(client.request('add', { a: 1, b: 2 })).resolves.toBe(3)
  })

  test('is answered though a later one was answered before it', async () => {
    const { client, answer } = contractDouble(tiny, answers)
    const slow = Promise.withResolvers<string>()
    answer('wait', () => slow.promise)
    const first = client.request('wait', {})
    await expect(client.request('add', { a: 1, b: 1 })).resolves.toBe(2)
    slow.resolve('at last')
    await expect(first).resolves.toBe('at last')
  })

  test('never reaches its handler with an input of another form, and is told what is wrong without the input', async () => {
    const { client, calls } = contractDouble(tiny, answers)
    const wrong = { a: 1, b: 2, evil: 'secret value' }
    const error = await client.request('add', wrong).catch((error: unknown) => error)
    expect(error).toBeInstanceOf(UsageError)
    expect((error as UsageError).code).toBe('E_USAGE')
    expect((error as UsageError).message).toContain('evil')
    expect((error as UsageError).message).not.toContain('secret value')
    expect(calls).toEqual([])
  })

  test.each(['toString', '__proto__', 'constructor', 'hasOwnProperty', 'nothing'])(
    'of a name that is not in the literal (%s) is refused',
    async (name) => {
      const { client } = contractDouble(tiny, answers)
      await expect(client.request(name as 'add', {} as never)).rejects.toMatchObject({
        code: 'E_USAGE',
        message: 'no such request',
      })
    },
  )

  test('fails with the very error that was thrown: class, code, details, causes', async () => {
    const { client, answer } = contractDouble(tiny, answers)
    const cause = new DeviceError('E_IO_READ', 'no', {
      details: { path: '/dev/x', errno: 'EIO', offset: 512 },
    })
    answer('wait', () =>
      Promise.reject(
        new FormatError('E_SRC_CORRUPT', 'bad', {
          details: { format: 'udif', field: 'koly', offset: 7 },
          cause,
          transient: true,
        }),
      ),
    )
    const error = await client.request('wait', {}).catch((error: unknown) => error)
    expect(error).toBeInstanceOf(FormatError)
    expect(error).toMatchObject({ code: 'E_SRC_CORRUPT', transient: true, details: { offset: 7 } })
    expect((error as Error).cause).toBeInstanceOf(DeviceError)
    expect((error as Error).cause).toMatchObject({ details: { errno: 'EIO' } })
  })

  test('fails with a bug when its answer cannot be sent', async () => {
    const { client, answer } = contractDouble(tiny, answers)
    const round: { self?: unknown } = {}
    round.self = round
    answer('wait', async () => round as never)
    await expect(client.request('wait', {})).rejects.toMatchObject({ code: 'E_BUG' })
  })

  test('fails when its answer is larger than a frame, and the connection lives on', async () => {
    const { client, answer } = contractDouble(tiny, answers)
    answer('wait', async () => 'ü'.repeat(maxFrameBytes / 2))
    await expect(client.request('wait', {})).rejects.toMatchObject({ code: 'E_USAGE' })
    await expect(client.request('add', { a: 2, b: 2 })).resolves.toBe(4)
  })

  test('is refused when too many are under way, until one has ended', async () => {
    const [near, far] = transportPair()
    const slow = Promise.withResolvers<string>()
    serveContract(tiny, { ...answers, wait: () => slow.promise }, far, {
      version: '1',
      pid: 1,
      log: silentLogger,
      maxInFlight: 2,
    })
    const client = connectContract(tiny, near)
    const waiting = [client.request('wait', {}), client.request('wait', {})]
    await expect(client.request('add', { a: 1, b: 1 })).rejects.toMatchObject({ code: 'E_USAGE' })
    slow.resolve('done')
    await Promise.all(waiting)
    await expect(client.request('add', { a: 1, b: 1 })).resolves.toBe(2)
  })
})

describe('a cancelled request', () => {
  test('settles only when its handler has settled', async () => {
    const { client, answer } = contractDouble(tiny, answers)
    const order: string[] = []
    const stopped = Promise.withResolvers<void>()
    answer('wait', async (_, signal) => {
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
      order.push('asked to stop')
      await stopped.promise
      order.push('has stopped')
      throw signal.reason
    })
    const controller = new AbortController()
    const result = client.request('wait', {}, { signal: controller.signal }).catch((error: unknown) => {
      order.push('settled')
      return error
    })
    controller.abort()
    await soon()
    expect(order).toEqual(['asked to stop'])
    stopped.resolve()
    expect(await result).toBe(controller.signal.reason)
    expect(order).toEqual(['asked to stop', 'has stopped', 'settled'])
  })

  test('resolves when the work was done all the same', async () => {
    const { client, answer } = contractDouble(tiny, answers)
    answer('wait', async (_, signal) => {
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
      return 'too late to stop'
    })
    const controller = new AbortController()
    const result = client.request('wait', {}, { signal: controller.signal })
    controller.abort()
    await expect(result).resolves.toBe('too late to stop')
  })

  test('is never sent when the signal was aborted before', async () => {
    const { client, calls } = contractDouble(tiny, answers)
    const signal = AbortSignal.abort(new Error('before'))
    await expect(client.request('wait', {}, { signal })).rejects.toThrow('before')
    await soon()
    expect(calls).toEqual([])
  })
})

describe('the end of a connection', () => {
  test('rejects open requests and those that come later, with the reason', async () => {
    const { client, die } = contractDouble(tiny, answers)
    const open = client.request('wait', {})
    const heard: string[] = []
    client.onClose((reason) => heard.push(reason.code))
    await soon()
    die(new Error('unplugged'))
    await expect(open).rejects.toBeInstanceOf(EngineGoneError)
    await expect(client.request('add', { a: 1, b: 2 })).rejects.toMatchObject({
      code: 'E_ENGINE_GONE',
      message: 'unplugged',
    })
    expect(heard).toEqual(['E_ENGINE_GONE'])
  })

  test('aborts handlers, and is settled when the last of them is', async () => {
    const [near, far] = transportPair()
    const stopped = Promise.withResolvers<string>()
    let aborted = false
    const served = serveContract(
      tiny,
      {
        ...answers,
        wait: (_, signal) => {
          signal.addEventListener('abort', () => (aborted = true), { once: true })
          return stopped.promise
        },
      },
      far,
      { version: '1', pid: 1, log: silentLogger },
    )
    const client = connectContract(tiny, near)
    client.request('wait', {}).catch(() => undefined)
    await soon()
    let settled = false
    void served.settled.then(() => (settled = true))
    client.close(new Error('enough'))
    await soon()
    expect([aborted, settled]).toEqual([true, false])
    stopped.resolve('x')
    await served.settled
  })
})

describe('hello', () => {
  test('says who is there', async () => {
    const { client } = contractDouble(tiny, answers)
    await expect(client.hello).resolves.toMatchObject({ protocol: protocolVersion, version: '0.0.0', pid: 1 })
  })

  test('of another protocol ends the connection', async () => {
    const [near, far] = transportPair()
    const client = connectContract(tiny, near)
    far.send(JSON.stringify({ kind: 'hello', protocol: protocolVersion + 1, version: '9', pid: 1 }))
    await expect(client.hello).rejects.toMatchObject({ code: 'E_HELPER_VERSION' })
    await expect(client.request('add', { a: 1, b: 1 })).rejects.toMatchObject({ code: 'E_HELPER_VERSION' })
  })
})

describe('events', () => {
  test('reach who subscribed, until they end it', async () => {
    const { client, emit } = contractDouble(tiny, answers)
    const seen: number[] = []
    const end = client.subscribe('tick', ({ count }) => seen.push(count))
    emit('tick', { count: 1 })
    await soon()
    end()
    emit('tick', { count: 2 })
    await soon()
    expect(seen).toEqual([1])
  })

  test('that are not in the literal reach nobody', async () => {
    const { client, emit } = contractDouble(tiny, answers)
    const seen: unknown[] = []
    client.subscribe('other' as 'tick', (payload) => seen.push(payload))
    emit('other' as 'tick', { count: 1 })
    await soon()
    expect(seen).toEqual([])
  })

  test('larger than a frame are left out', async () => {
    const { client, emit } = contractDouble(tiny, answers)
    const seen: unknown[] = []
    client.subscribe('tick', (payload) => seen.push(payload))
    emit('tick', { count: 'x'.repeat(maxFrameBytes) as never })
    emit('tick', { count: 1 })
    await soon()
    expect(seen).toEqual([{ count: 1 }])
  })
})
