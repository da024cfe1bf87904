/** A restore that is stopped in the middle: by Cancel, by kill -9, by changes under its feet. */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { attachLoop, command } from '#test/loop'
import { missing } from '#test/needs'
import { restoreForReal, sha256, summaryOf } from '#test/restore-for-real'

const MiB = 1024 * 1024
/** Small buffers make it last a few seconds. */
const slow = { buffers: 2, bufferBytes: 16_384, csumBuffers: 1, csumBufferBytes: 16_384 }
let folder = ''
let image = ''
const imageBytes = 160 * MiB

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'reprise-interrupted-'))
  image = join(folder, 'image.img')
  const bytes = randomBytes(imageBytes)
  writeFileSync(image, bytes)
  // A disk with a map and a volume, so that what is left of it would be seen.
  await command(
    'sfdisk',
    ['--no-reread', '--no-tell-kernel', '-q', image],
    'label: gpt\nsize=100M, name=WHOLE\n',
  )
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function readAt(path: string, offset: number, lengthBytes: number): Promise<Buffer> {
  const bytes = Buffer.alloc(lengthBytes)
  await using handle = await open(path)
  await handle.read(bytes, 0, lengthBytes, offset)
  return bytes
}

const isZeros = (bytes: Buffer) => bytes.every((byte) => byte === 0)

/** Descriptors of this process that lead to the device. */
function openHere(path: string): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === path
    } catch {
      return false
    }
  }).length
}

/** Programs that this process started and that still run. */
function children(): readonly string[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return pids.flatMap((pid) => {
    try {
      const [, comm = '', rest = ''] =
        /^\d+ \((.*)\) (.*)$/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? []
      return rest.split(' ')[1] === String(process.pid) ? [comm] : []
    } catch {
      return []
    }
  })
}

describe.skipIf(missing('linux', 'root', 'loop', 'program:sfdisk'))('an interrupted restore', () => {
  it('that was killed leaves no disk that looks whole', async () => {
    await using loop = await attachLoop({ sizeBytes: 200 * MiB })
    // An older system on it, with its backup map at the end.
    await command(
      'sfdisk',
      ['--no-reread', '--no-tell-kernel', '-q', loop.path],
      'label: gpt\nsize=50M, name=OLDER\n',
    )
    const script = `
      import { restoreForReal } from '#test/restore-for-real'
      await restoreForReal(
        ${JSON.stringify({ source: image, target: loop.path, buffering: slow })},
        { during: (state) => {
          if (state.progress?.phase === 'restoring' && state.progress.doneBytes > ${20 * MiB}) console.log('enough')
        } },
      )`
    const root = resolve(import.meta.dirname, '../../../..')
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const ended = new Promise<NodeJS.Signals | null>((done) =>
      child.once('exit', (_, signal) => done(signal)),
    )
    child.stdout.once('data', () => child.kill('SIGKILL'))
    expect(await ended).toBe('SIGKILL')

    await expect(command('sfdisk', ['-d', loop.path])).rejects.toThrow('partition table')
    await expect(command('blkid', ['-p', loop.path])).rejects.toThrow()
    expect(isZeros(await readAt(loop.path, 0, MiB))).toBe(true)
    expect(isZeros(await readAt(loop.path, 199 * MiB, MiB))).toBe(true)
    // And it did get somewhere.
    expect(await readAt(loop.path, 10 * MiB, 512)).toEqual(await readAt(image, 10 * MiB, 512))
  })

  it.each(['restoring', 'verifying'] as const)(
    'that is cancelled while %s ends, empty, with nothing left behind',
    async (phase) => {
      await using loop = await attachLoop({ sizeBytes: 200 * MiB })
      // The test's own: what lets go of the loop device when the tests are killed.
      const before = children()
      let asked = false
      const { outcome } = await restoreForReal(
        { source: image, target: loop.path, buffering: slow },
        {
          during: (state, job) => {
            if (state.progress?.phase !== phase || state.progress.doneBytes < 10 * MiB || asked) return
            asked = true
            void job.cancel()
          },
        },
      )
      expect(outcome).toMatchObject({ kind: 'cancelled', target: 'empty' })
      const map = await command('sfdisk', ['-d', loop.path])
      expect(map).toContain('label: gpt')
      expect(map).not.toContain('start=')
      expect(openHere(loop.path)).toBe(0)
      expect(openHere(image)).toBe(0)
      expect(children()).toEqual(before)
    },
  )

  it('whose disk changed after it was written is found out, to the byte', async () => {
    await using loop = await attachLoop({ sizeBytes: 200 * MiB })
    const at = 77 * MiB + 4321
    const there = await readAt(image, at, 16)
    const { outcome } = await restoreForReal(
      { source: image, target: loop.path },
      {
        during: (state) => {
          if (state.progress?.phase !== 'verifying' || state.progress.doneBytes > 0) return
          const fd = openSync(loop.file, 'r+')
          writeSync(fd, Buffer.from([(there[0] ?? 0) ^ 0x40]), 0, 1, at)
          closeSync(fd)
        },
      },
    )
    expect(outcome).toMatchObject({
      kind: 'failed',
      target: 'empty',
      error: {
        code: 'E_VERIFY',
        details: { offset: at, differingBlocks: 1, expected: there.toString('hex'), path: loop.path },
      },
    })
  })

  it('whose disk is another one than planned does not begin', async () => {
    await using loop = await attachLoop({ sizeBytes: 200 * MiB })
    const { outcome } = await restoreForReal(
      { source: image, target: loop.path },
      {
        between: async () => {
          // Another size: to everyone, another disk.
          truncateSync(loop.file, 201 * MiB)
          await command('losetup', ['-c', loop.path])
        },
      },
    )
    expect(outcome).toMatchObject({ kind: 'failed', target: 'untouched', error: { code: 'E_DST_CHANGED' } })
    expect(isZeros(await readAt(loop.path, 0, MiB))).toBe(true)
  })

  it('whose disk got a partition map after the plan does not begin', async () => {
    await using loop = await attachLoop({ sizeBytes: 200 * MiB })
    const { outcome } = await restoreForReal(
      { source: image, target: loop.path },
      {
        between: async () => {
          await command(
            'sfdisk',
            ['--no-reread', '--no-tell-kernel', '-q', loop.path],
            'label: gpt\nsize=50M, name=NEWER\n',
          )
        },
      },
    )
    expect(outcome).toMatchObject({ kind: 'failed', target: 'untouched', error: { code: 'E_DST_CHANGED' } })
    expect(await command('sfdisk', ['-d', loop.path])).toContain('NEWER')
  })

  it('whose image was touched after the plan does not begin', async () => {
    await using loop = await attachLoop({ sizeBytes: 200 * MiB })
    const { outcome } = await restoreForReal(
      { source: image, target: loop.path },
      { between: () => utimesSync(image, new Date(), new Date(1_700_000_000_000)) },
    )
    expect(outcome).toMatchObject({ kind: 'failed', target: 'untouched', error: { code: 'E_SRC_CHANGED' } })
  })

  it('can simply be done again', async () => {
    await using loop = await attachLoop({ sizeBytes: 200 * MiB })
    await restoreForReal(
      { source: image, target: loop.path },
      {
        during: (state, job) => {
          if (state.progress?.phase === 'verifying') void job.cancel()
        },
      },
    )
    summaryOf(await restoreForReal({ source: image, target: loop.path }))
    expect(await sha256(loop.path, imageBytes)).toBe(await sha256(image, imageBytes))
  })
})
