/** Changed blocks only, on real loop devices, with real images, through direct I/O. */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { copyFile, open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createSystemIo, type RestoreDeps } from '#engine/copy'
import { createPlatform } from '#engine/platform'
import { scanImage } from '#engine/scan'
import { silentLogger } from '#shared/log'
import type { RestoreRequest } from '#shared/model'
import { convertForReal } from '#test/convert-for-real'
import { hashesOf } from '#test/fake-platform'
import { attachLoop, command } from '#test/loop'
import { missing } from '#test/needs'
import { quietContext } from '#test/quiet-context'
import { restoreForReal, sha256, summaryOf } from '#test/restore-for-real'

const MiB = 1024 * 1024
const imageBytes = 12 * MiB + 512
const diskBytes = 16 * MiB
let folder = ''
let image = ''

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'reprise-changed-only-'))
  image = join(folder, 'image.img')
  const bytes = randomBytes(imageBytes)
  bytes.fill(0, 7 * MiB, 9 * MiB)
  writeFileSync(image, bytes)
  await command('sfdisk', ['--no-reread', '--no-tell-kernel', '-q', image], 'label: mbr\nsize=10M, type=83\n')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** As if a scan had left hashes in the image. */
function hashed(): Partial<RestoreDeps> {
  const platform = createPlatform({ log: silentLogger })
  const bytes = readFileSync(image)
  return {
    platform,
    io: { ...createSystemIo(platform), readBlockHashes: async () => hashesOf(bytes, MiB) },
  }
}

const depsOf = (by: 'hashes' | 'source') => (by === 'hashes' ? hashed() : {})

async function change(path: string, ...places: readonly number[]): Promise<void> {
  await using handle = await open(path, 'r+')
  for (const at of places) {
    const byte = Buffer.alloc(1)
    await handle.read(byte, 0, 1, at)
    await handle.write(Buffer.of((byte[0] ?? 0) ^ 0x40), 0, 1, at)
  }
  await handle.sync()
}

/** Sectors that were written to the device since it was made. */
const sectorsWritten = (path: string) =>
  Number(
    readFileSync(`/sys/block/${path.split('/').at(-1)}/stat`, 'utf8')
      .trim()
      .split(/\s+/)[6],
  )

describe.skipIf(missing('linux', 'root', 'loop', 'program:sfdisk')).each(['hashes', 'source'] as const)(
  'changed blocks only, compared by %s, on a real device',
  (by) => {
    it('writes nothing, then what changed, and the disk is the image each time', async () => {
      await using loop = await attachLoop({ sizeBytes: diskBytes })
      const request = { source: image, target: loop.path }
      summaryOf(await restoreForReal(request))
      const restored = await sha256(image, imageBytes)
      const before = sectorsWritten(loop.path)
      const same = summaryOf(await restoreForReal({ ...request, changedOnly: true }, { deps: depsOf(by) }))
      expect(sectorsWritten(loop.path)).toBe(before)
      expect(same).toMatchObject({ writtenBytes: 0, unchangedBytes: imageBytes, verified: true })

      await change(loop.path, 0, 5 * MiB + 7, 8 * MiB, imageBytes - 1, diskBytes - 1)
      const some = summaryOf(await restoreForReal({ ...request, changedOnly: true }, { deps: depsOf(by) }))
      expect(await sha256(loop.path, imageBytes)).toBe(restored)
      expect(some.checksum).toBe(same.checksum)
      expect(some.unchangedBytes).toBeGreaterThan(8 * MiB)
      expect(some.writtenBytes).toBeGreaterThan(0)
      await using handle = await open(loop.path)
      const { buffer } = await handle.read(Buffer.alloc(MiB), 0, MiB, diskBytes - MiB)
      expect(buffer.every((byte) => byte === 0)).toBe(true)
    })

    it('finds what changed on the medium after it was written', async () => {
      await using loop = await attachLoop({ sizeBytes: diskBytes })
      const request = { source: image, target: loop.path }
      summaryOf(await restoreForReal(request))
      const at = 5 * MiB + 99
      await change(loop.path, 5 * MiB)
      const { outcome } = await restoreForReal(
        { ...request, changedOnly: true },
        {
          deps: depsOf(by),
          during: ({ progress }) => {
            if (progress?.phase !== 'verifying' || progress.doneBytes > 0) return
            const there = readFileSync(image)[at] ?? 0
            const fd = openSync(loop.file, 'r+')
            writeSync(fd, Buffer.of(there ^ 0x40), 0, 1, at)
            closeSync(fd)
          },
        },
      )
      expect(outcome).toMatchObject({
        kind: 'failed',
        target: 'empty',
        error: { code: 'E_VERIFY', details: { offset: at, differingBlocks: 1 } },
      })
    })

    it('brings a file up to date', async () => {
      const file = join(folder, `disk-${by}.img`)
      await copyFile(image, file)
      await change(file, 6 * MiB)
      const summary = summaryOf(
        await restoreForReal({ source: image, target: file, changedOnly: true }, { deps: depsOf(by) }),
      )
      expect(await sha256(file, imageBytes)).toBe(await sha256(image, imageBytes))
      expect(summary.unchangedBytes).toBeGreaterThan(8 * MiB)
    })
  },
)

