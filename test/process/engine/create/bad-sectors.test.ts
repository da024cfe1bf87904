import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createForReal } from '#test/create-for-real'
import { attachFaultyDisk } from '#test/faulty-disk'
import { fillFolder, hashFolder, hashVolume, isSound, volumeKinds } from '#test/filled-volume'
import { command } from '#test/loop'
import { missing } from '#test/needs'
import { temporaryFolder } from '#test/temporary-folder'

const mib = 1024 ** 2
const kind = volumeKinds.ext[2]
const needs = ['root', 'loop', 'program:mke2fs', 'program:nbdfuse'] as const

describe.skipIf(missing(...needs))('an image of a disk with bad sectors', { timeout: 60_000 }, () => {
  it('holds everything, when they are in blocks that are free or known to be bad', async () => {
    await using folder = await temporaryFolder()
    const sizeBytes = 64 * mib
    await using disk = await attachFaultyDisk({ sizeBytes })
    const blockBytes = 4096
    const known = [9001, 9002]
    const list = await folder.write('bad blocks', Buffer.from(known.join('\n')))
    await command('mke2fs', ['-q', '-t', 'ext4', '-b', String(blockBytes), '-l', list, disk.path])
    const mounted = join(folder.path, 'mounted')
    await command('mkdir', [mounted])
    await command('mount', [disk.path, mounted])
    fillFolder(mounted)
    const before = hashFolder(mounted)
    await command('umount', [mounted])

    // Where RAID of two kinds and others would have their marks.
    const free = [sizeBytes - 512, sizeBytes - 8192, sizeBytes - 65_536]
    await disk.setFaults({ failReadsAt: [...known.map((block) => block * blockBytes), ...free] })
    const target = join(folder.path, 'new.img')
    const from = { kind: 'device', path: disk.path } as const
    const creation = await createForReal({ target, format: 'raw', from })
    expect(creation.way).toMatchObject({ parts: [{ filesystem: 'ext4', whole: null }] })
    const details = { path: disk.path, left: 'unread', badBytes: 2 * blockBytes }
    expect(creation.warnings).toMatchObject([{ code: 'E_IO_READ', details }])
    expect(await isSound(kind, target)).toBe(true)
    expect(await hashVolume(kind, target)).toEqual(before)

    // The superblock.
    await disk.setFaults({ failReadsAt: [1024] })
    await expect(createForReal({ target, format: 'raw', erase: true, from })).rejects.toMatchObject({
      code: 'E_IO_READ',
    })
  })
})
