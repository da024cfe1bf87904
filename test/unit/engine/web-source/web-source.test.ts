import { readdirSync } from 'node:fs'
import type { RequestListener, ServerResponse } from 'node:http'
import { afterEach, describe, expect, test } from 'vitest'
import {
  openWebSource,
  WebClient,
  type FetchWatch,
  type WebClientOptions,
  type WebSource,
} from '#engine/web-source'
import type { NetworkError } from '#shared/errors'
import { noise } from '#test/image-of-runs'
import { describeSource } from '#test/source-conformance'
import { temporaryFolder } from '#test/temporary-folder'
import { askedRange, serveFile, startWebServer } from '#test/web-server'

const bytes = noise(400_000, 7)
const etag = '"v1"'
const lastModified = 'Tue, 01 Sep 2026 10:00:00 GMT'

const ending: { [Symbol.asyncDispose](): PromiseLike<void> }[] = []
afterEach(async () => {
  for (const each of ending.splice(0).toReversed()) await each[Symbol.asyncDispose]()
})

/** A client that never waits, but takes down for how long it would have: its clock goes on by as much. */
function impatient(options: WebClientOptions = {}) {
  const pauses: number[] = []
  const clock = { ms: 0 }
  const client = new WebClient({
    environment: {},
    now: () => clock.ms,
    sleep: async (ms) => {
      pauses.push(ms)
      clock.ms += ms
    },
    ...options,
  })
  ending.push({ [Symbol.asyncDispose]: async () => client[Symbol.dispose]() })
  return { client, pauses, clock }
}

/** Takes down who waits, why, and when no longer. */
const watchInto = (lines: string[]): FetchWatch => ({
  waits(_, during) {
    lines.push(during)
    return {
      again(trouble) {
        const { errno } = (trouble as NetworkError).details
        lines.push(typeof errno === 'string' ? errno : '')
      },
      end: () => lines.push('over'),
    }
  },
  begin: () => {
    throw new Error('not as a whole')
  },
})

async function serve(listener: RequestListener) {
  const server = await startWebServer(listener)
  ending.push(server)
  return server
}

/** Reads everything from 100,000 on, in one go. */
async function readRest(source: Awaited<ReturnType<typeof openWebSource>>) {
  const into = new Uint8Array(source.sizeBytes - 100_000)
  await source.read(into, 100_000)
  return into
}
const rest = bytes.subarray(100_000)
async function givesRest(source: Awaited<ReturnType<typeof openWebSource>>) {
  return Buffer.compare(await readRest(source), rest) === 0
}

describeSource('a file on a server', async (contents) => {
  const server = await serve((request, response) => serveFile(request, response, { bytes: contents, etag }))
  return openWebSource(`${server.url}/a.dmg`, impatient())
})

describeSource('a file on a server without ranges', async (contents) => {
  const server = await serve((_, response) => response.end(contents))
  return openWebSource(`${server.url}/a.dmg`, impatient())
})

