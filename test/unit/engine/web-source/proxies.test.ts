import { createServer, connect, type AddressInfo } from 'node:net'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { openWebSource, WebClient } from '#engine/web-source'
import { serializeError } from '#shared/errors'
import { describeError } from '#shared/words'
import { proxyFor } from '#src/main/engine/web-source/proxies.ts'
import { makeCertificate } from '#test/certificate'
import { noise } from '#test/image-of-runs'
import { missing } from '#test/needs'
import { serveFile, startWebServer } from '#test/web-server'

const bytes = noise(300_000, 3)
const etag = '"v1"'

const ending: { [Symbol.asyncDispose](): PromiseLike<void> }[] = []
afterEach(async () => {
  for (const each of ending.splice(0).toReversed()) await each[Symbol.asyncDispose]()
})

function clientWith(environment: { readonly [name: string]: string }) {
  const client = new WebClient({ environment, openingPatienceMs: 0 })
  ending.push({ [Symbol.asyncDispose]: async () => client[Symbol.dispose]() })
  return { client }
}

async function serve(tls?: { readonly key: string; readonly cert: string }) {
  const server = await startWebServer(
    (request, response) => serveFile(request, response, { bytes, etag }),
    tls,
  )
  ending.push(server)
  return server
}

/** A proxy: forwards what it is asked for in full, and tunnels. Takes down the first line and the sign-in of each. */
async function startProxy() {
  const seen: string[] = []
  const server = createServer((client) => {
    client.on('error', () => undefined)
    client.once('data', (first) => {
      const head = first.toString('latin1')
      const [line = ''] = head.split('\r\n')
      seen.push([line, /^proxy-authorization: (.*)$/im.exec(head)?.[1]].filter(Boolean).join(' '))
      const [method, target = ''] = line.split(' ')
      const [host = '', port] =
        method === 'CONNECT' ? target.split(':') : [new URL(target).hostname, new URL(target).port]
      const upstream = connect({ host, port: Number(port) }, () => {
        if (method === 'CONNECT') client.write('HTTP/1.1 200 OK\r\n\r\n')
        else upstream.write(first)
        client.pipe(upstream).pipe(client)
      })
      upstream.on('error', () => client.destroy())
      client.on('close', () => upstream.destroy())
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  ending.push({
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  })
  return { seen, address: `127.0.0.1:${port}` }
}

describe('which proxy', () => {
  const to = (url: string, environment: { readonly [name: string]: string }) =>
    proxyFor(new URL(url), environment)?.href ?? null

  test('is named for each scheme, by small letters first, and for all', () => {
    const environment = {
      http_proxy: 'http://small:1',
      HTTP_PROXY: 'http://large:1',
      HTTPS_PROXY: 'tunnel:2',
      all_proxy: 'http://all:3',
    }
    expect(to('http://a/', environment)).toBe('http://small:1/')
    expect(to('https://a/', environment)).toBe('http://tunnel:2/')
    expect(to('https://a/', { all_proxy: 'http://all:3' })).toBe('http://all:3/')
    expect(to('http://a/', {})).toBe(null)
    expect(to('http://a/', { http_proxy: '' })).toBe(null)
  })

  test.each([
    ['*', true],
    ['lab.test', true],
    ['.lab.test', true],
    ['*.lab.test', true],
    ['LAB.TEST:8080', true],
    ['lab.test:80', false],
    ['b.test, other', false],
    ['ab.test', false],
    ['other lab.test', true],
  ])('is none for a host below %s: %s', (list, exempt) => {
    expect(to('http://img.lab.test:8080/a', { http_proxy: 'http://p:1', no_proxy: list }) === null).toBe(
      exempt,
    )
  })

  test('is none for an address of IPv6 that is named', () => {
    expect(to('http://[::1]:8080/a', { http_proxy: 'http://p:1', no_proxy: '::1' })).toBe(null)
    expect(to('http://[::1]:8080/a', { http_proxy: 'http://p:1', NO_PROXY: '[::1]' })).toBe(null)
    expect(to('http://[::1]:8080/a', { http_proxy: 'http://p:1', no_proxy: '[::1]:8080' })).toBe(null)
    expect(to('http://[::1]:8080/a', { http_proxy: 'http://p:1', no_proxy: '[::1]:80' })).not.toBe(null)
  })

  test.each([
    ['http://10.1.2.3/a', '10.0.0.0/8', true],
    ['http://10.1.2.3:8080/a', 'lab.test, 10.0.0.0/8', true],
    ['http://11.1.2.3/a', '10.0.0.0/8', false],
    ['http://192.168.4.7/a', '192.168.4.0/29', true],
    ['http://192.168.4.8/a', '192.168.4.0/29', false],
    ['https://[fd00::7]/a', 'fd00::/8', true],
    ['https://[fd00::7]/a', '[fd00::]/8', true],
    ['https://[fe80::7]/a', 'fd00::/8', false],
    ['http://1.2.3.4/a', '0.0.0.0/0', true],
    ['http://[fd00::7]/a', '0.0.0.0/0', false],
    ['http://10.1.2.3/a', '::/0', false],
    // A name is none of a network's addresses, and what isn't a network is nobody's.
    ['http://10.lab.test/a', '10.0.0.0/8', false],
    ['http://10.1.2.3/a', '10.0.0.0/33', false],
    ['http://10.1.2.3/a', '10.0.0.0/', false],
    ['http://10.1.2.3/a', '10/8', false],
    ['http://[fe80::7]/a', 'fe80::1%eth0/64', false],
    ['http://10.1.2.3/a', '10.0.0.0/8/8', false],
  ])('is none for %s in the network %s: %s', (url, list, exempt) => {
    const environment = { all_proxy: 'http://p:1', no_proxy: list }
    expect(to(url, environment) === null).toBe(exempt)
  })

  test('is refused when it speaks SOCKS', () => {
    expect(() => to('http://a/', { all_proxy: 'socks5://p:1' })).toThrow('socks5')
  })
})

describe('through a proxy', () => {
  test('a file comes as without, and the proxy gets its own password', async () => {
    const server = await serve()
    const proxy = await startProxy()
    const source = await openWebSource(
      `${server.url}/a.dmg`,
      clientWith({ http_proxy: `http://ann:secret@${proxy.address}` }),
    )
    const into = new Uint8Array(bytes.length)
    await source.read(into, 0)
    expect(Buffer.compare(into, bytes)).toBe(0)
    expect(proxy.seen[0]).toBe(
      `GET ${server.url}/a.dmg HTTP/1.1 Basic ${Buffer.from('ann:secret').toString('base64')}`,
    )
    // Large parts don't go past it.
    expect(server.requests.length).toBeGreaterThan(1)
    expect(server.requests.every(({ socket }) => socket.remotePort !== undefined)).toBe(true)
  })

  test('that nobody answers, it is the proxy that is told', async () => {
    const server = await serve()
    const opening = openWebSource(server.url, clientWith({ http_proxy: 'http://127.0.0.1:9' }))
    await expect(opening).rejects.toMatchObject({ code: 'E_NET_PROXY', details: { proxy: '127.0.0.1:9' } })
    expect(server.requests).toHaveLength(0)
  })
})

describe.skipIf(missing('program:openssl'))('over TLS', () => {
  const folder = mkdtempSync(join(tmpdir(), 'reprise-tls-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const wordsFor = async (url: string, environment: { readonly [name: string]: string } = {}) => {
    const error: unknown = await openWebSource(url, clientWith(environment)).catch(
      (reason: unknown) => reason,
    )
    expect(error).toMatchObject({ code: 'E_NET_TLS' })
    return describeError(serializeError(error)).why
  }

  test('a server that is vouched for is read, also through a tunnel', async () => {
    makeCertificate(folder, 'authority', { use: 'authority' })
    const server = await serve(makeCertificate(folder, 'server', { issuer: 'authority' }))
    const proxy = await startProxy()
    const named = { SSL_CERT_FILE: join(folder, 'authority.pem') }
    for (const environment of [named, { ...named, https_proxy: `http://${proxy.address}` }]) {
      const source = await openWebSource(`${server.url}/a.dmg`, clientWith(environment))
      const into = new Uint8Array(200_000)
      await source.read(into, 100_000)
      expect(Buffer.compare(into, bytes.subarray(100_000))).toBe(0)
    }
    expect(proxy.seen[0]).toMatch(/^CONNECT 127\.0\.0\.1:\d+ HTTP/)
    expect(await wordsFor(server.url)).toContain('an authority that this computer does not know')
  })

  test('what is wrong with a certificate is said in words', async () => {
    const own = await serve(makeCertificate(folder, 'own'))
    expect(await wordsFor(own.url)).toBe('Its certificate is self-signed: nobody vouches for it.')
    const old = await serve(makeCertificate(folder, 'old', { days: -1 }))
    expect(await wordsFor(old.url, { SSL_CERT_FILE: join(folder, 'old.pem') })).toBe(
      'Its certificate has expired.',
    )
    const other = await serve(makeCertificate(folder, 'other', { names: 'DNS:other.test' }))
    expect(await wordsFor(other.url, { SSL_CERT_FILE: join(folder, 'other.pem') })).toBe(
      'Its certificate is for other.test.',
    )
    const plain = await serve()
    expect(await wordsFor(plain.url.replace('http:', 'https:'))).toBe("It doesn't speak TLS at that port.")
  })

  test('a redirect to an unprotected address is not followed', async () => {
    const plain = await serve()
    const { key, cert } = makeCertificate(folder, 'downgrade')
    const server = await startWebServer(
      (_, response) => response.writeHead(302, { location: `${plain.url}/a` }).end(),
      { key, cert },
    )
    ending.push(server)
    await expect(
      openWebSource(server.url, clientWith({ SSL_CERT_FILE: join(folder, 'downgrade.pem') })),
    ).rejects.toMatchObject({ code: 'E_NET_REDIRECT', details: { reason: 'downgrade' } })
    expect(plain.requests).toHaveLength(0)
  })
})
