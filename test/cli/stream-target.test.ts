import { existsSync } from 'node:fs'
import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { formatStreamLocator } from '#shared/model'
import { hashedUdif } from '#test/hashed-udif'
import { attachLoop, command, partitionLoop } from '#test/loop'
import { missing } from '#test/needs'
import { seededBytes, seededRandom } from '#test/seeded'
import { startStreamServer } from '#test/stream-server-double'
import { temporaryFolder } from '#test/temporary-folder'
import { reprise, startReprise } from './run-reprise.ts'

const mebibyte = 1_048_576
const { bytes: image, disk } = hashedUdif(
  {
    tables: [
      {
        runs: [
          ...Array.from({ length: 20 }, (_, seed) => ({
            kind: 'zlib' as const,
            sectors: 512,
            data: seededBytes(seededRandom(seed), 512 * 512),
          })),
          { kind: 'zero', sectors: 4096 },
          { kind: 'raw', sectors: 2000, data: seededBytes(seededRandom(99), 2000 * 512) },
        ],
      },
    ],
  },
  mebibyte,
)

const opened: AsyncDisposable[] = []
afterEach(async () => {
  for (const each of opened.splice(0).toReversed()) await each[Symbol.asyncDispose]()
})

async function setUp(options: { readonly password?: string; readonly dataRate?: number } = {}) {
  const server = await startStreamServer({ image, ...options })
  const folder = await temporaryFolder()
  opened.push(server, folder)
  const source = formatStreamLocator(server.locator)
  const restore = ['restore', '--source', source, '--erase', '--noprompt', '--target']
  return { server, folder, restore }
}

/** The first bytes of a device, as they are now on the medium behind it. */
async function readDevice(path: string, lengthBytes: number): Promise<Uint8Array> {
  await command('blockdev', ['--flushbufs', path])
  await using device = await open(path, 'r')
  const bytes = new Uint8Array(lengthBytes)
  for (let done = 0; done < lengthBytes;)
    done += (await device.read(bytes, done, lengthBytes - done, done)).bytesRead
  return bytes
}

const isDisk = (bytes: Uint8Array) => Buffer.compare(bytes, disk) === 0

describe('reprise restore --source asr://… --target', () => {
  it('restores the disk in the image into a file, and verifies it', async () => {
    const { server, folder, restore } = await setUp()
    const path = join(folder.path, 'out.img')
    const { out, err, status } = await reprise([...restore, path])
    expect(err).toBe('')
    expect(out).toContain('\tRestoring  ....10....20....30....40....50....60....70....80....90....100\n')
    expect(out).toContain('\tVerifying  ....10....20....30....40....50....60....70....80....90....100\n')
    expect(out).toContain(`\tRestored target file is ${path}.\n`)
    expect(status).toBe(0)
    expect(isDisk(await readFile(path))).toBe(true)
    expect(server.heard.at(-1)).toMatchObject({ kind: 'finished', outcome: 'done' })
  })

  it('leaves no file behind when it is interrupted, and says so to the server', async () => {
    const { server, folder, restore } = await setUp({ dataRate: 1.5e6 })
    const path = join(folder.path, 'out.img')
    const running = startReprise([...restore, path])
    await running.said('....20')
    running.child.kill('SIGINT')
    const { status } = await running.ended
    expect(status).toBe(130)
    await expect(readFile(path)).rejects.toThrow('ENOENT')
    await expect.poll(() => server.heard.at(-1)).toMatchObject({ kind: 'finished', outcome: 'cancelled' })
  })

  it('refuses a target that is too small before it joins', async () => {
    const { server, restore } = await setUp()
    const { err, status } = await reprise([...restore.slice(0, -1), '--target', '/dev/null'])
    expect(status).toBe(1)
    expect(err).toContain('E_DST_KIND')
    expect(server.heard.filter(({ kind }) => kind === 'report')).toEqual([])
  })
})

describe.skipIf(missing('linux', 'root', 'loop'))('reprise restore --source asr://… on a device', () => {
  it('goes on where it was when it was killed, asking nothing about it', { timeout: 60_000 }, async () => {
    const { server, restore } = await setUp({ dataRate: 1.5e6 })
    await using loop = await attachLoop({ sizeBytes: 32 * mebibyte })
    const first = startReprise([...restore, loop.path])
    await first.said('....50')
    first.child.kill('SIGKILL')
    await first.ended
    // Blank to everyone.
    const head = await readDevice(loop.path, 64 * 1024)
    expect(head.every((byte) => byte === 0)).toBe(true)
    const before = server.heard.length
    const second = await reprise([...restore, loop.path])
    expect(second).toMatchObject({ status: 0, err: '' })
    expect(isDisk(await readDevice(loop.path, disk.length))).toBe(true)
    const reports = server.heard.slice(before).filter((message) => message.kind === 'report')
    expect(reports[0]?.blocksDone).toBeGreaterThan(5)
  })

  it('reads back what a killed run left even with --noverify', { timeout: 60_000 }, async () => {
    const { server, restore } = await setUp({ dataRate: 1.5e6 })
    await using loop = await attachLoop({ sizeBytes: 32 * mebibyte })
    const first = startReprise([...restore, loop.path])
    await first.said('....50')
    first.child.kill('SIGKILL')
    await first.ended
    // It was partitioned, used, and its map wiped: the first MiB looks as it did.
    {
      await using device = await open(loop.path, 'r+')
      await device.write(new Uint8Array(4 * mebibyte).fill(0x55), 0, 4 * mebibyte, mebibyte)
      await device.sync()
    }
    server.sender.setDataRate(20e6)
    const second = await reprise([...restore, loop.path, '--noverify'])
    expect(second.status).toBe(1)
    expect(second.err).toContain('E_VERIFY')
    const third = await reprise([...restore, loop.path, '--noverify'])
    expect(third).toMatchObject({ status: 0, err: '' })
    expect(isDisk(await readDevice(loop.path, disk.length))).toBe(true)
  })

  it('keeps what came when the server is gone, and lets nobody mount what was there before', async () => {
    const { server, restore } = await setUp({ dataRate: 1.5e6 })
    await using loop = await attachLoop({ sizeBytes: 32 * mebibyte, partscan: true })
    const [partition = ''] = await partitionLoop(loop.path, 'label: gpt\n2048,16M\n')
    await command('mkfs.ext4', ['-q', partition])
    const running = startReprise([...restore, loop.path, '--timeout', '2'])
    await running.said('....50')
    await server[Symbol.asyncDispose]()
    const { status, err } = await running.ended
    expect(status).toBe(1)
    expect(err).toContain('What came so far is kept')
    expect(existsSync(partition)).toBe(false)
  })
})