describe('opening', () => {
  test('tells size, date and state, and asks for nothing compressed', async () => {
    const server = await serve((request, response) =>
      serveFile(request, response, { bytes, etag, lastModified }),
    )
    const source = await openWebSource(`${server.url}/images/a.dmg?key=1#part`, impatient())
    expect(source).toMatchObject({
      path: `${server.url}/images/a.dmg?key=1`,
      finalUrl: `${server.url}/images/a.dmg`,
      sizeBytes: 400_000,
      version: '400000 "v1"',
      modifiedMs: Date.UTC(2026, 8, 1, 10),
    })
    expect(server.requests[0]?.headers).toMatchObject({
      'accept-encoding': 'identity',
      range: 'bytes=0-65535',
    })
    // The beginning is there already.
    await source.read(new Uint8Array(4096), 1000)
    expect(server.requests).toHaveLength(1)
  })

  test('knows an empty file', async () => {
    const server = await serve((request, response) =>
      serveFile(request, response, { bytes: new Uint8Array(0), etag }),
    )
    expect((await openWebSource(server.url, impatient())).sizeBytes).toBe(0)
  })

  test.each([
    [404, 'E_NET_STATUS'],
    [403, 'E_NET_STATUS'],
    [204, 'E_NET_STATUS'],
  ])('says status %i', async (status, code) => {
    const server = await serve((_, response) => response.writeHead(status).end())
    await expect(openWebSource(`${server.url}/a?secret=1`, impatient())).rejects.toMatchObject({
      code,
      details: { status, address: `${server.url}/a` },
    })
    expect(server.requests).toHaveLength(1)
  })

  test('asks again when a server has troubles that pass, and not for ever', async () => {
    let troubles = 1
    const server = await serve((request, response) =>
      troubles-- > 0 ? response.writeHead(503).end() : serveFile(request, response, { bytes, etag }),
    )
    const { client, pauses } = impatient()
    await openWebSource(server.url, { client })
    expect(pauses).toEqual([500])
    troubles = 100
    await expect(openWebSource(server.url, { client })).rejects.toMatchObject({ code: 'E_NET_STATUS' })
    expect(pauses.slice(1)).toEqual([500, 1000, 2000, 4000, 2500])
    // Who asks the next thing of it doesn't wait for it as long again.
    await expect(openWebSource(server.url, { client })).rejects.toMatchObject({ code: 'E_NET_STATUS' })
    expect(pauses).toHaveLength(6)
  })

  test('waits while a server is started, says so, and waits again another time', async () => {
    const server = await serve((request, response) => serveFile(request, response, { bytes, etag }))
    const watched: string[] = []
    const early: number[] = []
    const { client, clock } = impatient({
      sleep: async (ms) => {
        clock.ms += ms
        // What is over within two seconds isn't worth a word.
        if (clock.ms < 2000) early.push(watched.length)
        if (clock.ms > 5000) await server.comeBack().catch(() => undefined)
      },
      now: () => clock.ms,
    })
    await openWebSource(server.url, { client })
    client.fetchWatch = watchInto(watched)
    await server.goAway()
    expect((await openWebSource(server.url, { client })).sizeBytes).toBe(bytes.length)
    expect(early).toEqual([0, 0])
    expect(watched).toEqual(['opening', 'ECONNREFUSED', 'over'])
    await server.goAway()
    clock.ms = 1000
    expect((await openWebSource(server.url, { client })).sizeBytes).toBe(bytes.length)
    await server.goAway()
    const other = impatient()
    other.client.fetchWatch = watchInto(watched)
    await expect(openWebSource(server.url, other)).rejects.toMatchObject({ code: 'E_NET' })
    expect(watched.at(-1)).toBe('over')
  })

  test('waits only three seconds where connections are refused and nobody has seen a server yet', async () => {
    const server = await serve((request, response) => serveFile(request, response, { bytes, etag }))
    await server.goAway()
    const { client, pauses, clock } = impatient()
    const refused = { code: 'E_NET', details: { errno: 'ECONNREFUSED' } }
    await expect(openWebSource(server.url, { client })).rejects.toMatchObject(refused)
    expect(pauses).toEqual([500, 1000, 1500])
    // Who asks the next thing of it doesn't wait again.
    await expect(openWebSource(server.url, { client })).rejects.toMatchObject(refused)
    expect(clock.ms).toBe(3000)
  })

  test('waits ten seconds for one that answered before, whatever was asked of it', async () => {
    const server = await serve((request, response) => serveFile(request, response, { bytes, etag }))
    const { client, clock } = impatient()
    await openWebSource(server.url, { client })
    await server.goAway()
    await expect(openWebSource(`${server.url}/other`, { client })).rejects.toMatchObject({ code: 'E_NET' })
    expect(clock.ms).toBe(10_000)
  })

  test('counts refusals from the first of them: a computer that is started refuses for a moment', async () => {
    let isReady = false
    const server = await serve((request, response) =>
      isReady ? serveFile(request, response, { bytes, etag }) : response.writeHead(503).end(),
    )
    const clock = { ms: 0 }
    const { client } = impatient({
      now: () => clock.ms,
      sleep: async (ms) => {
        clock.ms += ms
        if (clock.ms === 3500) await server.goAway()
        isReady = clock.ms > 5000
        if (isReady) await server.comeBack().catch(() => undefined)
      },
    })
    expect((await openWebSource(server.url, { client })).sizeBytes).toBe(bytes.length)
  })

  test.each([404, 403, 401, 410])('says status %i at once', async (status) => {
    const server = await serve((_, response) => response.writeHead(status).end())
    const { client, pauses } = impatient()
    await expect(openWebSource(server.url, { client })).rejects.toMatchObject({ details: { status } })
    expect(pauses).toEqual([])
  })

  test('says at once that there is no host of that name, and that a server does not speak TLS', async () => {
    const server = await serve(() => undefined)
    const { client, pauses } = impatient()
    await expect(openWebSource('http://nowhere.invalid/a.dmg', { client })).rejects.toMatchObject({
      details: { errno: 'ENOTFOUND' },
    })
    await expect(openWebSource(server.url.replace('http:', 'https:'), { client })).rejects.toMatchObject({
      code: 'E_NET_TLS',
    })
    expect(pauses).toEqual([])
  })

  test('waits longer for a file that it was reading already', async () => {
    const server = await serve((request, response) => serveFile(request, response, { bytes, etag }))
    const { client, clock } = impatient()
    await openWebSource(server.url, { client })
    await server.goAway()
    await expect(openWebSource(server.url, { client, again: true })).rejects.toMatchObject({ code: 'E_NET' })
    expect(clock.ms).toBe(120_000)
  })

  test('is given up, with a word, however long the server takes for each of its troubles', async () => {
    const gone = { bytes, etag }
    const troubles: readonly (readonly [string, number, number, (response: ServerResponse) => void])[] = [
      ['E_NET_STATUS', 60_000, 10_000, (response) => response.writeHead(504).end()],
      ['E_NET', 11_000, 10_000, cutWhole],
      ['E_NET', 130_000, 120_000, cutWhole],
    ]
    for (const [code, takesMs, patienceMs, trouble] of troubles) {
      const { client, clock } = impatient()
      const server = await serve((request, response) => {
        clock.ms += takesMs
        // Whoever asks for ever is told so by getting it.
        return server.requests.length > 5 ? serveFile(request, response, gone) : trouble(response)
      })
      const watched: string[] = []
      client.fetchWatch = {
        ...watchInto(watched),
        begin: () => ({ advance: () => undefined, end: () => undefined }),
      }
      const again = patienceMs > 10_000
      await expect(openWebSource(server.url, { client, again })).rejects.toMatchObject({ code })
      expect(server.requests).toHaveLength(2)
      expect(watched).toEqual(['opening', expect.any(String), 'over'])
    }
  })

  test('is given up when a server sends no more than the head of its answer, each time', async () => {
    const server = await serve((request, response) => {
      if (server.requests.length > 5) return serveFile(request, response, { bytes, etag })
      sendPart(response, { from: 0, to: 65_536 }, {}).flushHeaders()
      return undefined
    })
    const client = new WebClient({ environment: {}, stallMs: 50, openingPatienceMs: 20, pausesMs: [1] })
    ending.push({ [Symbol.asyncDispose]: async () => client[Symbol.dispose]() })
    await expect(openWebSource(server.url, { client })).rejects.toMatchObject({ code: 'E_NET_STALL' })
    expect(server.requests).toHaveLength(1)
  })

  test('says that nobody answers, and that an address is none', async () => {
    const server = await serve(() => undefined)
    await server[Symbol.asyncDispose]()
    await expect(openWebSource(server.url, impatient())).rejects.toMatchObject({
      code: 'E_NET',
      details: { errno: 'ECONNREFUSED' },
    })
    for (const wrong of ['http://', 'http:// a/b', 'ftp://host/a'])
      await expect(openWebSource(wrong, impatient())).rejects.toMatchObject({ code: 'E_USAGE' })
  })

  test('ends when it is told to, whatever the server does', async () => {
    const server = await serve(() => undefined)
    const stop = new AbortController()
    const opening = openWebSource(server.url, { ...impatient(), signal: stop.signal })
    const reason = new Error('enough')
    setTimeout(() => stop.abort(reason), 20)
    await expect(opening).rejects.toBe(reason)
  })
})

