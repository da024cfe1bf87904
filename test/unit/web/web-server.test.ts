import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { connect, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { type FrameTransport, maxFrameBytes, webCloseCodes, webProtocol } from '#shared/contract'
import { silentLogger } from '#shared/log'
import { originAt, type WebServer, startWebServer } from '#src/main/web/web-server.ts'

let server: WebServer
let tabs: FrameTransport[]
beforeEach(async () => {
  tabs = []
  server = await startWebServer({
    port: 0,
    files: new Map([
      [
        '/',
        { type: 'text/html; charset=utf-8', bytes: Buffer.from('<title>page</title>'), immutable: false },
      ],
      ['/assets/app-1234.js', { type: 'text/javascript', bytes: Buffer.from('code'), immutable: true }],
    ]),
    serve: (transport) => {
      tabs.push(transport)
      transport.onFrame((text) => transport.send(`echo ${text}`))
    },
    log: silentLogger,
  })
})
afterEach(async () => {
  await server[Symbol.asyncDispose]()
})

const port = () => Number(new URL(server.origin).port)
const tokenOf = (link: string) => new URL(link).searchParams.get('token') ?? ''

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** By hand: `fetch` would set Host and tidy the path. */
function ask(
  path: string,
  options: { method?: string; headers?: object; body?: string } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { host: `127.0.0.1:${port()}`, ...options.headers }
    const request = httpRequest(
      { host: '127.0.0.1', port: port(), path, method: options.method ?? 'GET', headers },
      (response) => {
        let body = ''
        response.on('data', (chunk) => (body += chunk))
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
        )
      },
    )
    request.on('error', reject)
    request.end(options.body)
  })
}

const exchange = (token: string, headers: object = { origin: server.origin }) =>
  ask('/session', { method: 'POST', headers, body: token })
const session = async () => (await exchange(tokenOf(server.link()))).body

