import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { openImage } from '#engine/formats/image'
import type { ExtentLayout, ImageLayout } from '#engine/formats/extents'
import { defaultPool, openBlockStream, type BlockStream } from '#engine/pipeline'
import { WebClient } from '#engine/web-source'
import { openWebParts } from '#src/main/engine/pipeline/web-parts.ts'
import { buildImage, noise, type ImageOfRuns, type RunOfImage } from '#test/image-of-runs'
import { askedRange, serveFile, startWebServer, type WebServer } from '#test/web-server'

const folder = mkdtempSync(join(tmpdir(), 'reprise-web-stream-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const ending: { [Symbol.asyncDispose](): PromiseLike<void> }[] = []
afterEach(async () => {
  for (const each of ending.splice(0).toReversed()) await each[Symbol.asyncDispose]()
})

const etag = '"v1"'
const MiB = 2 ** 20

/** Serves files by their names; `spoil` may do something else instead. */
async function serve(
  files: ReadonlyMap<string, Uint8Array>,
  spoil: (
    request: Parameters<Parameters<typeof startWebServer>[0]>[0],
    response: Parameters<Parameters<typeof startWebServer>[0]>[1],
    bytes: Uint8Array,
  ) => boolean = () => false,
) {
  const server = await startWebServer((request, response) => {
    const bytes = files.get(basename(request.url ?? ''))
    if (bytes === undefined) response.writeHead(404).end()
    else if (!spoil(request, response, bytes)) serveFile(request, response, { bytes, etag })
  })
  const client = new WebClient({ environment: {}, sleep: async () => undefined })
  ending.push({ [Symbol.asyncDispose]: async () => client[Symbol.dispose]() }, server)
  return { server, client }
}

/** The layout with its files on the server. */
function onServer(
  layout: ExtentLayout,
  { url }: WebServer,
  stamps = new Map<string, string>(),
): ExtentLayout {
  const parts = layout.parts.map((part) => {
    const stamp = stamps.get(basename(part.path))
    return { ...part, path: `${url}/${basename(part.path)}`, ...(stamp === undefined ? {} : { stamp }) }
  })
  return { ...layout, parts }
}

async function readAll(layout: ImageLayout, web: WebClient, signal = new AbortController().signal) {
  await using stream = await openBlockStream(layout, { pool: defaultPool, alignmentBytes: 512, signal, web })
  return await drain(stream)
}

async function drain(stream: BlockStream) {
  const pieces: Uint8Array[] = []
  for (let item = await stream.next(); item !== null; item = await stream.next()) {
    pieces.push(item.kind === 'data' ? Buffer.from(item.bytes) : Buffer.alloc(item.lengthBytes))
    if (item.kind === 'data') item.release()
  }
  return Buffer.concat(pieces)
}

const filesOf = ({ parts }: ExtentLayout) =>
  new Map(parts.map(({ path }) => [basename(path), readFileSync(path)]))

/** As many runs as make a few megabytes, of all kinds. */
function someRuns(count: number, kinds: readonly RunOfImage['kind'][], sectors = 300): RunOfImage[] {
  return Array.from({ length: count }, (_, index) => ({
    kind: kinds[index % kinds.length]!,
    sectors: sectors + (index % 7),
    content: index % 5 === 4 ? 'text' : 'noise',
    seed: index + 1,
  }))
}

/** How many bytes were asked for in all. */
const askedBytes = ({ requests }: WebServer, sizeBytes: number) =>
  requests.reduce((total, request) => {
    const range = askedRange(request, sizeBytes)
    return total + (range === null ? 0 : range.to - range.from)
  }, 0)

describe('an image on a server comes out as it is', () => {
  const all = ['zlib', 'raw', 'zero', 'zlib', 'ignore'] as const
  const cases: readonly (readonly [string, ImageOfRuns])[] = [
    ['compressed, in order', { runs: someRuns(40, all) }],
    ['not compressed', { runs: someRuns(40, ['raw', 'zero', 'ignore']) }],
    [
      'stored the other way round',
      { runs: someRuns(40, all), storeKeys: someRuns(40, all).map((_, i) => -i) },
    ],
    [
      'stored in disorder, with dead bytes between',
      {
        runs: someRuns(60, all),
        storeKeys: Array.from({ length: 60 }, (_, i) => (i * 37) % 60),
        deadBytes: 3000,
      },
    ],
    ['in segments', { runs: someRuns(40, all), files: 3 }],
    ['of a few bytes', { runs: [{ kind: 'raw', sectors: 1, content: 'noise', seed: 1 }] }],
    ['without any stored byte', { runs: [{ kind: 'zero', sectors: 5, content: 'zeros', seed: 1 }] }],
  ]
  test.each(cases)('%s', async (_, spec) => {
    const { layout, disk } = buildImage(folder, spec)
    const { server, client } = await serve(filesOf(layout))
    expect(Buffer.compare(await readAll(onServer(layout, server), client), disk)).toBe(0)
  })

  test.each([1, 3])('into large buffers, without a window, from %i files', async (files) => {
    const { layout, disk } = buildImage(folder, { runs: someRuns(160, ['raw']), files })
    const { server, client } = await serve(filesOf(layout))
    await using stream = await openBlockStream(onServer(layout, server), {
      pool: { buffers: 4, bufferBytes: 4 * MiB },
      alignmentBytes: 512,
      signal: new AbortController().signal,
      web: client,
    })
    expect(Buffer.compare(await drain(stream), disk)).toBe(0)
    expect(disk.length).toBeGreaterThan(20 * MiB)
    // Nothing is asked for twice but the beginnings.
    const sizes = [...filesOf(layout).values()].map(({ length }) => length)
    const stored = layout.parts.reduce((total, part) => total + part.lengthBytes, 0)
    expect(askedBytes(server, Math.max(...sizes))).toBe(stored + files * 65_536)
  })

  test('larger than the window, in disorder: what was pushed out is fetched again', async () => {
    // Every run begins a chunk and most of the chunk is read much later: nothing can be done with at first.
    const runs = someRuns(320, ['raw'], 250)
    const storeKeys = runs.map((_, index) => (index % 80) * 4 + Math.floor(index / 80))
    const { layout, disk } = buildImage(folder, { runs, storeKeys })
    const { server, client } = await serve(filesOf(layout))
    expect(disk.length).toBeGreaterThan(34 * MiB)
    expect(Buffer.compare(await readAll(onServer(layout, server), client), disk)).toBe(0)
    expect(askedBytes(server, disk.length)).toBeGreaterThan(disk.length + 65_536)
  })

  test('in order, each byte is asked for once', async () => {
    const { layout } = buildImage(folder, { runs: someRuns(48, ['zlib', 'raw', 'zero']) })
    const files = filesOf(layout)
    const { server, client } = await serve(files)
    await readAll(onServer(layout, server), client)
    const sizeBytes = files.get('part-0')!.length
    expect(sizeBytes).toBeGreaterThan(3 * MiB)
    // The first request brings the beginning.
    expect(askedBytes(server, sizeBytes)).toBe(sizeBytes + 65_536)
  })

  test.each([
    ['gzip', (bytes: Uint8Array) => gzipSync(bytes, { level: 1 })],
    [
      'zstd',
      (bytes: Uint8Array) =>
        Buffer.concat([zstdCompressSync(bytes.subarray(0, 3e6)), zstdCompressSync(bytes.subarray(3e6))]),
    ],
  ] as const)('as one stream of %s', async (codec, compress) => {
    const disk = noise(6 * MiB, 3)
    const stored = compress(disk)
    const { server, client } = await serve(new Map([['a.img', stored]]))
    const layout: ImageLayout = {
      kind: 'stream',
      codec,
      path: `${server.url}/a.img`,
      storedBytes: stored.length,
      sizeBytes: disk.length,
    }
    expect(Buffer.compare(await readAll(layout, client), disk)).toBe(0)
    expect(askedBytes(server, stored.length)).toBe(stored.length + 65_536)
  })

  test('of a server without ranges', async () => {
    const { layout, disk } = buildImage(folder, { runs: someRuns(20, all) })
    const { server, client } = await serve(filesOf(layout), (_, response, bytes) => {
      response.end(bytes)
      return true
    })
    expect(Buffer.compare(await readAll(onServer(layout, server), client), disk)).toBe(0)
  })
})

describe('a stream from a server', () => {
  const image = () => buildImage(folder, { runs: someRuns(40, ['zlib', 'raw']) })

  test('goes on where connections are cut', async () => {
    const { layout, disk } = image()
    let seen = 0
    const { server, client } = await serve(filesOf(layout), (request, response, bytes) => {
      const range = askedRange(request, bytes.length)
      seen += 1
      if (range === null || range.from === 0 || seen % 3 !== 0) return false
      response.writeHead(206, {
        etag,
        'content-length': range.to - range.from,
        'content-range': `bytes ${range.from}-${range.to - 1}/${bytes.length}`,
      })
      const half = range.from + Math.ceil((range.to - range.from) / 2)
      response.write(bytes.subarray(range.from, half), () => response.destroy())
      return true
    })
    expect(Buffer.compare(await readAll(onServer(layout, server), client), disk)).toBe(0)
  })

  test('fails when the image changes in the middle', async () => {
    const { layout } = image()
    let seen = 0
    const { server, client } = await serve(filesOf(layout), (request, response, bytes) => {
      if (++seen < 4) return false
      serveFile(request, response, { bytes, etag: '"v2"' })
      return true
    })
    await expect(readAll(onServer(layout, server), client)).rejects.toMatchObject({ code: 'E_SRC_CHANGED' })
  })

  test('does not begin when the image is another one than was opened', async () => {
    const { layout } = image()
    const { server, client } = await serve(filesOf(layout))
    const stamps = new Map([['part-0', '17 "v0"']])
    await expect(readAll(onServer(layout, server, stamps), client)).rejects.toMatchObject({
      code: 'E_SRC_CHANGED',
    })
  })

  test('fails when the server does, whatever the readers wait for', async () => {
    for (const kinds of [['zlib'], ['raw']] as const) {
      const { layout } = buildImage(folder, { runs: someRuns(40, kinds) })
      let seen = 0
      const { server, client } = await serve(filesOf(layout), (_, response) => {
        if (++seen < 4) return false
        response.writeHead(410).end()
        return true
      })
      await expect(readAll(onServer(layout, server), client)).rejects.toMatchObject({
        code: 'E_NET_STATUS',
        details: { status: 410 },
      })
    }
  })

  test('says where a run is damaged, and does not hang on the rest', async () => {
    const { layout } = buildImage(folder, { runs: someRuns(40, ['zlib']), spoilt: [20] })
    const { server, client } = await serve(filesOf(layout))
    await expect(readAll(onServer(layout, server), client)).rejects.toMatchObject({
      code: 'E_SRC_CORRUPT',
      details: { path: `${server.url}/part-0` },
    })
  })

  test('ends at once when it is told to, while everybody waits', async () => {
    for (const kinds of [['zlib'], ['raw']] as const) {
      const { layout } = buildImage(folder, { runs: someRuns(40, kinds) })
      const stop = new AbortController()
      const reason = new Error('enough')
      let seen = 0
      const { server, client } = await serve(filesOf(layout), () => {
        if (++seen < 3) return false
        if (seen === 3) setTimeout(() => stop.abort(reason), 20)
        // Never answered.
        return true
      })
      await expect(readAll(onServer(layout, server), client, stop.signal)).rejects.toBe(reason)
    }
  })
})

describe('an image that its server says is very large', () => {
  /** Opens one of so many bytes, of which nothing is fetched but what tells of them. */
  async function openLarge(sizeBytes: number) {
    const server = await startWebServer((request, response) => {
      const { from, to } = askedRange(request, sizeBytes) ?? { from: 0, to: 0 }
      response.writeHead(206, { 'content-range': `bytes ${from}-${to - 1}/${sizeBytes}`, etag })
      response.end(Buffer.alloc(Math.min(MiB, to - from)))
    })
    const client = new WebClient({ environment: {}, sleep: async () => undefined })
    ending.push({ [Symbol.asyncDispose]: async () => client[Symbol.dispose]() }, server)
    const seen: { count: number; chunkBytes: number }[] = []
    const planOf = ({ count, chunkBytes }: { readonly count: number; readonly chunkBytes: number }) => {
      seen.push({ count, chunkBytes })
      return { order: new Int32Array(), demand: new Int32Array() }
    }
    const { signal } = new AbortController()
    await using parts = await openWebParts([{ path: `${server.url}/a.img` }], planOf, { client, signal })
    expect(parts?.byPath.size).toBe(1)
    return seen
  }

  test('is cut into larger chunks, not into more of them', async () => {
    expect(await openLarge(2 ** 40)).toEqual([{ count: 2 ** 21, chunkBytes: MiB / 2 }])
    expect(await openLarge(2 ** 41 + 1)).toEqual([{ count: 2 ** 21 + 1, chunkBytes: MiB }])
    expect(await openLarge(2 ** 44)).toEqual([{ count: 2 ** 22, chunkBytes: 4 * MiB }])
  })

  test('is refused when it is larger than files are, before anything is made for it', async () => {
    await expect(openLarge(2 ** 44 + 1)).rejects.toMatchObject({
      code: 'E_NET_ANSWER',
      details: { field: 'size', found: 2 ** 44 + 1 },
    })
  })
})

describe('opening an image on a server', () => {
  test('tells what it is, names it, and binds what is read later to its state', async () => {
    const disk = Buffer.concat([Buffer.alloc(510), Buffer.from([0x55, 0xaa]), Buffer.alloc(20 * 512)])
    const { server, client } = await serve(new Map([['Lab%20Mac.img', disk]]))
    const { info, layout } = await openImage(
      `${server.url.replace('://', '://ann:secret@')}/x/Lab%20Mac.img?key=1`.replace('?key=1', ''),
      { web: client },
    )
    expect(info).toMatchObject({ name: 'Lab Mac.img', format: 'raw', sizeBytes: disk.length, modifiedMs: 0 })
    expect(JSON.stringify(info)).not.toContain('secret')
    expect(layout).toMatchObject({ parts: [{ path: info.path, stamp: `${disk.length} ${etag}` }] })
  })

  test('says what it is not', async () => {
    const { server, client } = await serve(new Map([['a.dmg', Buffer.from('<html>Sign in!</html>')]]))
    await expect(openImage(`${server.url}/a.dmg`, { web: client })).rejects.toMatchObject({
      code: 'E_SRC_FORMAT',
    })
    await expect(openImage(`${server.url}/b.dmg`, { web: client })).rejects.toMatchObject({
      code: 'E_NET_STATUS',
    })
  })
})