describe.skipIf(missing('linux', 'root', 'loop', 'program:sfdisk')).each(['UDZO', 'UDRO'] as const)(
  'changed blocks only of an image that was scanned, %s',
  (format) => {
    it('reads the image only where the device differs, and the device is the image', async () => {
      const path = join(folder, `scanned-${format}.dmg`)
      await convertForReal({ source: image, target: path, format })
      const whole = { reorder: true, allowFragmentedCatalog: false }
      await scanImage({ path, ...whole }, quietContext(), { scannedBy: 'a test' })
      await using loop = await attachLoop({ sizeBytes: diskBytes })
      const request = { source: path, target: loop.path }
      const { checksum } = summaryOf(await restoreForReal(request))
      await change(loop.path, 5 * MiB, 8 * MiB - 1, imageBytes - 1)
      const course = await restoreForReal({ ...request, changedOnly: true })
      expect(course.plan.checks).toContainEqual({
        step: 'source',
        state: 'ok',
        kind: 'changed-only',
        by: 'hashes',
      })
      const summary = summaryOf(course)
      expect(summary).toMatchObject({ verified: true, checksum })
      expect(summary.unchangedBytes).toBeGreaterThan(8 * MiB)
      expect(await sha256(loop.path, imageBytes)).toBe(await sha256(image, imageBytes))
      const again = summaryOf(await restoreForReal({ ...request, changedOnly: true }))
      expect(again).toMatchObject({ writtenBytes: 0, zeroedBytes: 0, unchangedBytes: imageBytes, checksum })
    })
  },
)

describe.skipIf(missing('linux', 'root', 'loop', 'program:sfdisk'))(
  'an interrupted restore of changes',
  () => {
    it('that was killed leaves no disk that looks whole', async () => {
      await using loop = await attachLoop({ sizeBytes: diskBytes })
      summaryOf(await restoreForReal({ source: image, target: loop.path }))
      await change(loop.path, ...Array.from({ length: 160 }, (_, index) => 2 * MiB + index * 65_536))
      const request: Partial<RestoreRequest> & { source: string; target: string } = {
        source: image,
        target: loop.path,
        changedOnly: true,
        buffering: { buffers: 2, bufferBytes: 16_384, csumBuffers: 1, csumBufferBytes: 16_384 },
      }
      const script = `
      import { createSystemIo } from '#engine/copy'
      import { createPlatform } from '#engine/platform'
      import { silentLogger } from '#shared/log'
      import { restoreForReal } from '#test/restore-for-real'
      const platform = createPlatform({ log: silentLogger })
      const io = createSystemIo(platform)
      const openDeviceSink = async (path) => {
        const sink = await io.openDeviceSink(path)
        const write = sink.write.bind(sink)
        sink.write = (bytes, offset) => {
          if (offset > ${3 * MiB} && offset < ${imageBytes - MiB}) process.kill(process.pid, 'SIGKILL')
          return write(bytes, offset)
        }
        return sink
      }
      await restoreForReal(${JSON.stringify(request)}, { deps: { platform, io: { ...io, openDeviceSink } } })`
      const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
        cwd: resolve(import.meta.dirname, '../../../..'),
        stdio: 'inherit',
      })
      const signal = await new Promise((done) => child.once('exit', (_, by) => done(by)))
      expect(signal).toBe('SIGKILL')
      await expect(command('sfdisk', ['-d', loop.path])).rejects.toThrow('partition table')
      await using handle = await open(loop.path)
      for (const at of [0, diskBytes - MiB]) {
        const { buffer } = await handle.read(Buffer.alloc(MiB), 0, MiB, at)
        expect(buffer.every((byte) => byte === 0)).toBe(true)
      }
      // Which can be done again.
      summaryOf(await restoreForReal({ source: image, target: loop.path, changedOnly: true }))
      expect(await sha256(loop.path, imageBytes)).toBe(await sha256(image, imageBytes))
    })
  },
)
