/** A disk that really fails: EIO from the kernel on the n-th write, on read-back, a medium that lies or forgets. */
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { attachFaultyDisk, type Faults } from '#test/faulty-disk'
import { command } from '#test/loop'
import { missing } from '#test/needs'
import { restoreForReal, sha256, summaryOf } from '#test/restore-for-real'

const MiB = 1024 * 1024
const sizeBytes = 24 * MiB
let folder = ''
let image = ''
let bytes = Buffer.alloc(0)

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'reprise-faults-'))
  image = join(folder, 'image.img')
  bytes = randomBytes(16 * MiB)
  // A boot record's signature: it is an image of a disk.
  bytes.writeUInt16LE(0xaa55, 510)
  writeFileSync(image, bytes)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The disk as `makeEmpty` leaves it. */
async function expectEmptyMap(path: string): Promise<void> {
  const map = await command('sfdisk', ['-d', path])
  expect(map).toContain('label: gpt')
  expect(map).not.toContain('start=')
}

async function restoreOnto(faults: Faults) {
  const disk = await attachFaultyDisk({ sizeBytes, ...faults })
  return { disk, ...(await restoreForReal({ source: image, target: disk.path })) }
}

describe.skipIf(missing('linux', 'root', 'loop', 'program:nbdfuse', 'program:sfdisk'))(
  'a faulty disk',
  () => {
    it('that is in order takes the image', async () => {
      await using disk = await attachFaultyDisk({ sizeBytes })
      summaryOf(await restoreForReal({ source: image, target: disk.path }))
      expect(await sha256(disk.path, bytes.length)).toBe(await sha256(image, bytes.length))
    })

    it('whose medium has a bad block fails there, and is left empty', async () => {
      const { disk, outcome } = await restoreOnto({ failAtOffset: 9 * MiB + 5000 })
      await using _disk = disk
      expect(outcome).toMatchObject({
        kind: 'failed',
        target: 'empty',
        error: { code: 'E_IO_WRITE', details: { path: disk.path, errno: 'EIO', offset: 9 * MiB } },
      })
      await expectEmptyMap(disk.path)
    })

    it('that takes no writes any more after some is incomplete, and the reason is logged', async () => {
      const { disk, outcome, lines } = await restoreOnto({ failWritesAfter: 12 })
      await using _disk = disk
      expect(outcome).toMatchObject({ kind: 'failed', target: 'incomplete', error: { code: 'E_IO_WRITE' } })
      expect(lines.some((line) => line.level === 'error')).toBe(true)
      // What could be read of it is no disk to anybody.
      await disk.setFaults({})
      await expect(command('sfdisk', ['-d', disk.path])).rejects.toThrow('partition table')
    })

    it('that cannot be read back fails the verify, and is left empty', async () => {
      const { disk, outcome, states } = await restoreOnto({ failReadsAt: [11 * MiB + 123] })
      await using _disk = disk
      expect(outcome).toMatchObject({
        kind: 'failed',
        target: 'empty',
        error: { code: 'E_IO_READ', details: { errno: 'EIO', offset: 11 * MiB } },
      })
      expect(states.at(-1)?.phases.find((phase) => phase.phase === 'verifying')?.state).toBe('failed')
      await expectEmptyMap(disk.path)
    })

    it('that returns one wrong bit is found out, to the byte', async () => {
      const at = 13 * MiB + 777
      const { disk, outcome } = await restoreOnto({ flipBitAt: at })
      await using _disk = disk
      expect(outcome).toMatchObject({
        kind: 'failed',
        target: 'empty',
        error: {
          code: 'E_VERIFY',
          details: {
            offset: at,
            differingBlocks: 1,
            blockBytes: MiB,
            expected: bytes.toString('hex', at, at + 16),
          },
        },
      })
      const found = Buffer.from(bytes.subarray(at, at + 16))
      found[0] = (found[0] ?? 0) ^ 1
      expect(outcome).toMatchObject({ error: { details: { found: found.toString('hex') } } })
    })

    it('that claims more than it has is found out, and how much is wrong', async () => {
      const { disk, outcome } = await restoreOnto({ forgetWritesFrom: 10 * MiB })
      await using _disk = disk
      expect(outcome).toMatchObject({
        kind: 'failed',
        error: {
          code: 'E_VERIFY',
          details: { offset: 10 * MiB, differingBlocks: 6, parts: `${'.'.repeat(31)}-${'x'.repeat(18)}` },
        },
      })
    })

    it('that vanishes while it is written is incomplete', async () => {
      await using disk = await attachFaultyDisk({ sizeBytes })
      const vanishing: Promise<void>[] = []
      const { outcome } = await restoreForReal(
        { source: image, target: disk.path, buffering: slow },
        {
          during: (state) => {
            if (state.progress?.phase === 'restoring' && vanishing.length === 0) vanishing.push(disk.vanish())
          },
        },
      )
      await Promise.all(vanishing)
      expect(outcome).toMatchObject({ kind: 'failed', target: 'incomplete' })
      expect(outcome.kind === 'failed' && outcome.error.code).toMatch(/^E_(IO_WRITE|IO_READ|DST_GONE)$/)
    })

    it('that hangs is waited for after Cancel, which says at once that it is stopping', async () => {
      await using disk = await attachFaultyDisk({ sizeBytes })
      const asked: Promise<unknown>[] = []
      const told: string[] = []
      let disks = 'working'
      const { outcome } = await restoreForReal(
        { source: image, target: disk.path, buffering: slow },
        {
          during: (state, job) => {
            if (state.progress?.phase !== 'restoring' || asked.length > 0) return
            const ask = disk.setFaults({ stall: true }).then(() => {
              disks = 'hanging'
              job.subscribe((now) => {
                if (now.stopping) told.push(disks)
              })
              void job.cancel()
              return new Promise((resolve) => setTimeout(resolve, 500)).then(() => {
                disks = 'working'
                return disk.setFaults({})
              })
            })
            asked.push(ask)
          },
        },
      )
      await Promise.all(asked)
      expect(outcome).toMatchObject({ kind: 'cancelled', target: 'empty' })
      expect(told[0]).toBe('hanging')
      await expectEmptyMap(disk.path)
    })

    it('that hangs when all is verified is left unmounted by Cancel within a second or so, and that is told', async () => {
      await using disk = await attachFaultyDisk({ sizeBytes })
      await command('mkfs.ext4', ['-q', '-F', disk.path])
      const place = join(folder, 'place')
      mkdirSync(place)
      await command('mount', [disk.path, place])
      let askedMs = 0
      const asked: Promise<unknown>[] = []
      const { outcome } = await restoreForReal(
        { source: image, target: place },
        {
          during: (state, job) => {
            if (state.progress?.phase !== 'remounting' || asked.length > 0) return
            const hang = async () => {
              await disk.setFaults({ stall: true })
              askedMs = performance.now()
              void job.cancel()
            }
            asked.push(hang())
          },
        },
      )
      const tookMs = performance.now() - askedMs
      await Promise.all(asked)
      await disk.setFaults({})
      expect(outcome).toMatchObject({ kind: 'done', summary: { verified: true, mountPoints: [] } })
      // Perhaps the partition map wasn't read again either.
      expect(outcome.kind === 'done' && outcome.summary.warnings.at(-1)).toMatchObject({
        details: { path: place, left: 'mount', why: 'stopped' },
      })
      expect(tookMs).toBeLessThan(2000)
    })

    it('lets go of everything, whatever happened', async () => {
      const { disk } = await restoreOnto({ failAtOffset: 3 * MiB })
      await using _disk = disk
      // Nobody holds it: it can be opened exclusively.
      const { constants } = await import('node:fs')
      await using handle = await open(disk.path, constants.O_RDWR | constants.O_EXCL)
      expect(handle.fd).toBeGreaterThan(0)
    })
  },
)

const slow = { buffers: 1, bufferBytes: 4096, csumBuffers: null, csumBufferBytes: null }