describe('a connection that fails', () => {
  test('is taken up again at the byte where it stopped', async () => {
    const cuts = [50_000, 120_000]
    const server = await serve((request, response) => {
      const range = askedRange(request, bytes.length)
      const cut = range?.from === 0 ? undefined : cuts.shift()
      if (range === null || cut === undefined) return serveFile(request, response, { bytes, etag })
      sendPart(response, range, { 'content-length': range.to - range.from })
      return response.write(bytes.subarray(range.from, range.from + cut), () => response.destroy())
    })
    const { client, pauses } = impatient()
    expect(await givesRest(await openWebSource(server.url, { client }))).toBe(true)
    const asked = server.requests
      .slice(1)
      .map(({ headers }) => askedRange({ headers } as never, bytes.length)?.from)
    expect(asked[0]).toBe(100_000)
    // What had arrived isn't asked for again.
    expect(asked[1]).toBeGreaterThan(100_000)
    expect(asked[2]).toBeGreaterThan(asked[1] ?? 0)
    expect(server.requests[2]?.headers['if-range']).toBe(etag)
    expect(pauses.length).toBe(2)
  })

  test('is given up after two minutes of growing pauses when nothing more comes', async () => {
    let seen = 0
    const server = await serve((request, response) =>
      seen++ === 0 ? serveFile(request, response, { bytes, etag }) : response.destroy(),
    )
    const { client, pauses, clock } = impatient()
    const source = await openWebSource(server.url, { client })
    await expect(readRest(source)).rejects.toMatchObject({ code: 'E_NET', transient: true })
    expect(pauses.slice(0, 7)).toEqual([500, 1000, 2000, 4000, 4000, 4000, 4000])
    expect(clock.ms).toBe(120_000)
  })

  test('to a server that is away for a minute is made anew when that is back, by all who read at once', async () => {
    const server = await serve((request, response) => serveFile(request, response, { bytes, etag }))
    const clock = { ms: 0 }
    const told: unknown[] = []
    const { client } = impatient({
      now: () => clock.ms,
      async sleep(ms) {
        clock.ms += ms / 4
        told.push(source.trouble)
        if (clock.ms >= 60_000) await server.comeBack().catch(() => undefined)
      },
    })
    const source = await openWebSource(server.url, { client })
    await server.goAway()
    const watched: string[] = []
    client.fetchWatch = watchInto(watched)
    const reads = await Promise.all([1, 2, 3, 4].map(() => givesRest(source)))
    expect(reads).toEqual([true, true, true, true])
    // Each of the four says so, and that it is over.
    expect(watched.filter((line) => line === 'reading')).toHaveLength(4)
    expect(watched.filter((line) => line === 'over')).toHaveLength(4)
    expect(watched).toContain('ECONNREFUSED')
    expect(clock.ms).toBeGreaterThan(59_000)
    // Whoever waits can be told why, and no longer than it is so.
    expect(told[0]).toBe(null)
    expect(told.at(-1)).toMatchObject({ code: 'E_NET', details: { errno: 'ECONNREFUSED' } })
    expect(source.trouble).toBe(null)
  })

  test('is given up by all who read when their server stays away', async () => {
    const server = await serve((request, response) => serveFile(request, response, { bytes, etag }))
    const { client } = impatient()
    const source = await openWebSource(server.url, { client })
    await server.goAway()
    const failed = await Promise.allSettled([1, 2, 3].map(() => readRest(source)))
    expect(
      failed.map((each) => each.status === 'rejected' && (each.reason as { code: string }).code),
    ).toEqual(['E_NET', 'E_NET', 'E_NET'])
  })

  test('is not waited for any more by whoever closes the source', async () => {
    const server = await serve((request, response) => serveFile(request, response, { bytes, etag }))
    const client = new WebClient({ environment: {} })
    ending.push({ [Symbol.asyncDispose]: async () => client[Symbol.dispose]() })
    const source = await openWebSource(server.url, { client })
    await server.goAway()
    const reading = readRest(source)
    reading.catch(() => undefined)
    await source[Symbol.asyncDispose]()
    await expect(reading).rejects.toThrow('the source was closed')
  })

  test('is made anew when the server is silent in the middle', async () => {
    let silent = true
    const server = await serve((request, response) => {
      const range = askedRange(request, bytes.length)
      if (range === null || range.from === 0 || !silent) return serveFile(request, response, { bytes, etag })
      silent = false
      sendPart(response, range, {})
      return response.write(bytes.subarray(range.from, range.from + 70_000))
    })
    const source = await openWebSource(server.url, impatient({ stallMs: 50 }))
    expect(await givesRest(source)).toBe(true)
  })

  test('says that a server stays silent', async () => {
    const server = await serve(() => undefined)
    const options = { stallMs: 10, pausesMs: [5000] }
    await expect(openWebSource(server.url, impatient(options))).rejects.toMatchObject({
      code: 'E_NET_STALL',
      details: { phase: 'answer' },
    })
    expect(server.requests).toHaveLength(3)
  })

  test('stops while it waits for the next try', async () => {
    let seen = 0
    const server = await serve((request, response) =>
      seen++ === 0 ? serveFile(request, response, { bytes, etag }) : response.destroy(),
    )
    const stop = new AbortController()
    const client = new WebClient({ environment: {} })
    ending.push({ [Symbol.asyncDispose]: async () => client[Symbol.dispose]() })
    const source = await openWebSource(server.url, { client })
    const reading = source.read(new Uint8Array(10), 200_000, stop.signal)
    const reason = new Error('enough')
    setTimeout(() => stop.abort(reason), 20)
    await expect(reading).rejects.toBe(reason)
  })
})

