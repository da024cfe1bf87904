import { readdirSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openImage } from '#engine/formats/image'
import { verifyImage } from '#engine/scan'
import type { CreatableFilesystem, CreateSource } from '#shared/model'
import { convertForReal } from '#test/convert-for-real'
import { createForReal } from '#test/create-for-real'
import { command } from '#test/loop'
import { missing } from '#test/needs'
import { quietContext } from '#test/quiet-context'
import { temporaryFolder } from '#test/temporary-folder'

const mib = 1024 ** 2
const blank = (change: Partial<Extract<CreateSource, { kind: 'blank' }>>) =>
  ({ kind: 'blank', sizeBytes: 64 * mib, partitionMap: 'none', filesystem: null, ...change }) as const

const checks: { readonly [filesystem in CreatableFilesystem]?: readonly string[] } = {
  ext4: ['e2fsck', '-f', '-n'],
  ext3: ['e2fsck', '-f', '-n'],
  ext2: ['e2fsck', '-f', '-n'],
  xfs: ['xfs_repair', '-n', '-f'],
  btrfs: ['btrfs', 'check', '--readonly'],
  vfat: ['fsck.vfat', '-n'],
  exfat: ['fsck.exfat', '-n'],
  ntfs: ['ntfsfix', '--no-action'],
}
const filesystems = Object.keys(checks) as CreatableFilesystem[]
const programs = ['mke2fs', 'mkfs.xfs', 'mkfs.btrfs', 'mkfs.vfat', 'mkfs.exfat', 'mkntfs', 'sfdisk', 'sgdisk']
const needs = programs.map((name) => `program:${name}` as const)

describe('a blank image', () => {
  it('is a sparse file of zeros, to the last sector', async () => {
    await using folder = await temporaryFolder()
    const target = join(folder.path, 'blank.img')
    const creation = await createForReal({
      target,
      format: 'raw',
      from: blank({ sizeBytes: 40 * 1024 ** 3 + 100 }),
    })
    expect(creation).toMatchObject({ sizeBytes: 40 * 1024 ** 3 + 512, usedBytes: 0, warnings: [] })
    const { size, blocks } = statSync(target)
    expect([size, blocks * 512 < mib]).toEqual([40 * 1024 ** 3 + 512, true])
    expect(readdirSync(folder.path)).toEqual(['blank.img'])
  })

  it.each(['UDZO', 'UDSP', 'UDRW'] as const)('can be %s', async (format) => {
    await using folder = await temporaryFolder()
    const target = join(folder.path, 'blank.dmg')
    await createForReal({ target, format, from: blank({ partitionMap: 'gpt' }) })
    const { info } = await openImage(target)
    expect(info).toMatchObject({ format, sizeBytes: 64 * mib, partitionMap: 'gpt' })
    expect(info.partitions).toMatchObject([{ index: 1, offset: mib, sizeBytes: 62 * mib, filesystem: null }])
    await verifyImage(target, quietContext())
  })

  it.each([
    ['a disk too small for a map', blank({ sizeBytes: mib, partitionMap: 'gpt' }), 'E_USAGE'],
    ['an MBR on more than it can count', blank({ sizeBytes: 3 * 1024 ** 4, partitionMap: 'mbr' }), 'E_USAGE'],
    ['XFS where it has no room', blank({ filesystem: 'xfs' }), 'E_USAGE'],
    ['a size that no file has', blank({ sizeBytes: 2 ** 53 }), 'E_USAGE'],
  ])('is refused: %s', async (_, from, code) => {
    await using folder = await temporaryFolder()
    await expect(
      createForReal({ target: join(folder.path, 'a.img'), format: 'raw', from }),
    ).rejects.toMatchObject({ code })
    expect(readdirSync(folder.path)).toEqual([])
  })

  it.each([
    ['gpt', 2 * mib + 33 * 512, 'A disk with a GPT needs at least 2,114,048 bytes.'],
    ['mbr', 2 * mib, 'A disk with an MBR needs at least 2,097,152 bytes.'],
  ] as const)('with a map (%s) can be as small as it is told', async (partitionMap, leastBytes, problem) => {
    await using folder = await temporaryFolder()
    const create = (sizeBytes: number) =>
      createForReal({
        target: join(folder.path, 'a.img'),
        format: 'raw',
        from: blank({ sizeBytes, partitionMap }),
      })
    await expect(create(leastBytes - 512)).rejects.toMatchObject({ code: 'E_USAGE', details: { problem } })
    await create(leastBytes)
    const { info } = await openImage(join(folder.path, 'a.img'))
    expect(info.partitions).toMatchObject([{ offset: mib, sizeBytes: mib }])
  })

  it('is refused a name that its file system has no room for, or that looks like an option', async () => {
    await using folder = await temporaryFolder()
    const from = blank({ filesystem: 'ext4' })
    for (const volumeName of ['more than sixteen', '-Eroot_owner', 'a\nb'])
      await expect(
        createForReal({ target: join(folder.path, 'a.img'), format: 'raw', volumeName, from }),
      ).rejects.toMatchObject({ code: 'E_USAGE' })
    expect(readdirSync(folder.path)).toEqual([])
  })
})

