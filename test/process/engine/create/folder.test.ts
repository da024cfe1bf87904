import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createFromFolder } from '#src/main/engine/create/create-from-folder.ts'
import { openImage } from '#engine/formats/image'
import { verifyImage } from '#engine/scan'
import { convertForReal } from '#test/convert-for-real'
import { createForReal } from '#test/create-for-real'
import { fillFolder, hashFolder, volumeKinds, withMounted } from '#test/filled-volume'
import { noise } from '#test/image-of-runs'
import { command } from '#test/loop'
import { missing } from '#test/needs'
import { quietContext } from '#test/quiet-context'
import { temporaryFolder } from '#test/temporary-folder'

const mib = 1024 ** 2
const ext4 = volumeKinds.ext[2]

describe.skipIf(missing('root', 'loop', 'program:mke2fs'))(
  'an image of a folder',
  { timeout: 60_000 },
  () => {
    it('holds all that is in it, as it was', async () => {
      await using folder = await temporaryFolder()
      const source = join(folder.path, 'Physics lessons')
      const at = (name: string) => join(source, name)
      mkdirSync(source)
      fillFolder(source)
      writeFileSync(at('owned'), noise(5_000_000, 3))
      chownSync(at('owned'), 1234, 2345)
      chmodSync(at('owned'), 0o4750)
      linkSync(at('owned'), at('the same'))
      symlinkSync('nowhere', at('dangling'))
      symlinkSync('x'.repeat(200), at('long link'))
      writeFileSync(at('sparse'), 'begins')
      truncateSync(at('sparse'), 3 * 1024 ** 3)
      writeFileSync(at('empty ünïcödé 名'), '')
      execFileSync('mknod', [at('null'), 'c', '1', '3'])
      execFileSync('mkfifo', [at('pipe')])
      const server = createServer().listen(at('socket'))
      await new Promise((resolve) => server.once('listening', resolve))
      chownSync(source, 77, 78)
      chmodSync(source, 0o2710)
      utimesSync(source, 1_600_000_000, 1_600_000_000)
      const target = join(folder.path, 'new.dmg')
      const context = quietContext()
      const creation = await createForReal(
        { target, format: 'UDZO', from: { kind: 'folder', path: source } },
        context,
      )
      server.close()
      expect(creation.way).toMatchObject({ kind: 'folder', filesystem: 'ext4', tool: 'mke2fs' })
      expect(creation.sizeBytes).toBeLessThan(60 * mib)
      expect(context.told.map((each) => String(each).split(' ')[0])).toContain('building')
      expect((await openImage(target)).info.partitions).toMatchObject([
        { filesystem: 'ext4', label: 'Physics lessons' },
      ])
      await verifyImage(target, quietContext())
      expect(readdirSync(folder.path).toSorted()).toEqual(['Physics lessons', 'new.dmg'])

      const raw = join(folder.path, 'raw.img')
      await convertForReal({ source: target, target: raw, format: 'raw' })
      await command('e2fsck', ['-f', '-n', raw])
      const names = ['sparse', 'dangling', 'long link', 'null', 'pipe', 'socket']
      await withMounted(ext4, raw, 'ro', (mounted) => {
        const there = (name: string) => lstatSync(join(mounted, name))
        const own = there('owned')
        expect([own.uid, own.gid, own.mode & 0o7777, own.nlink]).toEqual([1234, 2345, 0o4750, 2])
        expect(there('the same').ino).toBe(own.ino)
        expect(readlinkSync(join(mounted, 'dangling'))).toBe('nowhere')
        expect(readlinkSync(join(mounted, 'long link'))).toBe('x'.repeat(200))
        expect([there('sparse').size, there('sparse').blocks < 1000]).toEqual([3 * 1024 ** 3, true])
        expect([there('null').isCharacterDevice(), there('null').rdev]).toEqual([
          true,
          lstatSync(at('null')).rdev,
        ])
        expect([there('pipe').isFIFO(), there('empty ünïcödé 名').size]).toEqual([true, 0])
        const root = statSync(mounted)
        expect([root.uid, root.gid, root.mode & 0o7777]).toEqual([77, 78, 0o2710])
        expect(root.mtimeMs).toBe(1_600_000_000_000)
        execFileSync('rm', ['-f', ...names.map((name) => join(source, name))])
        expect(withoutSpecial(mounted)).toEqual(hashWithout(source))
      })

      function withoutSpecial(mounted: string) {
        execFileSync('mkdir', ['-p', join(folder.path, 'copy')])
        execFileSync('cp', [
          '-a',
          ...readdirSync(mounted)
            .filter((name) => ![...names, 'lost+found'].includes(name))
            .map((name) => join(mounted, name)),
          join(folder.path, 'copy'),
        ])
        return hashFolder(join(folder.path, 'copy'))
      }
      function hashWithout(path: string) {
        return hashFolder(path)
      }
    })

    it('has room for many folders', async () => {
      await using folder = await temporaryFolder()
      const source = join(folder.path, 'many')
      mkdirSync(source)
      for (let index = 0; index < 1500; index++)
        mkdirSync(join(source, `a folder with a rather long name ${index}`))
      const creation = await createForReal({
        target: join(folder.path, 'new.img'),
        format: 'raw',
        from: { kind: 'folder', path: source },
      })
      expect(creation.way).toMatchObject({ entries: 1501, contentBytes: 0 })
    })

    it('has room for symbolic links with many names, each of which becomes a link of its own', async () => {
      await using folder = await temporaryFolder()
      const source = join(folder.path, 'snapshots')
      mkdirSync(source)
      symlinkSync('nowhere', join(source, 'first'))
      for (let index = 0; index < 500; index++) linkSync(join(source, 'first'), join(source, `link ${index}`))
      const creation = await createForReal({
        target: join(folder.path, 'new.img'),
        format: 'raw',
        from: { kind: 'folder', path: source },
      })
      expect(creation.way).toMatchObject({ entries: 502 })
    })

    it('is not made of one that it would lie in, nor of a file', async () => {
      await using folder = await temporaryFolder()
      const source = join(folder.path, 'source')
      mkdirSync(source)
      await expect(
        createForReal({
          target: join(source, 'new.img'),
          format: 'raw',
          from: { kind: 'folder', path: source },
        }),
      ).rejects.toMatchObject({ code: 'E_SAME' })
      const file = await folder.write('file', 'x')
      await expect(
        createForReal({
          target: join(folder.path, 'new.img'),
          format: 'raw',
          from: { kind: 'folder', path: file },
        }),
      ).rejects.toMatchObject({ code: 'E_USAGE' })
      await expect(
        createForReal({
          target: join(folder.path, 'new.img'),
          format: 'raw',
          from: { kind: 'folder', path: '/nowhere' },
        }),
      ).rejects.toMatchObject({ code: 'E_NOT_FOUND' })
      expect(readdirSync(folder.path).toSorted()).toEqual(['file', 'source'])
    })

    it('is not made of one that it would lie in behind a link', async () => {
      await using folder = await temporaryFolder()
      const [source, links] = [join(folder.path, 'source'), join(folder.path, 'links')]
      mkdirSync(source)
      mkdirSync(links)
      writeFileSync(join(source, 'old.img'), 'old')
      symlinkSync(join(source, 'old.img'), join(links, 'new.img'))
      const from = { kind: 'folder', path: source } as const
      const made = createForReal({ target: join(links, 'new.img'), format: 'raw', erase: true, from })
      await expect(made).rejects.toMatchObject({ code: 'E_SAME' })
      expect(readdirSync(source)).toEqual(['old.img'])
      expect(readdirSync(links)).toEqual(['new.img'])
      expect(readFileSync(join(source, 'old.img'), 'utf8')).toBe('old')
    })

    it('may be named by a link in its folder, which holds nothing else of it', async () => {
      await using folder = await temporaryFolder()
      const [source, images] = [join(folder.path, 'source'), join(folder.path, 'images')]
      mkdirSync(source)
      mkdirSync(images)
      writeFileSync(join(images, 'old.img'), 'old')
      symlinkSync(join(images, 'old.img'), join(source, 'new.img'))
      const from = { kind: 'folder', path: source } as const
      await createForReal({ target: join(source, 'new.img'), format: 'raw', erase: true, from })
      expect(readdirSync(source)).toEqual(['new.img'])
      expect(readdirSync(images)).toEqual(['old.img'])
      await withMounted(ext4, join(images, 'old.img'), 'ro', (mounted) =>
        expect(readdirSync(mounted).sort()).toEqual(['lost+found', 'new.img']),
      )
    })

    it('names the file that may not be read', async () => {
      await using folder = await temporaryFolder()
      const source = join(folder.path, 'source')
      mkdirSync(join(source, 'inner'), { recursive: true })
      writeFileSync(join(source, 'inner', 'secret'), 'x', { mode: 0o000 })
      chmodSync(folder.path, 0o777)
      const { geteuid, seteuid } = process
      seteuid?.(65_534)
      try {
        await expect(
          createForReal({
            target: join(folder.path, 'new.img'),
            format: 'raw',
            from: { kind: 'folder', path: source },
          }),
        ).rejects.toMatchObject({ code: 'E_DENIED', details: { path: join(source, 'inner', 'secret') } })
      } finally {
        seteuid?.(0)
      }
      expect(geteuid?.()).toBe(0)
      expect(readdirSync(folder.path)).toEqual(['source'])
    })

    it('holds files whose names are not text', async () => {
      await using folder = await temporaryFolder()
      const source = join(folder.path, 'source')
      mkdirSync(source)
      const inside = (...parts: readonly string[]) => Buffer.from(join(source, ...parts), 'latin1')
      mkdirSync(inside('Pr\xfcfung'))
      writeFileSync(inside('Pr\xfcfung', 'L\xf6sung'), noise(5000, 1))
      const target = join(folder.path, 'new.img')
      const creation = await createForReal({ target, format: 'raw', from: { kind: 'folder', path: source } })
      expect(creation.way).toMatchObject({ entries: 3 })
      await withMounted(ext4, target, 'ro', (mounted) => {
        const file = Buffer.from(join(mounted, 'Pr\xfcfung', 'L\xf6sung'), 'latin1')
        expect(readFileSync(file)).toEqual(readFileSync(inside('Pr\xfcfung', 'L\xf6sung')))
      })
    })

    it('says that the disk is full when what it is put together on has no room', async () => {
      await using folder = await temporaryFolder()
      const [source, small] = [join(folder.path, 'source'), join(folder.path, 'small')]
      mkdirSync(source)
      mkdirSync(small)
      writeFileSync(join(source, 'file'), noise(30 * mib, 1))
      await command('mount', ['-t', 'tmpfs', '-o', 'size=20M', 'tmpfs', small])
      try {
        const target = join(small, 'new.img')
        await expect(
          createForReal({ target, format: 'raw', from: { kind: 'folder', path: source } }),
        ).rejects.toMatchObject({ code: 'E_DST_FULL', details: { path: target } })
        expect(readdirSync(small)).toEqual([])
      } finally {
        await command('umount', [small])
      }
    })

    it('is made by hdiutil on a Mac, which gets an argument list', async () => {
      await using folder = await temporaryFolder()
      const source = join(folder.path, "it's; here")
      mkdirSync(source)
      writeFileSync(join(source, 'a'), noise(100_000, 1))
      const made = await folder.write('made.img', '')
      truncateSync(made, 8 * mib)
      await command('mke2fs', ['-q', '-F', made])
      const calls: (readonly string[])[] = []
      const target = join(folder.path, 'new.dmg')
      const created = await createFromFolder(
        {
          target,
          format: 'UDZO',
          level: 1,
          erase: false,
          encryption: null,
          volumeName: null,
          from: { kind: 'folder', path: source },
        },
        source,
        {
          platform: 'darwin',
          run: async (name, args) => {
            calls.push([name, ...args])
            await convertForReal({ source: made, target: args.at(-1) ?? '', format: 'UDRO' })
            return { name, status: 0, stdout: '', stderr: '' }
          },
        },
        quietContext(),
      )
      expect(calls).toEqual([
        [
          'hdiutil',
          'create',
          '-quiet',
          '-srcfolder',
          source,
          '-volname',
          "it's; here",
          '-fs',
          'HFS+',
          '-format',
          'UDRO',
          '-nospotlight',
          expect.stringMatching(/volume\.dmg$/),
        ],
      ])
      expect(created).toMatchObject({
        sizeBytes: 8 * mib,
        way: { tool: 'hdiutil', filesystem: 'hfsplus', entries: 2 },
      })
      expect((await openImage(target)).info).toMatchObject({ format: 'UDZO' })
    })
  },
)