describe('a file that changes', () => {
  test.each([
    ['its ETag', { bytes, etag: '"v2"' }, { etag }],
    ['its weak ETag', { bytes, etag: 'W/"2"' }, { etag: 'W/"1"' }],
    ['its date', { bytes, lastModified: 'Wed, 02 Sep 2026 10:00:00 GMT' }, { lastModified }],
    ['its size', { bytes: bytes.subarray(0, 399_999), etag }, { etag }],
    ['its size, saying nothing else', { bytes: bytes.subarray(0, 399_999) }, {}],
    ['what it is told by', { bytes, lastModified }, { etag }],
  ])('is no mixture of two: %s', async (_, then, first) => {
    let seen = 0
    const server = await serve((request, response) =>
      serveFile(request, response, seen++ === 0 ? { bytes, ...first } : then),
    )
    const source = await openWebSource(server.url, impatient())
    await expect(readRest(source)).rejects.toMatchObject({ code: 'E_SRC_CHANGED', family: 'device' })
  })

  test('is found out even by a connection that was cut before', async () => {
    let seen = 0
    const server = await serve((request, response) => {
      const range = askedRange(request, bytes.length)
      seen += 1
      if (seen !== 2 || range === null)
        return serveFile(request, response, { bytes, etag: seen < 2 ? etag : '"v2"' })
      sendPart(response, range, {})
      return response.write(bytes.subarray(range.from, range.from + 10_000), () => response.destroy())
    })
    await expect(readRest(await openWebSource(server.url, impatient()))).rejects.toMatchObject({
      code: 'E_SRC_CHANGED',
    })
  })

  test('by a date that is too young to be a condition is read all the same, and the date is sent no more', async () => {
    // RFC 9110 §13.1.5: such a date isn't a strong validator, and the condition doesn't hold.
    const server = await serve((request, response) => {
      if (request.headers['if-range'] === undefined)
        return serveFile(request, response, { bytes, lastModified })
      response.writeHead(200, { 'last-modified': lastModified, 'content-length': bytes.length })
      return response.end(bytes)
    })
    const { client, pauses } = impatient()
    const source = await openWebSource(server.url, { client })
    expect(await givesRest(source)).toBe(true)
    expect(await givesRest(source)).toBe(true)
    expect(pauses).toEqual([])
    const conditions = server.requests.map(({ headers }) => headers['if-range'])
    // The fast lane's question goes out again the usual way.
    expect(conditions).toEqual([undefined, lastModified, lastModified, undefined, undefined])
  })

  test('is found out by its date where that is no condition', async () => {
    let seen = 0
    const server = await serve((_, response) => {
      seen += 1
      const date = seen === 1 ? lastModified : 'Wed, 02 Sep 2026 10:00:00 GMT'
      if (seen === 1) return serveFile(_, response, { bytes, lastModified: date })
      response.writeHead(200, { 'last-modified': date, 'content-length': bytes.length })
      return response.end(bytes)
    })
    await expect(readRest(await openWebSource(server.url, impatient()))).rejects.toMatchObject({
      code: 'E_SRC_CHANGED',
    })
  })

  test('never sends a weak ETag as a condition', async () => {
    const server = await serve((request, response) =>
      serveFile(request, response, { bytes, etag: 'W/"1"', lastModified }),
    )
    await readRest(await openWebSource(server.url, impatient()))
    expect(server.requests[1]?.headers['if-range']).toBe(lastModified)
  })
})

