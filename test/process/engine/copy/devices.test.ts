/** Real devices, partitions and file systems on either side, mounted and not. */
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { constants, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { mkdir, open, readFile, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createSystemIo } from '#engine/copy'
import { createPlatform } from '#engine/platform'
import { silentLogger } from '#shared/log'
import { holdElsewhere, openElsewhere } from '#test/hold-elsewhere'
import { attachLoop, command, partitionLoop } from '#test/loop'
import { missing } from '#test/needs'
import { restoreForReal, sha256, summaryOf } from '#test/restore-for-real'

const MiB = 1024 * 1024
let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'reprise-copy-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Random bytes that look like a disk: they end with a boot record's signature in the first sector. */
function diskNoise(lengthBytes: number): Buffer {
  const bytes = randomBytes(lengthBytes)
  bytes.writeUInt16LE(0xaa55, 510)
  return bytes
}

/** A file with an ext4 file system that holds `content` as `hello`. */
async function makeExt4(name: string, sizeBytes: number, content: string): Promise<string> {
  const root = join(folder, `${name}-root`)
  await mkdir(root, { recursive: true })
  await writeFile(join(root, 'hello'), content)
  await writeFile(join(root, 'noise'), randomBytes(2 * MiB))
  const file = join(folder, name)
  await command('truncate', ['-s', String(sizeBytes), file])
  await command('mkfs.ext4', ['-q', '-F', '-L', name.slice(0, 16), '-d', root, file])
  return file
}

async function mount(device: string, name: string): Promise<string> {
  const place = join(folder, name)
  await mkdir(place, { recursive: true })
  await command('mount', [device, place])
  return place
}

const mounted = (path: string) =>
  readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .some((line) => line.includes(` ${path} `))

describe.skipIf(missing('linux', 'root', 'loop', 'program:mkfs.ext4', 'program:sfdisk'))('devices', () => {
  it('an ext4 volume goes from one device to another, byte for byte, and can be checked', async () => {
    const file = await makeExt4('volume-a', 16 * MiB, 'hello from a')
    await using from = await attachLoop({ file })
    await using to = await attachLoop({ sizeBytes: 24 * MiB })
    const done = await restoreForReal({ source: from.path, target: to.path })
    expect(summaryOf(done)).toMatchObject({ restoredBytes: 16 * MiB, verified: true, warnings: [] })
    expect(await sha256(to.path, 16 * MiB)).toBe(await sha256(file, 16 * MiB))
    await command('e2fsck', ['-fn', to.path])
  })

  it('a mounted source is unmounted for the copy and mounted again at its place', async () => {
    const file = await makeExt4('volume-b', 16 * MiB, 'hello from b')
    await using from = await attachLoop({ file })
    await using to = await attachLoop({ sizeBytes: 16 * MiB })
    const place = await mount(from.path, 'source-b')
    let mountedMeanwhile: boolean | null = null
    const done = await restoreForReal(
      { source: place, target: to.path },
      {
        during: (state) => {
          if (state.progress?.phase === 'restoring') mountedMeanwhile = mounted(place)
        },
      },
    )
    summaryOf(done)
    expect(mountedMeanwhile).toBe(false)
    expect(await readFile(join(place, 'hello'), 'utf8')).toBe('hello from b')
    await command('umount', [place])
  })

  it('a source can be mounted by nobody as long as it is read, and others may read it for themselves', async () => {
    await using loop = await attachLoop({ file: await makeExt4('volume-held', 8 * MiB, 'hello') })
    const platform = createPlatform({ log: silentLogger })
    const io = createSystemIo(platform)
    {
      await using _first = await io.holdDevice(loop.path, { alone: true })
      await using _second = await io.holdDevice(loop.path, { alone: true })
      await expect(mount(loop.path, 'held')).rejects.toThrow()
    }
    {
      await using other = await holdElsewhere(loop.path)
      await using held = await io.holdDevice(loop.path, { alone: true })
      expect(held.sizeBytes).toBe(8 * MiB)
      expect(await platform.openElsewhere(loop.path, { how: 'in any way' })).toEqual({
        programs: [expect.stringContaining(`(${other.pid})`)],
        isComplete: true,
      })
    }
    const place = await mount(loop.path, 'held')
    expect(await platform.openElsewhere(loop.path, { how: 'in any way' })).toEqual({
      programs: [],
      isComplete: true,
    })
    await command('umount', [place])
  })

  it('a source is not read while another program writes to it, nor while that is not known', async () => {
    await using loop = await attachLoop({ sizeBytes: 8 * MiB })
    const platform = createPlatform({ log: silentLogger })
    const io = createSystemIo(platform)
    {
      await using other = await holdElsewhere(loop.path, constants.O_RDWR)
      await expect(io.holdDevice(loop.path, { alone: true })).rejects.toMatchObject({
        code: 'E_SRC_IN_USE',
        details: { path: loop.path, holders: [expect.stringContaining(`(${other.pid})`)] },
      })
    }
    await using _reader = await holdElsewhere(loop.path)
    const unsure = { ...platform, openElsewhere: async () => ({ programs: [], isComplete: false }) }
    await expect(createSystemIo(unsure).holdDevice(loop.path, { alone: true })).rejects.toMatchObject({
      code: 'E_SRC_IN_USE',
      details: { why: 'unknown' },
    })
  })

  it('a source, or the disk that it is on, is not read while a virtual machine writes to it as to a shared one', async () => {
    await using disk = await attachLoop({ sizeBytes: 16 * MiB })
    const [first = '', second = ''] = await partitionLoop(disk.path, 'size=4MiB\nsize=4MiB\n')
    const io = createSystemIo(createPlatform({ log: silentLogger }))
    const hold = async (path: string) => {
      await using held = await io.holdDevice(path, { alone: true })
      return held.sizeBytes
    }
    const named = (path: string, by: { readonly pid: number | undefined }) => ({
      code: 'E_SRC_IN_USE',
      details: { path, holders: [expect.stringContaining(`(${by.pid})`)] },
    })
    {
      await using machine = await openElsewhere(disk.path, constants.O_RDWR)
      // Also where something of it is mounted read-only, so that nobody can hold it.
      await expect(io.holdDevice(disk.path, { alone: false })).rejects.toMatchObject(
        named(disk.path, machine),
      )
      await expect(hold(disk.path)).rejects.toMatchObject(named(disk.path, machine))
      await expect(hold(first)).rejects.toMatchObject(named(first, machine))
    }
    await using machine = await openElsewhere(second, constants.O_RDWR)
    await expect(hold(disk.path)).rejects.toMatchObject(named(disk.path, machine))
    // It writes to its own.
    expect(await hold(first)).toBe(4 * MiB)
    // Who was refused doesn't keep it.
    await using _other = await holdElsewhere(disk.path)
  })

  it('a source that was mounted behind our back is not read', async () => {
    await using loop = await attachLoop({ file: await makeExt4('volume-behind', 8 * MiB, 'hello') })
    const io = createSystemIo(createPlatform({ log: silentLogger }))
    const place = await mount(loop.path, 'behind')
    await expect(io.holdDevice(loop.path, { alone: true })).rejects.toMatchObject({ code: 'E_SRC_IN_USE' })
    await command('umount', [place])
  })

  it('a disk and a partition of it are read at once', async () => {
    await using disk = await attachLoop({ sizeBytes: 16 * MiB })
    const [part] = await partitionLoop(disk.path, 'size=8MiB\n')
    const io = createSystemIo(createPlatform({ log: silentLogger }))
    await using _whole = await io.holdDevice(disk.path, { alone: true })
    await using held = await io.holdDevice(part!, { alone: true })
    expect(held.sizeBytes).toBe(8 * MiB)
  })

  it('a source that is mounted read-only stays mounted', async () => {
    const file = await makeExt4('volume-ro', 8 * MiB, 'hello')
    await using from = await attachLoop({ file })
    await using to = await attachLoop({ sizeBytes: 8 * MiB })
    const place = join(folder, 'source-ro')
    await mkdir(place)
    await command('mount', ['-o', 'ro', from.path, place])
    // Something that would keep it from being unmounted.
    await using _held = await open(join(place, 'hello'))
    const done = await restoreForReal({ source: place, target: to.path })
    expect(summaryOf(done)).toMatchObject({ verified: true, warnings: [] })
    expect(mounted(place)).toBe(true)
    expect(await sha256(to.path, 8 * MiB)).toBe(await sha256(file, 8 * MiB))
    await _held.close()
    await command('umount', [place])
  })

  it('a disk of which one volume is mounted for writing and one is not is mounted by nobody while it is read', async () => {
    await using from = await attachLoop({ sizeBytes: 64 * MiB })
    await using to = await attachLoop({ sizeBytes: 64 * MiB })
    const [first = '', second = ''] = await partitionLoop(from.path, 'label: gpt\nsize=20M\nsize=20M\n')
    for (const part of [first, second]) await command('mkfs.ext4', ['-q', '-F', part])
    const written = await mount(second, 'mixed-written')
    const still = join(folder, 'mixed-still')
    await mkdir(still)
    await command('mount', ['-o', 'ro', first, still])
    let mounting: number | null = null
    const done = await restoreForReal(
      { source: from.path, target: to.path },
      {
        during(state) {
          if (state.progress?.phase !== 'restoring' || mounting !== null) return
          expect([written, still].filter(mounted)).toEqual([])
          mounting = spawnSync('mount', [first, still]).status
        },
      },
    )
    expect(mounting).toBe(32)
    expect(summaryOf(done)).toMatchObject({ verified: true, warnings: [] })
    expect([written, still].filter(mounted)).toEqual([written, still])
    for (const place of [written, still]) await command('umount', [place])
  })

  it('a partition whose volume is mounted gets a new one, which is mounted at the same place', async () => {
    const file = await makeExt4('volume-c', 8 * MiB, 'new contents')
    await using disk = await attachLoop({ sizeBytes: 64 * MiB })
    const [first = '', second = ''] = await partitionLoop(disk.path, 'label: gpt\nsize=20M\nsize=20M\n')
    await command('mkfs.ext4', ['-q', '-F', '-L', 'OLD', first])
    await command('mkfs.ext4', ['-q', '-F', '-L', 'NEIGHBOUR', second])
    const neighbour = await sha256(second, 20 * MiB)
    const place = await mount(first, 'target-c')
    const done = await restoreForReal({ source: file, target: place })
    expect(done.plan.losses.map((loss) => loss.name)).toEqual(['OLD'])
    expect(summaryOf(done)).toMatchObject({ mountPoints: [place], verified: true })
    expect(await readFile(join(place, 'hello'), 'utf8')).toBe('new contents')
    await command('umount', [place])
    expect(await sha256(second, 20 * MiB)).toBe(neighbour)
    expect(await command('sfdisk', ['-l', '-o', 'Device', disk.path])).toContain(second)
  })

  it('a partition gets the only volume of an image with a partition map, which is mounted in its place', async () => {
    const image = join(folder, 'one-volume.img')
    await command('truncate', ['-s', '40M', image])
    let volume = ''
    {
      await using made = await attachLoop({ file: image })
      const [efi = '', only = ''] = await partitionLoop(made.path, 'label: gpt\nsize=4M, type=U\nsize=16M\n')
      await command('mkfs.vfat', [efi])
      await command('mkfs.ext4', ['-q', '-F', '-L', 'NEWVOL', only])
      volume = await sha256(only, 16 * MiB)
    }
    await using disk = await attachLoop({ sizeBytes: 64 * MiB })
    const [first = '', second = ''] = await partitionLoop(disk.path, 'label: gpt\nsize=20M\nsize=20M\n')
    await command('mkfs.ext4', ['-q', '-F', '-L', 'OLD', first])
    await command('mkfs.ext4', ['-q', '-F', '-L', 'NEIGHBOUR', second])
    const neighbour = await sha256(second, 20 * MiB)
    const place = await mount(first, 'target-one-volume')
    const done = await restoreForReal({ source: image, target: place })
    expect(summaryOf(done)).toMatchObject({ restoredBytes: 16 * MiB, mountPoints: [place], verified: true })
    await command('umount', [place])
    expect(await command('blkid', ['-p', '-o', 'value', '-s', 'LABEL', first])).toBe('NEWVOL\n')
    await command('e2fsck', ['-fn', first])
    expect(await sha256(second, 20 * MiB)).toBe(neighbour)

    // Mounted, it has changed. It isn't any more: what is written now stays as it is.
    summaryOf(await restoreForReal({ source: image, target: first, changedOnly: true }))
    expect(await sha256(first, 16 * MiB)).toBe(volume)
    const chosen = await restoreForReal({ source: image, target: first, sourcePartition: 1 })
    expect(summaryOf(chosen)).toMatchObject({ restoredBytes: 4 * MiB, verified: true })
  })

  it('a disk with mounted partitions is taken out of use and replaced, map and all', async () => {
    const image = join(folder, 'partitioned.img')
    await command('truncate', ['-s', '32M', image])
    {
      await using made = await attachLoop({ file: image })
      const [only = ''] = await partitionLoop(made.path, 'label: gpt\nsize=24M, name=NEWPART\n')
      await command('mkfs.ext4', ['-q', '-F', '-L', 'NEWVOL', only])
    }
    await using disk = await attachLoop({ sizeBytes: 48 * MiB })
    const [first = '', second = ''] = await partitionLoop(disk.path, 'label: gpt\nsize=16M\nsize=16M\n')
    await command('mkfs.ext4', ['-q', '-F', '-L', 'ONE', first])
    await command('mkfs.ext4', ['-q', '-F', '-L', 'TWO', second])
    const place = await mount(first, 'target-d')
    const done = await restoreForReal({ source: image, target: disk.path })
    expect(done.plan.losses.map((loss) => loss.name)).toEqual(['ONE', 'TWO', 'gpt'])
    // The new first partition has a file system: it is mounted where the old one was (and changes by that).
    expect(summaryOf(done)).toMatchObject({ verified: true, mountPoints: [place], warnings: [] })
    await command('umount', [place])
    await command('e2fsck', ['-fn', first])
    expect(await command('blkid', ['-p', '-o', 'value', '-s', 'LABEL', first])).toBe('NEWVOL\n')
    expect(await sha256(disk.path, MiB)).toBe(await sha256(image, MiB))
    const map = await command('sfdisk', ['-d', disk.path])
    expect(map).toContain('NEWPART')
    expect(map.match(/start=/g)).toHaveLength(1)
    // The old backup map at the disk's end is gone: nothing could be "repaired" back.
    const end = Buffer.alloc(MiB)
    await using handle = await open(disk.path)
    await handle.read(end, 0, MiB, 47 * MiB)
    expect(end.every((byte) => byte === 0)).toBe(true)
  })

  it('a target in use is busy, names who uses it, and stays mounted and untouched', async () => {
    const file = await makeExt4('volume-e', 8 * MiB, 'never written')
    await using disk = await attachLoop({ sizeBytes: 16 * MiB })
    await command('mkfs.ext4', ['-q', '-F', disk.path])
    const place = await mount(disk.path, 'target-e')
    {
      await using _held = await open(join(place, 'open file'), 'w')
      const { outcome } = await restoreForReal({ source: file, target: disk.path })
      expect(outcome).toMatchObject({ kind: 'failed', target: 'untouched', error: { code: 'E_DST_BUSY' } })
      const holders = outcome.kind === 'failed' ? outcome.error.details['holders'] : null
      expect(JSON.stringify(holders)).toContain(`(${process.pid})`)
      expect(mounted(place)).toBe(true)
    }
    await command('umount', [place])
    await command('e2fsck', ['-fn', disk.path])
  })

  it('an image on the disk that it would go to is refused, on a loop device within, too', async () => {
    await using disk = await attachLoop({ sizeBytes: 64 * MiB })
    await command('mkfs.ext4', ['-q', '-F', disk.path])
    const place = await mount(disk.path, 'holder')
    const inner = join(place, 'inner.img')
    await command('truncate', ['-s', '16M', inner])
    await command('mkfs.ext4', ['-q', '-F', inner])
    const direct = await restoreForReal({ source: inner, target: disk.path })
    expect(direct.plan.refusal?.code).toBe('E_DST_HOLDS_SRC')
    {
      await using within = await attachLoop({ file: inner })
      const place2 = await mount(within.path, 'inner-holder')
      await writeFile(join(place2, 'innermost.img'), randomBytes(MiB))
      const nested = await restoreForReal({ source: join(place2, 'innermost.img'), target: disk.path })
      expect(nested.plan.refusal?.code).toBe('E_DST_HOLDS_SRC')
      const reverse = await restoreForReal({ source: disk.path, target: within.path })
      expect(reverse.plan.refusal?.code).toMatch(/^E_(SAME|SRC_IN_USE)$/)
      const same = await restoreForReal({ source: inner, target: within.path })
      expect(same.plan.refusal?.code).toBe('E_SAME')
      await command('umount', [place2])
    }
    await command('umount', [place])
  })

  it('a loop device that is ejected afterwards is detached', async () => {
    const file = await makeExt4('volume-f', 8 * MiB, 'gone')
    await using disk = await attachLoop({ sizeBytes: 16 * MiB })
    const done = await restoreForReal({ source: file, target: disk.path, afterwards: 'eject' })
    expect(summaryOf(done)).toMatchObject({ ejected: true, verified: true })
    expect(await command('losetup', ['-j', disk.file])).toBe('')
    expect(await sha256(disk.file, 8 * MiB)).toBe(await sha256(file, 8 * MiB))
  })

  it('buffers of any shape make the same disk', async () => {
    const file = join(folder, 'noise.img')
    await writeFile(file, diskNoise(5 * MiB + 1536))
    for (const [buffers, bufferBytes, csumBuffers, csumBufferBytes] of [
      [1, 4096, 1, 4096],
      [3, 100_000, 2, 3 * MiB],
      [2, 8 * MiB, null, null],
    ] as const) {
      await using disk = await attachLoop({ sizeBytes: 8 * MiB })
      const done = await restoreForReal({
        source: file,
        target: disk.path,
        buffering: { buffers, bufferBytes, csumBuffers, csumBufferBytes },
      })
      expect(summaryOf(done)).toMatchObject({ restoredBytes: 5 * MiB + 1536, verified: true })
      expect(await sha256(disk.path, 5 * MiB + 1536)).toBe(await sha256(file, 5 * MiB + 1536))
    }
  })

  it('compressed raw images expand onto a device, whatever their names say', async () => {
    const plain = Buffer.concat([diskNoise(3 * MiB), Buffer.alloc(4 * MiB), randomBytes(MiB + 512)])
    const raw = join(folder, 'plain.img')
    writeFileSync(raw, plain)
    const made: Readonly<Record<string, Buffer>> = {
      'a.bin': gzipSync(plain),
      'b.bin': zstdCompressSync(plain),
      'c.bin': Buffer.from(await commandBytes('xz', ['-c', raw])),
      'd.bin': Buffer.from(await commandBytes('bzip2', ['-c', raw])),
    }
    for (const [name, bytes] of Object.entries(made)) {
      await writeFile(join(folder, name), bytes)
      await using disk = await attachLoop({ sizeBytes: 9 * MiB })
      const done = await restoreForReal({ source: join(folder, name), target: disk.path })
      expect(summaryOf(done)).toMatchObject({ restoredBytes: plain.length, verified: true })
      expect(await sha256(disk.path, plain.length)).toBe(await sha256(raw, plain.length))
    }
  })

  it('a compressed image that turns out larger than the device leaves it empty', async () => {
    await writeFile(join(folder, 'large.gz'), gzipSync(diskNoise(6 * MiB)))
    await using disk = await attachLoop({ sizeBytes: 4 * MiB })
    const { outcome } = await restoreForReal({ source: join(folder, 'large.gz'), target: disk.path })
    expect(outcome).toMatchObject({ kind: 'failed', target: 'empty', error: { code: 'E_DST_SMALL' } })
    const map = await command('sfdisk', ['-d', disk.path])
    expect(map).toContain('label: gpt')
    expect(map).not.toContain('start=')
  })
})

describe('files', () => {
  it('a new one gets the image with holes, and one that exists is replaced', async () => {
    const plain = Buffer.concat([diskNoise(MiB), Buffer.alloc(20 * MiB), randomBytes(1024)])
    const source = join(folder, 'sparse-source.img')
    await writeFile(source, plain)
    const target = join(folder, 'out.img')
    const made = await restoreForReal({ source, target, erase: false })
    expect(summaryOf(made)).toMatchObject({ restoredBytes: plain.length, verified: true })
    expect(Buffer.compare(await readFile(target), plain)).toBe(0)
    expect((await stat(target)).blocks * 512).toBeLessThan(3 * MiB)

    await writeFile(target, randomBytes(30 * MiB))
    const refused = await restoreForReal({ source, target, erase: false })
    expect(refused.plan.refusal?.code).toBe('E_DST_EXISTS')
    expect((await stat(target)).size).toBe(30 * MiB)
    const again = await restoreForReal({ source, target })
    expect(summaryOf(again).verified).toBe(true)
    expect(Buffer.compare(await readFile(target), plain)).toBe(0)
    rmSync(target)
  })

  it('the source is not its own target, by any of its names', async () => {
    const source = join(folder, 'own.img')
    await writeFile(source, randomBytes(MiB))
    await command('ln', [source, join(folder, 'own-hardlink.img')])
    await command('ln', ['-s', source, join(folder, 'own-symlink.img')])
    for (const name of ['own.img', 'own-hardlink.img', 'own-symlink.img']) {
      const { plan } = await restoreForReal({ source, target: join(folder, name) })
      expect(plan.refusal?.code).toBe('E_SAME')
    }
    expect((await stat(source)).size).toBe(MiB)
  })

  it('a cancelled one is gone again', async () => {
    const source = join(folder, 'long.img')
    await writeFile(source, randomBytes(40 * MiB))
    const target = join(folder, 'cancelled.img')
    const { outcome } = await restoreForReal(
      { source, target },
      {
        during: (state, job) => {
          if (state.progress?.phase === 'restoring' && state.outcome === null) void job.cancel()
        },
      },
    )
    expect(outcome).toMatchObject({ kind: 'cancelled' })
    await expect(stat(target)).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

async function commandBytes(program: string, args: readonly string[]): Promise<Buffer> {
  const out = join(folder, 'command-output')
  await command('sh', ['-c', `${program} ${args.map((arg) => `'${arg}'`).join(' ')} > '${out}'`])
  return readFile(out)
}
