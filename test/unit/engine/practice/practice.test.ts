import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { practiceDisk } from '#src/main/engine/practice/practice-disk.ts'
import { practiceDiskBytes, preparePractice } from '#src/main/engine/practice/prepare-practice.ts'

let folder: string
let asset: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'reprise-practice-'))
  asset = join(folder, 'asset.dmg')
  writeFileSync(asset, 'our image')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const prepare = (renew: 'missing' | 'always') =>
  preparePractice({ folder: join(folder, 'practice'), asset, renew })

describe('preparing', () => {
  test('makes both in a folder that was not there, and nothing else', async () => {
    const { disk, image } = await prepare('missing')
    expect(statSync(disk)).toMatchObject({ size: practiceDiskBytes, blocks: 0 })
    expect(readFileSync(image, 'utf8')).toBe('our image')
    expect(readdirSync(join(folder, 'practice')).sort()).toEqual(['Practice disk', 'Practice image.dmg'])
  })

  test('leaves what is there as it is, unless it is to be renewed', async () => {
    const { disk } = await prepare('missing')
    writeFileSync(disk, 'restored', { flag: 'r+' })
    await prepare('missing')
    expect(readFileSync(disk).subarray(0, 8).toString()).toBe('restored')
    await prepare('always')
    expect(readFileSync(disk)[0]).toBe(0)
  })

  test('makes what has the wrong size anew', async () => {
    const { disk, image } = await prepare('missing')
    truncateSync(disk, 5)
    truncateSync(image, 5)
    await prepare('missing')
    expect(statSync(disk).size).toBe(practiceDiskBytes)
    expect(readFileSync(image, 'utf8')).toBe('our image')
  })

  test('replaces a link instead of following it', async () => {
    const { disk } = await prepare('missing')
    const precious = join(folder, 'precious')
    writeFileSync(precious, 'precious')
    rmSync(disk)
    symlinkSync(precious, disk)
    await prepare('always')
    expect(readFileSync(precious, 'utf8')).toBe('precious')
    expect(statSync(disk).size).toBe(practiceDiskBytes)
  })

  test('says what is missing when the image was not installed', async () => {
    rmSync(asset)
    await expect(prepare('missing')).rejects.toMatchObject({ code: 'E_NOT_FOUND', details: { path: asset } })
  })

  test('says that it cannot write', async () => {
    writeFileSync(join(folder, 'practice'), 'a file in the way')
    await expect(prepare('missing')).rejects.toMatchObject({ code: 'E_IO_WRITE' })
  })
})

describe('the Practice disk', () => {
  test('is an empty disk at first', async () => {
    const { disk } = await prepare('missing')
    await expect(practiceDisk(disk)).resolves.toMatchObject({
      path: disk,
      name: 'Practice disk',
      sizeBytes: practiceDiskBytes,
      bus: 'file',
      practice: true,
      partitionMap: 'none',
      volumes: [],
      protection: null,
    })
  })

  test('shows the partitions that were restored to it', async () => {
    const { disk } = await prepare('missing')
    // An MBR with one FAT partition of 1 MiB at sector 2048, type 0x0c.
    const mbr = Buffer.alloc(512)
    mbr.set([0x00, 0, 0, 0, 0x0c, 0, 0, 0], 446)
    mbr.writeUInt32LE(2048, 454)
    mbr.writeUInt32LE(2048, 458)
    mbr.set([0x55, 0xaa], 510)
    writeFileSync(disk, mbr, { flag: 'r+' })
    await expect(practiceDisk(disk)).resolves.toMatchObject({
      partitionMap: 'mbr',
      volumes: [{ path: `${disk}#1`, index: 1, offset: 1_048_576, sizeBytes: 1_048_576, mountPoints: [] }],
    })
  })

  test('is no more when its file is gone', async () => {
    const { disk } = await prepare('missing')
    rmSync(disk)
    await expect(practiceDisk(disk)).resolves.toBeNull()
  })
})