describe('a server that lies', () => {
  const lies: readonly (readonly [string, (response: ServerResponse, from: number, to: number) => void])[] = [
    ['sends another part', (response, from, to) => sendPart(response, { from: from + 1, to }, {}).end()],
    ['sends less than asked', (response, from, to) => sendPart(response, { from, to: to - 1 }, {}).end()],
    [
      'names another length',
      (response, from, to) => sendPart(response, { from, to }, { 'content-length': 5 }).end('12345'),
    ],
    [
      'sends more than it said',
      (response, from, to) => sendPart(response, { from, to }, {}).end(Buffer.alloc(to - from + 1)),
    ],
    [
      'gives a range that is none',
      (response) => response.writeHead(206, { etag, 'content-range': 'bytes 5-4/3' }).end(),
    ],
    ['gives no range', (response) => response.writeHead(206, { etag }).end()],
    [
      'suddenly knows no ranges',
      (response) => response.writeHead(200, { etag, 'content-length': 400_000 }).end(bytes),
    ],
    [
      'compresses all the same',
      (response, from, to) => sendPart(response, { from, to }, { 'content-encoding': 'br' }).end('x'),
    ],
    ['sends endless headers', (response) => endlessHeaders(response)],
    ['speaks no HTTP', (response) => void response.socket?.end('HELLO\r\n\r\n')],
  ]
  test.each(lies)('%s: told as such, without another try', async (_, lie) => {
    const server = await serve((request, response) => {
      const range = askedRange(request, bytes.length)
      if (range === null || range.from === 0) serveFile(request, response, { bytes, etag })
      else lie(response, range.from, range.to)
    })
    const { client, pauses } = impatient()
    const source = await openWebSource(server.url, { client })
    await expect(readRest(source)).rejects.toMatchObject({ code: 'E_NET_ANSWER' })
    expect(pauses).toEqual([])
  })

  test('with more than it said writes nothing outside the room it was given', async () => {
    const server = await serve((request, response) => {
      const range = askedRange(request, bytes.length)
      if (range === null || range.from === 0) return serveFile(request, response, { bytes, etag })
      const { from, to } = range
      sendPart(response, { from, to }, { 'content-length': to - from }).write(bytes.subarray(from, to))
      // Past Node's own count of it, as another server would.
      response.socket?.write(Buffer.alloc(300_000, 0xee))
      return undefined
    })
    const source = await openWebSource(server.url, impatient())
    const shared = new Uint8Array(new SharedArrayBuffer(600_000))
    let received = 0
    await source.stream(
      100_000,
      300_000,
      (piece, offset) => {
        if (piece.buffer === shared.buffer) received += piece.length
        else shared.set(piece, offset)
      },
      { room: (offset) => shared.subarray(offset, offset + 50_000) },
    )
    expect(received).toBeGreaterThan(0)
    expect(Buffer.compare(shared.subarray(100_000, 300_000), bytes.subarray(100_000, 300_000))).toBe(0)
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(shared.subarray(300_000).every((byte) => byte === 0)).toBe(true)
  })

  test('that closes a connection which was kept is asked over another one at once', async () => {
    const server = await serve((request, response) => serveFile(request, response, { bytes, etag }))
    const { client, pauses } = impatient({ stallMs: 5000 })
    const source = await openWebSource(server.url, { client })
    expect(await givesRest(source)).toBe(true)
    await server.dropConnections()
    expect(await givesRest(source)).toBe(true)
    expect(pauses).toEqual([])
  })

  test('that closes each connection is asked for each part once', async () => {
    const server = await serve((request, response) => {
      response.setHeader('connection', 'close')
      serveFile(request, response, { bytes, etag })
    })
    const source = await openWebSource(server.url, impatient())
    for (let count = 0; count < 4; count++) expect(await givesRest(source)).toBe(true)
    // Opening it is the first.
    expect(server.requests).toHaveLength(1 + 4)
  })

  test('that sends its head drop by drop has no more time than others', async () => {
    const dripping = new Set<NodeJS.Timeout>()
    const server = await serve((request, response) => {
      const range = askedRange(request, bytes.length)
      if (range === null || range.from === 0) return serveFile(request, response, { bytes, etag })
      response.socket?.write('HTTP/1.1 206 OK\r\nx: ')
      dripping.add(setInterval(() => response.socket?.write('a'), 5))
      return undefined
    })
    const source = await openWebSource(server.url, impatient({ stallMs: 60, pausesMs: [1], patienceMs: 1 }))
    await expect(readRest(source)).rejects.toMatchObject({ code: 'E_NET_STALL' })
    for (const timer of dripping) clearInterval(timer)
  })

  test('that always ends too early is given up', async () => {
    const server = await serve((request, response) => {
      const range = askedRange(request, bytes.length)
      if (range === null || range.from === 0) return serveFile(request, response, { bytes, etag })
      return sendPart(response, range, {}).end(bytes.subarray(range.from, range.from + 10))
    })
    const { client, pauses } = impatient()
    await expect(readRest(await openWebSource(server.url, { client }))).rejects.toMatchObject({
      code: 'E_NET',
    })
    expect(pauses.length).toBeGreaterThan(20)
  })

  test('says no size at all', async () => {
    const server = await serve((_, response) =>
      response.writeHead(206, { 'content-range': 'bytes 0-65535/*' }).end(Buffer.alloc(65_536)),
    )
    await expect(openWebSource(server.url, impatient())).rejects.toMatchObject({ code: 'E_NET_ANSWER' })
  })

  test('names the compression of a file that is compressed itself, which is no lie', async () => {
    const server = await serve((request, response) => {
      response.setHeader('content-encoding', 'x-gzip')
      serveFile(request, response, { bytes, etag })
    })
    expect((await openWebSource(`${server.url}/a.img.gz`, impatient())).sizeBytes).toBe(400_000)
    await expect(openWebSource(`${server.url}/a.img`, impatient())).rejects.toMatchObject({
      code: 'E_NET_ANSWER',
    })
  })
})