/** Resolves to `open`, or to how it was refused: the HTTP status, or the close code. */
function open(
  protocols: string[],
  { path = '/rpc', headers = {} }: { path?: string; headers?: { [name: string]: string } } = {},
): Promise<{ socket: WebSocket; result: 'open' | number }> {
  return new Promise((resolve) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port()}${path}`, protocols, {
      headers: { origin: server.origin, ...headers },
    })
    socket.on('unexpected-response', (_, response) => resolve({ socket, result: response.statusCode ?? 0 }))
    socket.on('error', () => undefined)
    socket.on('close', (code) => resolve({ socket, result: code }))
    // A refusal by close code comes right after the upgrade.
    socket.on('open', () => setTimeout(() => resolve({ socket, result: 'open' }), 50))
  })
}
const closed = (socket: WebSocket | Socket) => new Promise<number>((resolve) => socket.on('close', resolve))

describe('the page', () => {
  test('is served with a policy that allows nothing from elsewhere', async () => {
    const { status, headers, body } = await ask('/')
    expect([status, body]).toEqual([200, '<title>page</title>'])
    const policy = headers['content-security-policy']
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("script-src 'self'")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toContain("'unsafe-inline' 'self'")
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
    })
  })

  test('with a token in its address is the same page; the token is used by the exchange only', async () => {
    const link = server.link()
    expect((await ask(`/?token=${tokenOf(link)}`)).status).toBe(200)
    expect((await exchange(tokenOf(link))).status).toBe(200)
  })

  test('has files that may be kept, because their names change', async () => {
    expect((await ask('/assets/app-1234.js')).headers['cache-control']).toContain('immutable')
  })

  test.each([
    '/../package.json',
    '/..%2fpackage.json',
    '/%2e%2e/%2e%2e/etc/passwd',
    '//etc/passwd',
    '/assets/../../package.json',
    '/assets/',
    '/etc/passwd',
    '/index.html.map',
    `/${'a'.repeat(4000)}`,
  ])('has nothing at %s', async (path) => {
    expect((await ask(path)).status).toBe(404)
  })

  test.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])('answers no %s', async (method) => {
    expect((await ask('/', { method })).status).toBe(405)
  })
})

describe('Host', () => {
  test.each([
    'evil.example',
    'localhost:PORT',
    '127.0.0.1',
    '127.0.0.1:1',
    '127.0.0.1:PORT.evil.example',
    '[::1]:PORT',
  ])('%s is refused everywhere', async (name) => {
    const host = name.replace('PORT', String(port()))
    expect((await ask('/', { headers: { host } })).status).toBe(403)
    const token = tokenOf(server.link())
    expect((await exchange(token, { origin: server.origin, host })).status).toBe(403)
    expect((await open([webProtocol, await session()], { headers: { host } })).result).toBe(403)
    // And the token was not used up by it.
    expect((await exchange(token)).status).toBe(200)
  })

  test('missing is refused', async () => {
    const answer = await new Promise<string>((resolve) => {
      const socket = connect(port(), '127.0.0.1', () => socket.write('GET / HTTP/1.0\r\n\r\n'))
      let text = ''
      socket.on('data', (chunk) => (text += chunk.toString()))
      socket.on('close', () => resolve(text))
    })
    expect(answer).toMatch(/^HTTP\/1\.[01] 40[03]/)
  })
})

describe('the token', () => {
  test('is good for one exchange', async () => {
    const token = tokenOf(server.link())
    expect((await exchange(token)).status).toBe(200)
    expect((await exchange(token)).status).toBe(403)
  })

  test.each(['', 'guess', 'x'.repeat(255), 'x'.repeat(100_000)])(
    '%# that is not ours is refused',
    async (token) => {
      expect((await exchange(token).catch(() => ({ status: 403 }))).status).toBe(403)
    },
  )

  test('that is announced to be huge is not waited for', async () => {
    const answer = await new Promise<string>((resolve) => {
      const socket = connect(port(), '127.0.0.1', () => {
        const head = `POST /session HTTP/1.1\r\nHost: 127.0.0.1:${port()}\r\nOrigin: ${server.origin}\r\n`
        socket.write(`${head}Content-Length: 1000000000\r\n\r\n${'x'.repeat(1000)}`)
      })
      socket.once('data', (chunk: Buffer) => {
        socket.destroy()
        resolve(chunk.toString())
      })
    })
    expect(answer).toMatch(/^HTTP\/1\.1 403/)
  })

  test.each([
    ['another page', { origin: 'http://evil.example' }],
    ['another server on this machine', { origin: 'http://127.0.0.1:1' }],
    ['a sandboxed page', { origin: 'null' }],
    ['no page', {}],
  ])('sent by %s is refused, and stays good', async (_, headers) => {
    const token = tokenOf(server.link())
    expect((await exchange(token, headers)).status).toBe(403)
    expect((await exchange(token)).status).toBe(200)
  })

  test('is not taken from a GET', async () => {
    expect((await ask('/session', { headers: { origin: server.origin } })).status).toBe(405)
  })

  test('and the session key are long and random', async () => {
    const [one, two] = [tokenOf(server.link()), tokenOf(server.link())]
    expect(one).not.toBe(two)
    expect(one).toMatch(/^[A-Za-z0-9_-]{43}$/)
    expect(await session()).toMatch(/^[A-Za-z0-9_-]{43}$/)
  })
})

describe('the socket', () => {
  test('carries frames for a session, for several tabs, and again after a reload', async () => {
    const key = await session()
    const first = await open([webProtocol, key])
    const second = await open([webProtocol, key])
    expect([first.result, second.result, tabs.length]).toEqual(['open', 'open', 2])
    expect(first.socket.protocol).toBe(webProtocol)
    const answer = new Promise((resolve) =>
      first.socket.once('message', (data: Buffer) => resolve(data.toString())),
    )
    first.socket.send('hi')
    expect(await answer).toBe('echo hi')
    first.socket.close()
    await closed(first.socket)
    const again = await open([webProtocol, key])
    expect(again.result).toBe('open')
    for (const { socket } of [second, again]) socket.terminate()
  })

  test.each([
    ['no key', () => [webProtocol]],
    ['a guessed key', () => [webProtocol, 'guess']],
    ['a token instead of a key', () => [webProtocol, tokenOf(server.link())]],
  ])('with %s is told that there is no session', async (_, protocols) => {
    expect((await open(protocols())).result).toBe(webCloseCodes.noSession)
    expect(tabs).toEqual([])
  })

  test('without a session takes no tab’s place, though it never reads that it was refused', async () => {
    const refused = Array.from({ length: 50 }, () => connect(port(), '127.0.0.1'))
    const upgrade = [
      'GET /rpc HTTP/1.1',
      `Host: 127.0.0.1:${port()}`,
      `Origin: ${server.origin}`,
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      `Sec-WebSocket-Protocol: ${webProtocol}, guess`,
    ].join('\r\n')
    for (const socket of refused) socket.write(`${upgrade}\r\n\r\n`)
    await Promise.all(refused.map((socket) => new Promise((resolve) => socket.once('readable', resolve))))
    const { socket, result } = await open([webProtocol, await session()])
    expect(result).toBe('open')
    socket.terminate()
    await Promise.all(refused.map((each) => closed(each.resume())))
  })

  test.each(['http://evil.example', 'http://127.0.0.1:1', 'null', 'https://127.0.0.1', ''])(
    'from Origin %s is refused before it is one',
    async (origin) => {
      expect((await open([webProtocol, await session()], { headers: { origin } })).result).toBe(403)
    },
  )

  test('at another path, or without our protocol, is refused', async () => {
    const key = await session()
    expect((await open([webProtocol, key], { path: '/other' })).result).toBe(403)
    expect((await open([key])).result).toBe(403)
  })

  test('that sends more than a frame may hold is closed', async () => {
    const { socket } = await open([webProtocol, await session()])
    socket.send('x'.repeat(maxFrameBytes + 1))
    expect(await closed(socket)).toBe(1009)
  })

  test('that sends bytes is closed', async () => {
    const { socket } = await open([webProtocol, await session()])
    socket.send(Buffer.of(1, 2, 3))
    expect(await closed(socket)).toBe(webCloseCodes.violation)
  })

  test('tells its transport when the tab is gone', async () => {
    const { socket } = await open([webProtocol, await session()])
    const gone = new Promise<string>((resolve) => tabs[0]?.onClose(({ message }) => resolve(message)))
    socket.terminate()
    expect(await gone).toBe('the tab is gone')
  })

  test('is closed when the host ends', async () => {
    const { socket } = await open([webProtocol, await session()])
    const code = closed(socket)
    await server[Symbol.asyncDispose]()
    expect(await code).toBe(webCloseCodes.ending)
  })
})

test('listens on the loopback interface only', () => {
  expect(new URL(server.origin).hostname).toBe('127.0.0.1')
})

test('says when the port is taken', async () => {
  await expect(
    startWebServer({ port: port(), files: new Map(), serve: () => undefined, log: silentLogger }),
  ).rejects.toMatchObject({ code: 'EADDRINUSE' })
})

test('takes a browser at the usual port for what it is, which leaves that port out', () => {
  expect(originAt(80)).toMatchObject({ host: '127.0.0.1', origin: 'http://127.0.0.1' })
  expect(originAt(8080)).toMatchObject({ host: '127.0.0.1:8080', origin: 'http://127.0.0.1:8080' })
})