describe.skipIf(missing('linux', ...needs))('a blank image with a file system', { timeout: 60_000 }, () => {
  const cases = [
    ...filesystems.map((filesystem) => [filesystem, 'gpt'] as const),
    ['ext4', 'none'] as const,
    ['vfat', 'mbr'] as const,
  ]
  it.each(cases)('%s is sound, with a map: %s', async (filesystem, partitionMap) => {
    await using folder = await temporaryFolder()
    const [program = '', ...args] = checks[filesystem] ?? []
    const target = join(folder.path, 'new.img')
    const diskBytes = (filesystem === 'xfs' ? 304 : 120) * mib
    const from = blank({ sizeBytes: diskBytes, filesystem, partitionMap })
    const creation = await createForReal({ target, format: 'raw', volumeName: 'LESSONS', from })
    expect(creation.usedBytes).toBeLessThan(80 * mib)
    const { info } = await openImage(target)
    expect(info.partitionMap).toBe(partitionMap)
    expect(info.partitions).toMatchObject([{ filesystem, label: 'LESSONS' }])
    const { offset, sizeBytes } = info.partitions[0] ?? { offset: -1, sizeBytes: -1 }
    expect([offset, offset + sizeBytes <= diskBytes]).toEqual([partitionMap === 'none' ? 0 : mib, true])
    const said = partitionMap === 'none' ? 'No errors' : await command('sfdisk', ['--verify', target])
    expect(said).toContain('No errors')
    const gpt = partitionMap === 'gpt' ? await command('sgdisk', ['--verify', target]) : 'No problems found'
    expect(gpt).toContain('No problems found')
    const volume = join(folder.path, 'volume')
    const place = [`skip=${offset / mib}`, `count=${sizeBytes / mib}`]
    await command('dd', [`if=${target}`, `of=${volume}`, 'bs=1M', ...place, 'conv=sparse', 'status=none'])
    await command(program, [...args, volume])
    // Windows boots, and some cameras write, only where this is right.
    const hidden = filesystem === 'vfat' ? (await readFile(volume)).readUInt32LE(28) : 2048
    expect(hidden).toBe(2048)
    expect(readdirSync(folder.path)).toEqual(['new.img', 'volume'])
  })

  it('is as sound compressed', async () => {
    await using folder = await temporaryFolder()
    const target = join(folder.path, 'new.dmg')
    const raw = join(folder.path, 'raw.img')
    await createForReal({ target, format: 'UDZO', level: 1, from: blank({ filesystem: 'ext4' }) })
    await verifyImage(target, quietContext())
    await convertForReal({ source: target, target: raw, format: 'raw' })
    expect(await command('e2fsck', ['-f', '-n', raw])).toContain('11/')
  })

  it.for(filesystems)('says that the disk is full when %s has no room on it', async (filesystem) => {
    await using folder = await temporaryFolder()
    await command('mount', ['-t', 'tmpfs', '-o', 'size=800k', 'tmpfs', folder.path])
    try {
      const target = join(folder.path, 'new.img')
      const from = blank({ sizeBytes: 2 * 1024 ** 3, filesystem })
      await expect(createForReal({ target, format: 'raw', from })).rejects.toMatchObject({
        code: 'E_DST_FULL',
        details: { path: target },
      })
      expect(readdirSync(folder.path)).toEqual([])
    } finally {
      await command('umount', [folder.path])
    }
  })

  it('says which program is missing', async () => {
    await using folder = await temporaryFolder()
    await expect(
      createForReal({
        target: join(folder.path, 'a.img'),
        format: 'raw',
        from: blank({ filesystem: 'hfsplus' }),
      }),
    ).rejects.toMatchObject({ code: 'E_DEVICE_TOOL', details: { tool: 'mkfs.hfsplus', package: 'hfsprogs' } })
    expect(readdirSync(folder.path)).toEqual([])
  })
})