describe('a server without ranges', () => {
  test('is asked once for everything, however often the image is opened', async () => {
    await using folder = await temporaryFolder()
    const server = await serve((_, response) => {
      response.writeHead(200, { etag, 'content-length': bytes.length })
      response.end(bytes)
    })
    const { client } = impatient({ spoolFolder: folder.path })
    await using first = await openWebSource(server.url, { client })
    expect(await givesRest(first)).toBe(true)
    expect(first.fd).toEqual(expect.any(Number))
    expect(readdirSync(folder.path)).toEqual([])
    await using second = await openWebSource(server.url, { client })
    expect(second.fd).toBe(first.fd)
    expect(await givesRest(second)).toBe(true)
    // What is in the file is what the first answer brought.
    expect(server.requests).toHaveLength(2)
  })

  test('has another image: the new one is fetched, the old one stays readable', async () => {
    let contents = bytes
    let tag = etag
    const server = await serve((_, response) => response.writeHead(200, { etag: tag }).end(contents))
    const { client } = impatient()
    const first = await openWebSource(server.url, { client })
    contents = noise(200_000, 8)
    tag = '"v2"'
    await using second = await openWebSource(server.url, { client })
    expect(second.version).not.toBe(first.version)
    expect(await givesRest(first)).toBe(true)
    expect(Buffer.compare(await readRest(second), contents.subarray(100_000))).toBe(0)
    await first[Symbol.asyncDispose]()
    await expect(first.read(new Uint8Array(1), 0)).rejects.toThrow()
  })

  test('that says nothing of the state is known by what it sent', async () => {
    let contents = bytes
    const server = await serve((_, response) => response.end(contents))
    const versionNow = async () => (await openWebSource(server.url, impatient())).version
    const first = await versionNow()
    expect(await versionNow()).toBe(first)
    contents = noise(400_000, 8)
    expect(await versionNow()).not.toBe(first)
  })

  describe('that says nothing at all of the state', () => {
    /** Chunked: its length isn't known before, either. */
    async function serveBlindly() {
      const served = { contents: bytes }
      const server = await serve((_, response) => {
        response.write(served.contents)
        response.end()
      })
      return { server, served }
    }
    const firstOf = async (source: WebSource) => {
      const into = new Uint8Array(100)
      await source.read(into, 0)
      return into
    }

    test('is asked anew by whoever opens it anew, and not at all by whoever opened it before', async () => {
      const { server, served } = await serveBlindly()
      const { client } = impatient()
      await using first = await openWebSource(server.url, { client })
      served.contents = noise(200_000, 8)
      await using again = await openWebSource(server.url, { client, again: true })
      expect(again.version).toBe(first.version)
      expect(again.finalUrl).toBe(first.finalUrl)
      expect(server.requests).toHaveLength(1)
      await using second = await openWebSource(server.url, { client })
      expect(second.sizeBytes).toBe(200_000)
      expect(await firstOf(second)).toEqual(Uint8Array.from(served.contents.subarray(0, 100)))
      expect(server.requests).toHaveLength(2)
    })

    test('is fetched once for all who look at it, until somebody has read it or looks anew', async () => {
      const { server, served } = await serveBlindly()
      const { client, clock } = impatient()
      const look = async () => {
        await using source = await openWebSource(`${server.url}/a/b.dmg`, { client, look: true })
        return source.version
      }
      const first = await look()
      served.contents = noise(200_000, 8)
      expect(await look()).toBe(first)
      expect(server.requests).toHaveLength(1)
      client.lookAnew(`${server.url.replace('://', '://ann:secret@')}/a/b.dmg`)
      const second = await look()
      expect(second).not.toBe(first)
      expect(await look()).toBe(second)
      expect(server.requests).toHaveLength(2)
      // For as long as a plan is good.
      clock.ms += 600_000
      await look()
      expect(server.requests).toHaveLength(3)
      await (await openWebSource(`${server.url}/a/b.dmg`, { client, again: true }))[Symbol.asyncDispose]()
      expect(server.requests).toHaveLength(3)
      await look()
      expect(server.requests).toHaveLength(4)
      // Anything may be looked at.
      for (const locator of ['/images/a.dmg', String.raw`C:\images\a.dmg`, 'asr://lab/x', 'http://'])
        client.lookAnew(locator)
    })

    test('is asked by whoever means a later state than the one that is here', async () => {
      const { server, served } = await serveBlindly()
      const { client } = impatient()
      await using first = await openWebSource(server.url, { client })
      served.contents = noise(200_000, 8)
      const stamp = (await openWebSource(server.url, impatient())).version
      await using second = await openWebSource(server.url, { client, again: true, stamp })
      expect(second.version).toBe(stamp)
      expect(await givesRest(first)).toBe(true)
    })

    test('but of the size is noticed to have another by whoever opens it again', async () => {
      let contents = bytes
      const server = await serve((_, response) => response.end(contents))
      const { client } = impatient()
      await using first = await openWebSource(server.url, { client })
      await using same = await openWebSource(server.url, { client, again: true })
      expect(same.fd).toBe(first.fd)
      contents = bytes.subarray(1)
      await using other = await openWebSource(server.url, { client, again: true })
      expect(other.version).not.toBe(first.version)
    })
  })

  test('with more than there is room for is not even begun with', async () => {
    await using folder = await temporaryFolder()
    const server = await serve((_, response) => {
      response.writeHead(200, { 'content-length': 1e15 })
      response.write('x')
    })
    const opening = openWebSource(server.url, impatient({ spoolFolder: folder.path }))
    await expect(opening).rejects.toMatchObject({
      code: 'E_NET_SPACE',
      details: { folder: folder.path, neededBytes: 1e15 },
    })
    expect(server.requests).toHaveLength(1)
    expect(readdirSync(folder.path)).toEqual([])
  })

  test('tells how it gets on, and gives nothing that nobody wants', async () => {
    const server = await serve((_, response) => {
      response.setHeader('content-length', bytes.length)
      response.end(bytes)
    })
    const { client } = impatient()
    const told: unknown[] = []
    const watch: FetchWatch = {
      ...watchInto([]),
      begin(path, sizeBytes) {
        told.push(['begin', path, sizeBytes])
        return { advance: (doneBytes) => void told.push(doneBytes), end: () => void told.push('end') }
      },
    }
    client.fetchWatch = watch
    await openWebSource(server.url, { client })
    expect(told[0]).toEqual(['begin', `${server.url}/`, 400_000])
    expect(told.at(-2)).toBe(400_000)
    expect(told.at(-1)).toBe('end')
    watch.begin = () => {
      throw new Error('too large')
    }
    await expect(openWebSource(`${server.url}/b.dmg`, { client })).rejects.toThrow('too large')
    expect(client.wholeFiles.size).toBe(1)
  })

  test('that breaks off is asked for everything again', async () => {
    let cuts = 1
    const server = await serve((_, response) => {
      response.writeHead(200, { 'content-length': bytes.length })
      if (cuts-- > 0) response.write(bytes.subarray(0, 1000), () => response.destroy())
      else response.end(bytes)
    })
    expect(await givesRest(await openWebSource(server.url, impatient()))).toBe(true)
  })
})

