import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync, mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { allocatePageAligned, openFileSink, type FileSinkOptions } from '#engine/block-io'
import { dropFileCache } from '#src/main/engine/block-io/drop-file-cache.ts'
import { noise } from '#test/image-of-runs'
import { missing, program } from '#test/needs'
import { describeSink } from '#test/sink-conformance'

const folder = mkdtempSync(join(tmpdir(), 'reprise-file-sink-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let count = 0
const newPath = () => join(folder, `disk-${count++}.img`)

for (const caching of ['direct', 'buffered'] as const)
  describeSink(
    `a file (${caching})`,
    { roomBytes: 16 * 1024 * 1024, takesUnaligned: true, waitsAtClose: true },
    async () => {
      const path = newPath()
      const sink = await openFileSink(path, { mode: 'create', caching })
      return {
        sink,
        stored: async (lengthBytes) => readFileSync(path).subarray(0, lengthBytes),
        async [Symbol.asyncDispose]() {
          await sink[Symbol.asyncDispose]()
          rmSync(path)
        },
      }
    },
  )

test.skipIf(missing('linux'))(
  'is written by one at a time, if that is asked for, and not by two who came at once',
  async () => {
    const path = newPath()
    writeFileSync(path, 'there before')
    const alone = { mode: 'overwrite', alone: true } as const
    {
      await using _first = await openFileSink(path, alone)
      await expect(openFileSink(path, alone)).rejects.toMatchObject({
        code: 'E_DST_BUSY',
        details: { holders: ['another Reprise'] },
      })
    }
    await using _next = await openFileSink(path, alone)
    expect(readFileSync(path, 'utf8')).toBe('there before')
  },
)

const withSink = async (
  path: string,
  options: FileSinkOptions,
  work: (sink: Awaited<ReturnType<typeof openFileSink>>) => Promise<void>,
) => {
  await using sink = await openFileSink(path, options)
  await work(sink)
}

test('a disk of odd size ends where it ends, with holes where nothing was written', async () => {
  const path = newPath()
  const tail = noise(700, 1)
  await withSink(path, { mode: 'create' }, async (sink) => {
    await sink.zero(0, 64 * 1024 * 1024)
    await sink.write(tail, 64 * 1024 * 1024)
    await sink.finish(64 * 1024 * 1024 + 1536)
    // The head comes last, after the size was set.
    await sink.write(noise(512, 2), 0)
    await sink.flush()
  })
  const { size, blocks } = statSync(path)
  expect(size).toBe(64 * 1024 * 1024 + 1536)
  expect(blocks * 512).toBeLessThan(1024 * 1024)
  const bytes = readFileSync(path)
  expect(bytes.subarray(0, 512)).toEqual(noise(512, 2))
  expect(bytes.subarray(64 * 1024 * 1024)).toEqual(Buffer.concat([tail, Buffer.alloc(1536 - 700)]))
})

test('a last write of part of a unit leaves no padding behind', async () => {
  const path = newPath()
  await withSink(path, { mode: 'create' }, async (sink) => {
    await sink.finish(1000)
    await sink.write(noise(1000, 1), 0)
  })
  expect(readFileSync(path)).toEqual(noise(1000, 1))
})

test('overwriting keeps the old bytes until they are cut off or written over', async () => {
  const path = newPath()
  writeFileSync(path, Buffer.alloc(3 * 1024 * 1024, 1))
  await withSink(path, { mode: 'overwrite' }, async (sink) => {
    // Old bytes are no hole.
    expect(await sink.zero(4096, 4096)).toBe('written')
    expect(await sink.discard(8192, 4096)).toBe('left')
    expect(readFileSync(path)[0]).toBe(1)
    expect(readFileSync(path)[4096]).toBe(0)
    await sink.finish(0)
    expect(statSync(path).size).toBe(0)
    expect(await sink.zero(0, 8192)).toBe('hole')
    await sink.finish(8192)
  })
  expect(readFileSync(path)).toEqual(Buffer.alloc(8192))
})

test('zeros over what was written are written', async () => {
  const path = newPath()
  await withSink(path, { mode: 'create' }, async (sink) => {
    await sink.write(allocatePageAligned(8192).fill(7), 4096)
    expect(await sink.zero(0, 4096)).toBe('hole')
    expect(await sink.zero(8192, 65_536)).toBe('written')
    await sink.finish(16_384)
  })
  expect(readFileSync(path)).toEqual(
    Buffer.concat([Buffer.alloc(4096), Buffer.alloc(4096, 7), Buffer.alloc(8192)]),
  )
})

test('without direct I/O the cache is thrown away before reading, once for all that was written', async () => {
  const path = newPath()
  const dropped: string[] = []
  await withSink(
    path,
    { mode: 'create', caching: 'buffered', dropCache: async (of) => void dropped.push(of) },
    async (sink) => {
      await sink.write(noise(4096, 1), 0)
      await sink.read(new Uint8Array(100), 0)
      await sink.read(new Uint8Array(100), 100)
      expect(dropped).toEqual([path])
      await sink.write(noise(4096, 2), 4096)
      await sink.read(new Uint8Array(100), 4096)
      expect(dropped).toEqual([path, path])
    },
  )
})

test.skipIf(missing('linux', 'program:fincore'))(
  'by dd, which leaves no page of the file in memory',
  async () => {
    const path = newPath()
    const cached = () =>
      Number(execFileSync(program('fincore') ?? '', ['--noheadings', '--output', 'PAGES', path]))
    const options = { mode: 'create', caching: 'buffered' } as const
    await withSink(path, options, async (sink) => {
      await sink.write(noise(1024 * 1024, 1), 0)
      await sink.flush()
      expect(cached()).toBe(256)
      await dropFileCache(path)
      expect(cached()).toBe(0)
    })
  },
)

test('a read fails where the cache cannot be thrown away', async () => {
  const failing = {
    mode: 'create',
    caching: 'buffered',
    dropCache: () => Promise.reject(new Error('no dd here')),
  } as const
  await withSink(newPath(), failing, async (sink) => {
    await sink.write(noise(4096, 1), 0)
    await expect(sink.read(new Uint8Array(100), 0)).rejects.toThrow('no dd here')
  })
})

test('what is there is not created over, and what is not there is not overwritten', async () => {
  const path = newPath()
  writeFileSync(path, 'mine')
  await expect(openFileSink(path, { mode: 'create' })).rejects.toMatchObject({ code: 'E_DST_EXISTS' })
  expect(readFileSync(path, 'utf8')).toBe('mine')
  await expect(openFileSink(newPath(), { mode: 'overwrite' })).rejects.toMatchObject({ code: 'E_NOT_FOUND' })
})

test('a folder, a device and a pipe hold no disk', async () => {
  const sub = join(folder, 'sub')
  mkdirSync(sub)
  await expect(openFileSink(sub, { mode: 'overwrite' })).rejects.toMatchObject({ code: 'E_DST_KIND' })
  await expect(openFileSink('/dev/null', { mode: 'overwrite' })).rejects.toMatchObject({ code: 'E_DST_KIND' })
})
