import { createHash, randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { encodeBlockHashes } from '#engine/formats/udif'
import { buildUdif } from '#test/build-udif'
import { attachLoop } from '#test/loop'
import { missing } from '#test/needs'
import { startNginx } from '#test/nginx'
import { temporaryFolder } from '#test/temporary-folder'
import { serveFile, startWebServer } from '#test/web-server'
import { reprise } from './run-reprise.ts'

const mebibyte = 1_048_576
const data = randomBytes(4 * mebibyte)
const { bytes: dmg } = buildUdif({
  tables: [
    {
      runs: [
        { kind: 'zlib', sectors: 2048, data: data.subarray(0, mebibyte) },
        { kind: 'raw', sectors: 6144, data: data.subarray(mebibyte) },
      ],
    },
  ],
})
const direct = { no_proxy: '127.0.0.1', NO_PROXY: '127.0.0.1' }

describe.skipIf(missing('program:nginx'))('reprise with an image on nginx', () => {
  it.each([
    ['a compressed image', 'Lab.dmg', dmg],
    ['a raw image that is compressed as a whole', 'lab.img.gz', gzipSync(data, { level: 1 })],
    ['an image of a server without ranges', 'plain/Lab.dmg', dmg],
  ])('restores %s, and verifies what it wrote', async (_, name, bytes) => {
    await using folder = await temporaryFolder()
    await writeFile(join(folder.path, name.replace('plain/', '')), bytes)
    await using nginx = await startNginx(folder.path)
    const target = join(folder.path, 'out.img')
    const { out, err, status } = await reprise(
      ['restore', '--source', `${nginx.url}/${name}`, '--target', target, '--erase', '--noprompt'],
      '',
      direct,
    )
    expect(err).toBe('')
    expect(status).toBe(0)
    expect(out).toContain('Verifying')
    expect(Buffer.compare(await readFile(target), data)).toBe(0)
  })

  it('tells what it is, and that it is intact', async () => {
    await using folder = await temporaryFolder()
    await writeFile(join(folder.path, 'Lab Mac.dmg'), dmg)
    await using nginx = await startNginx(folder.path)
    const url = `${nginx.url}/Lab%20Mac.dmg`
    const info = await reprise(['image', 'info', url], '', direct)
    expect(info.out).toMatch(/^Image: +Lab Mac\.dmg\nPath: +http:\/\/127/)
    const verified = await reprise(['image', 'verify', url], '', direct)
    expect(verified).toMatchObject({ status: 0, err: '' })
    expect(verified.out).toContain('data fork of http')
  })

  it('says that it is not there, and leaves the target as it was', async () => {
    await using folder = await temporaryFolder()
    await using nginx = await startNginx(folder.path)
    const target = join(folder.path, 'out.img')
    await writeFile(target, 'precious')
    const { err, status } = await reprise(
      ['restore', '--source', `${nginx.url}/none.dmg`, '--target', target, '--erase', '--noprompt'],
      '',
      direct,
    )
    expect(status).toBe(1)
    expect(err).toContain("didn't give the image: status 404. (E_NET_STATUS)\nIt has no such file.")
    expect(await readFile(target, 'utf8')).toBe('precious')
  })
})

describe('reprise with an image on a server', () => {
  it('verifies it without fetching it twice', async () => {
    let sent = 0
    await using server = await startWebServer((request, response) => {
      sent += serveFile(request, response, { bytes: dmg, etag: '"1"' })
    })
    const verified = await reprise(['image', 'verify', `${server.url}/a.dmg`], '', direct)
    expect(verified).toMatchObject({ status: 0, err: '' })
    expect(verified.out).toContain('data fork of http')
    // What tells what it is comes more than once.
    expect(sent).toBeLessThan(dmg.length + 1.5 * mebibyte)
  })

  it.each([
    'info URL',
    'image info URL',
    'image verify URL',
    'image convert --source URL --target TARGET --format raw',
    'restore --source URL --target TARGET --erase --noprompt',
  ])('fetches it once, where the server says nothing of it: %s', async (command) => {
    await using folder = await temporaryFolder()
    await using server = await startWebServer((_, response) => {
      response.write(dmg)
      response.end()
    })
    const meant: { readonly [word: string]: string } = {
      URL: `${server.url}/a.dmg`,
      TARGET: join(folder.path, 'out.img'),
    }
    const words = command.split(' ').map((word) => meant[word] ?? word)
    expect(await reprise(words, '', direct)).toMatchObject({ status: 0 })
    expect(server.requests).toHaveLength(1)
  })

  it.skipIf(missing('linux', 'root', 'loop'))(
    'refuses one that is larger than the target before it is fetched, where it could only be fetched whole',
    async () => {
      let sent = 0
      await using server = await startWebServer((_, response) => {
        response.setHeader('content-length', 64 * mebibyte)
        const piece = Buffer.alloc(65_536)
        const more = () => {
          for (let wants = true; wants && !response.destroyed && sent < 64 * mebibyte;) {
            sent += piece.length
            wants = response.write(piece)
          }
        }
        response.on('drain', more)
        more()
      })
      await using loop = await attachLoop({ sizeBytes: 16 * mebibyte })
      const { err, status } = await reprise(
        ['restore', '--source', `${server.url}/a.img`, '--target', loop.path, '--erase', '--noprompt'],
        '',
        direct,
      )
      expect(status).toBe(1)
      expect(err).toContain('The source needs 67.1 MB; the destination has 16.8 MB.')
      expect(sent).toBeLessThan(32 * mebibyte)
    },
  )

  it('never prints the password in the address', async () => {
    await using folder = await temporaryFolder()
    await using server = await startWebServer((request, response) => {
      if (request.headers.authorization !== `Basic ${btoa('ann:s3cret')}`)
        response.writeHead(401, { 'www-authenticate': 'Basic' }).end()
      else serveFile(request, response, { bytes: dmg, etag: '"1"' })
    })
    const address = (userinfo: string) => server.url.replace('://', `://${userinfo}`)
    const target = join(folder.path, 'out.img')
    const restore = (source: string, ...more: readonly string[]) =>
      reprise(
        ['restore', '--source', source, '--target', target, '--erase', '--noprompt', ...more],
        '',
        direct,
      )
    const asked = await restore(`${server.url}/a.dmg`)
    expect(asked.err).toContain('asks for a name and a password. (E_NET_PASSWORD)')
    const wrong = await restore(`${address('ann:wr0ng@')}/a.dmg`, '--debug')
    expect(wrong.err).toContain("doesn't accept this name and password")
    const right = await restore(`${address('ann:s3cret@')}/a.dmg`, '--debug')
    expect(right.status).toBe(0)
    expect(Buffer.compare(await readFile(target), data)).toBe(0)
    for (const text of [wrong.out, wrong.err, right.out, right.err]) expect(text).not.toMatch(/s3cret|wr0ng/)
  })

  it(
    'tells of a damaged image without what may be a secret in its address',
    { timeout: 60_000 },
    async () => {
      await using folder = await temporaryFolder()
      const flipped = Buffer.from(dmg)
      flipped.writeUInt8(flipped.readUInt8(2 * mebibyte) ^ 1, 2 * mebibyte)
      const undecodable = Buffer.from(dmg).fill(0xff, 2, 1000)
      await using server = await startWebServer((request, response) => {
        if (request.headers.authorization !== `Basic ${btoa('ann:s3cret')}`)
          response.writeHead(401, { 'www-authenticate': 'Basic' }).end()
        else
          serveFile(request, response, {
            bytes: request.url?.startsWith('/flipped') === true ? flipped : undecodable,
            etag: '"1"',
          })
      })
      const address = (name: string) => `${server.url.replace('://', '://ann:s3cret@')}/${name}?key=t0ken`
      const target = ['--target', join(folder.path, 'out.img')]
      for (const command of [
        ['image', 'verify', address('flipped.dmg'), '--json'],
        ['image', 'verify', address('flipped.dmg')],
        ['image', 'verify', address('undecodable.dmg')],
        ['image', 'convert', '--source', address('flipped.dmg'), ...target, '--format', 'raw'],
        ['restore', '--source', address('flipped.dmg'), ...target, '--erase', '--noprompt'],
      ]) {
        const { out, err } = await reprise([...command, '--debug', '--verbose'], '', direct)
        expect(out + err).toContain('E_SRC_CORRUPT')
        expect(out + err).not.toMatch(/s3cret|t0ken/)
      }
    },
  )

  it('writes no block that is not what the scan said of it', async () => {
    await using folder = await temporaryFolder()
    const hashOf = (index: number) =>
      createHash('sha256')
        .update(data.subarray(index * mebibyte, (index + 1) * mebibyte))
        .digest()
    const scanned = (hashes: readonly Buffer[]) =>
      buildUdif({
        tables: [{ runs: [{ kind: 'raw', sectors: 8192, data }], crc32: null }],
        resources: [
          {
            type: 'rpbh',
            id: 0,
            data: Buffer.concat(
              encodeBlockHashes(
                { blockBytes: mebibyte, hashes: Buffer.concat(hashes) },
                { diskBytes: data.length, scannedMs: 0, scannedBy: 'a test' },
              ),
            ),
          },
        ],
      }).bytes
    const right = scanned([0, 1, 2, 3].map(hashOf))
    const wrong = scanned([0, 1, 2, 2].map(hashOf))
    await using server = await startWebServer((request, response) =>
      serveFile(request, response, { bytes: request.url === '/right.dmg' ? right : wrong, etag: '"1"' }),
    )
    const target = join(folder.path, 'out.img')
    const restore = (name: string) =>
      reprise(
        [
          'restore',
          '--source',
          `${server.url}/${name}`,
          '--target',
          target,
          '--erase',
          '--noprompt',
          '--noverify',
        ],
        '',
        direct,
      )
    expect(await restore('right.dmg')).toMatchObject({ err: '', status: 0 })
    expect(Buffer.compare(await readFile(target), data)).toBe(0)
    const { err, status } = await restore('wrong.dmg')
    expect(err).toContain('(E_SRC_CORRUPT)')
    expect(err).toContain('3,145,728')
    expect(status).toBe(1)
  })

  it(
    'says once that the server is away in the middle, and goes on when it is back',
    { timeout: 60_000 },
    async () => {
      await using folder = await temporaryFolder()
      let wasAway = false
      const gone: Promise<void>[] = []
      const away = async () => {
        await server.goAway()
        await delay(5000)
        await server.comeBack()
      }
      await using server = await startWebServer((request, response) => {
        if (!wasAway && /^bytes=0-(?!65535)/.test(request.headers.range ?? '')) {
          wasAway = true
          gone.push(away())
        } else serveFile(request, response, { bytes: dmg, etag: '"1"' })
      })
      const target = join(folder.path, 'out.img')
      const { err, status } = await reprise(
        ['restore', '--source', `${server.url}/a.dmg`, '--target', target, '--erase', '--noprompt'],
        '',
        direct,
      )
      await Promise.all(gone)
      expect({ err, status }).toEqual({
        err: expect.stringMatching(/^The network connection to 127\.0\.0\.1:\d+ .*Trying again\.\n$/),
        status: 0,
      })
      expect(Buffer.compare(await readFile(target), data)).toBe(0)
    },
  )

  it('erases the target when the image changes in the middle, and says so', async () => {
    await using folder = await temporaryFolder()
    let tag = '"1"'
    await using server = await startWebServer((request, response) => {
      serveFile(request, response, { bytes: dmg, etag: tag })
      // Both looks at the image are over when its data is asked for.
      if (/^bytes=0-(?!65535)/.test(request.headers.range ?? '')) tag = '"2"'
    })
    const target = join(folder.path, 'out.img')
    const { err, status } = await reprise(
      ['restore', '--source', `${server.url}/a.dmg`, '--target', target, '--erase', '--noprompt'],
      '',
      direct,
    )
    expect(status).toBe(1)
    expect(err).toContain('(E_SRC_CHANGED)')
  })
})