describe('what is kept for a second reading', () => {
  test('is not asked for again, by whichever source of the same state', async () => {
    const server = await serve((request, response) => serveFile(request, response, { bytes, etag: tag }))
    let tag = '"v1"'
    const { client } = impatient()
    const url = `${server.url}/a.dmg`
    using _ = client.keepParts(url)
    const first = await openWebSource(url, { client })
    const room = new Uint8Array(200_000)
    await first.stream(100_000, 200_000, (piece, at) => room.set(piece, at - 100_000))
    await first.stream(200_000, 300_000, (piece, at) => room.set(piece, at - 100_000))
    const second = await openWebSource(url, { client })
    const before = server.requests.length
    const again = new Uint8Array(200_000)
    await second.read(again, 100_000)
    expect(Buffer.compare(again, bytes.subarray(100_000, 300_000))).toBe(0)
    expect(server.requests).toHaveLength(before)
    // More than that isn't here.
    expect(await givesRest(second)).toBe(true)
    expect(server.requests).toHaveLength(before + 1)
    // And none of it is of another state.
    tag = '"v2"'
    const third = await openWebSource(url, { client })
    expect(await givesRest(third)).toBe(true)
    expect(server.requests).toHaveLength(before + 3)
  })

  test('is not asked for again with a name and a password, either', async () => {
    const server = await serve((request, response) => serveFile(request, response, { bytes, etag }))
    const { client } = impatient()
    const url = `${server.url.replace('://', '://ann:secret@')}/a.dmg`
    using _ = client.keepParts(url)
    expect(await givesRest(await openWebSource(url, { client }))).toBe(true)
    const second = await openWebSource(url, { client })
    const before = server.requests.length
    expect(await givesRest(second)).toBe(true)
    expect(server.requests).toHaveLength(before)
  })

  test('is nothing where there is no room, or nobody asked', async () => {
    const server = await serve((request, response) => serveFile(request, response, { bytes, etag }))
    const { client } = impatient({ spoolFolder: '/nonexistent' })
    const url = `${server.url}/a.dmg`
    const plain = await openWebSource(url, { client })
    expect([await givesRest(plain), await givesRest(plain)]).toEqual([true, true])
    expect(server.requests).toHaveLength(3)
    using _ = client.keepParts(url)
    const source = await openWebSource(url, { client })
    expect([await givesRest(source), await givesRest(source)]).toEqual([true, true])
    expect(server.requests).toHaveLength(6)
  })
})

describe('redirects', () => {
  test('are followed, and where they led is asked from then on', async () => {
    const server = await serve((request, response) => {
      if (request.url === '/real.dmg') serveFile(request, response, { bytes, etag })
      else response.writeHead(302, { location: '/real.dmg' }).end()
    })
    const source = await openWebSource(`${server.url}/a.dmg`, impatient())
    expect(await givesRest(source)).toBe(true)
    expect(source).toMatchObject({ path: `${server.url}/a.dmg`, finalUrl: `${server.url}/real.dmg` })
    expect(server.requests.map(({ url }) => url)).toEqual(['/a.dmg', '/real.dmg', '/real.dmg'])
  })

  test('that are gone through again after a cut are no reason to leave the fast lane', async () => {
    let cuts = 1
    const server = await serve((request, response) => {
      const range = askedRange(request, bytes.length)
      if (request.url === '/a.dmg') return response.writeHead(302, { location: '/real.dmg' }).end()
      if (range === null || range.from === 0 || cuts-- <= 0)
        return serveFile(request, response, { bytes, etag })
      sendPart(response, range, { 'content-length': range.to - range.from })
      return response.write(bytes.subarray(range.from, range.from + 10), () => response.destroy())
    })
    const source = await openWebSource(`${server.url}/a.dmg`, impatient())
    expect(await givesRest(source)).toBe(true)
    expect(server.requests.at(-1)?.rawHeaders).toContain('Host')
    expect(await givesRest(source)).toBe(true)
    // As the fast lane writes it, and Node doesn't.
    expect(server.requests.at(-1)?.rawHeaders).toContain('host')
  })

  test('that expire are gone through again', async () => {
    let valid = '/one'
    const server = await serve((request, response) => {
      if (request.url === valid) serveFile(request, response, { bytes, etag })
      else if (request.url === '/a') response.writeHead(302, { location: valid }).end()
      else response.writeHead(403).end()
    })
    const source = await openWebSource(`${server.url}/a`, impatient())
    valid = '/two'
    expect(await givesRest(source)).toBe(true)
  })

  test.each([
    ['in a circle', '/a', 'E_NET_REDIRECT'],
    ['to a file', 'file:///etc/passwd', 'E_NET_REDIRECT'],
    ['to nowhere', undefined, 'E_NET_REDIRECT'],
  ])('%s are refused', async (_, location, code) => {
    const server = await serve((_request, response) =>
      response.writeHead(301, location === undefined ? {} : { location }).end(),
    )
    await expect(openWebSource(`${server.url}/a`, impatient())).rejects.toMatchObject({ code })
    expect(server.requests.length).toBeLessThan(12)
  })
})

describe('name and password', () => {
  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`
  const guarded = (request: Parameters<RequestListener>[0], response: ServerResponse) => {
    if (request.headers.authorization === basic('änn:p@ss:word'))
      serveFile(request, response, { bytes, etag })
    else response.writeHead(401, { 'www-authenticate': 'Basic realm="lab"' }).end()
  }

  test('are asked for, and taken from the address', async () => {
    const server = await serve(guarded)
    const { client } = impatient()
    await expect(openWebSource(server.url, { client })).rejects.toMatchObject({
      code: 'E_NET_PASSWORD',
      details: { given: false },
    })
    const address = new URL(`${server.url}/a.dmg`)
    address.username = 'änn'
    address.password = 'wrong'
    await expect(openWebSource(address.href, { client })).rejects.toMatchObject({
      code: 'E_NET_PASSWORD',
      details: { given: true },
    })
    address.password = encodeURIComponent('p@ss:word')
    const source = await openWebSource(address.href, { client })
    expect(await givesRest(source)).toBe(true)
    expect(JSON.stringify(source)).not.toContain('word')
    // The client keeps them for this server.
    await openWebSource(`${server.url}/b.dmg`, { client })
  })

  test('never go to another server', async () => {
    const other = await serve((request, response) => serveFile(request, response, { bytes, etag }))
    const server = await serve((_, response) =>
      response.writeHead(302, { location: `http://x:y@127.0.0.1:${other.port}/a` }).end(),
    )
    await readRest(await openWebSource(server.url.replace('://', '://ann:secret@'), impatient()))
    expect(server.requests[0]?.headers.authorization).toBe(basic('ann:secret'))
    expect(other.requests.map(({ headers }) => headers.authorization)).toEqual([undefined, undefined])
  })

  test('by a way we do not know are told as that', async () => {
    const server = await serve((_, response) =>
      response.writeHead(401, { 'www-authenticate': 'Negotiate' }).end(),
    )
    await expect(openWebSource(server.url, impatient())).rejects.toMatchObject({
      code: 'E_NET_PASSWORD',
      details: { scheme: 'Negotiate' },
    })
  })
})

function sendPart(
  response: ServerResponse,
  { from, to }: { readonly from: number; readonly to: number },
  headers: { readonly [name: string]: string | number },
): ServerResponse {
  return response.writeHead(206, {
    etag,
    'content-range': `bytes ${from}-${to - 1}/${bytes.length}`,
    ...headers,
  })
}

/** Begins with the whole file, and breaks off. */
function cutWhole(response: ServerResponse): void {
  response.writeHead(200, { etag, 'content-length': bytes.length })
  response.write(bytes.subarray(0, 1000), () => response.destroy())
}

function endlessHeaders({ socket }: ServerResponse): void {
  socket?.write('HTTP/1.1 206 Partial Content\r\n')
  const more = () => {
    if (socket?.destroyed === false) socket.write(`x-${'a'.repeat(4000)}: b\r\n`, () => setImmediate(more))
  }
  more()
}
