/**
 * A real file system in a file, made by the system's own mkfs, with files written through the kernel (or FUSE) and some
 * deleted again; and looking at one later: is it sound, and are the files what they were.
 */
import { createHash } from 'node:crypto'
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { noise } from '#test/image-of-runs'
import { attachLoop, command } from '#test/loop'
import { temporaryFolder } from '#test/temporary-folder'

export interface VolumeKind {
  readonly name: string
  readonly sizeBytes: number
  /** Program and arguments; the file's path is added. */
  readonly mkfs: readonly string[]
  /** How files come in and out: type for mount; a program for what FUSE mounts; mtools; not at all. */
  readonly access: string | { readonly program: string } | null
  /** Program and arguments that say by their status whether it is sound; the file's path is added. */
  readonly check: readonly string[] | null
}

const mib = 1024 ** 2

/** Makes the file and fills it. Resolves to what its files hold, as hashes by their names. */
export async function makeVolume(kind: VolumeKind, file: string): Promise<ReadonlyMap<string, string>> {
  writeFileSync(file, '')
  truncateSync(file, kind.sizeBytes)
  const [program = '', ...args] = kind.mkfs
  await command(program, [...args, file])
  if (kind.access === 'mtools') return await fillByMtools(file)
  if (kind.access === null) return new Map()
  return await withMounted(kind, file, 'rw', (folder) => {
    fillFolder(folder)
    return hashFolder(folder)
  })
}

/** What its files hold now. */
export async function hashVolume(kind: VolumeKind, file: string): Promise<ReadonlyMap<string, string>> {
  if (kind.access === null) return new Map()
  if (kind.access !== 'mtools') return await withMounted(kind, file, 'ro', hashFolder)
  await using folder = await temporaryFolder()
  await command('mcopy', ['-s', '-n', '-i', file, '::', folder.path])
  return hashFolder(folder.path)
}

async function fillByMtools(file: string): Promise<ReadonlyMap<string, string>> {
  await using folder = await temporaryFolder()
  fillFolder(folder.path)
  rmSync(join(folder.path, 'link'))
  await folder.write('to be deleted', noise(300_000, 77))
  const names = readdirSync(folder.path).map((name) => join(folder.path, name))
  await command('mcopy', ['-s', '-i', file, ...names, '::'])
  await command('mdel', ['-i', file, '::to be deleted'])
  rmSync(join(folder.path, 'to be deleted'))
  return hashFolder(folder.path)
}

/** Some files of several sizes, in folders; every third of them is deleted again, so that there are gaps. */
export function fillFolder(folder: string): void {
  for (let index = 0; index < 24; index++) {
    const within = join(folder, `folder ${index % 4}`)
    mkdirSync(within, { recursive: true })
    writeFileSync(join(within, `file ${index}`), noise((index % 6) * 150_000 + 700, index))
  }
  mkdirSync(join(folder, 'small'))
  for (let index = 0; index < 300; index++) writeFileSync(join(folder, 'small', String(index)), `${index}\n`)
  for (let index = 0; index < 24; index += 3) rmSync(join(folder, `folder ${index % 4}`, `file ${index}`))
  try {
    symlinkSync('folder 1/file 1', join(folder, 'link'))
  } catch {
    // Not every file system has links.
  }
}

export function hashFolder(folder: string): Map<string, string> {
  const found = new Map<string, string>()
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    if (statSync(path).isFile())
      found.set(path.slice(folder.length + 1), createHash('sha256').update(readFileSync(path)).digest('hex'))
  }
  return found
}

/** `work` with the file mounted; unmounted and detached whatever happens. */
export async function withMounted<T>(
  { access }: Pick<VolumeKind, 'access'>,
  file: string,
  mode: 'ro' | 'rw',
  work: (folder: string, device: string) => T | Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'reprise-mount-'))
  try {
    await using loop = await attachLoop({ file, readOnly: mode === 'ro' })
    if (typeof access === 'string') await command('mount', ['-t', access, '-o', mode, loop.path, folder])
    else if (access !== null) await command(access.program, ['-o', mode, loop.path, folder])
    try {
      return await work(folder, loop.path)
    } finally {
      await unmount(folder)
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Who looks at everything that is mounted may have it open for a moment. */
async function unmount(folder: string): Promise<void> {
  for (let tries = 1; ; tries++)
    try {
      await command('umount', [folder])
      return
    } catch (error) {
      if (tries === 20) throw error
      await sleep(100)
    }
}

/** Whether its own checker finds nothing wrong with it. */
export async function isSound({ check }: VolumeKind, file: string): Promise<boolean> {
  if (check === null) return true
  const [program = '', ...args] = check
  return await command(program, [...args, file]).then(
    () => true,
    () => false,
  )
}

const ext = (name: string, ...flags: readonly string[]): VolumeKind => ({
  name,
  sizeBytes: 200 * mib,
  mkfs: ['mke2fs', '-q', '-F', ...flags],
  access: flags.includes('ext2') ? 'ext2' : 'ext4',
  check: ['e2fsck', '-f', '-n'],
})
const fat = (name: string, sizeBytes: number, ...flags: readonly string[]): VolumeKind => ({
  name,
  sizeBytes,
  mkfs: ['mkfs.vfat', ...flags],
  access: 'mtools',
  check: ['fsck.vfat', '-n'],
})

export const volumeKinds = {
  ext: [
    ext('ext2, blocks of 1 KiB', '-t', 'ext2', '-b', '1024'),
    ext('ext3', '-t', 'ext3'),
    ext('ext4', '-t', 'ext4'),
    ext('ext4 with lazy groups', '-t', 'ext4', '-b', '1024', '-E', 'lazy_itable_init=1'),
    ext(
      'ext4 without flex_bg, CRC-16',
      '-t',
      'ext4',
      '-b',
      '1024',
      '-O',
      '^flex_bg,^metadata_csum,uninit_bg,^64bit',
    ),
    ext('ext4 with meta_bg', '-t', 'ext4', '-b', '1024', '-O', 'meta_bg,^resize_inode'),
    ext('ext4 with bigalloc', '-t', 'ext4', '-O', 'bigalloc', '-C', '16384'),
    ext('ext4 with sparse_super2', '-t', 'ext4', '-O', 'sparse_super2', '-b', '1024'),
  ],
  xfs: [
    {
      name: 'xfs',
      sizeBytes: 320 * mib,
      mkfs: ['mkfs.xfs', '-q', '-f'],
      access: 'xfs',
      check: ['xfs_repair', '-n', '-f'],
    },
    {
      name: 'xfs, version 4, blocks of 1 KiB',
      sizeBytes: 320 * mib,
      mkfs: [
        'mkfs.xfs',
        '-q',
        '-f',
        '-m',
        'crc=0,finobt=0,reflink=0,rmapbt=0,bigtime=0,inobtcount=0',
        '-b',
        'size=1024',
        '-i',
        'sparse=0',
      ],
      // Kernels are built without it today.
      access: null,
      check: ['xfs_repair', '-n', '-f'],
    },
  ],
  btrfs: [
    {
      name: 'btrfs',
      sizeBytes: 256 * mib,
      mkfs: ['mkfs.btrfs', '-q', '-f'],
      access: 'btrfs',
      check: ['btrfs', 'check', '--readonly'],
    },
    {
      name: 'btrfs, mixed, single',
      sizeBytes: 128 * mib,
      mkfs: ['mkfs.btrfs', '-q', '-f', '--mixed', '-m', 'single', '-d', 'single'],
      access: 'btrfs',
      check: ['btrfs', 'check', '--readonly'],
    },
  ],
  ntfs: [
    {
      name: 'ntfs',
      sizeBytes: 100 * mib,
      mkfs: ['mkntfs', '-q', '-Q', '-F'],
      access: { program: 'ntfs-3g' },
      check: ['ntfsfix', '--no-action'],
    },
  ],
  exfat: [
    {
      name: 'exfat',
      sizeBytes: 100 * mib,
      mkfs: ['mkfs.exfat'],
      access: { program: 'mount.exfat-fuse' },
      check: ['fsck.exfat', '-n'],
    },
  ],
  fat: [
    fat('FAT12', 14 * mib, '-F', '12', '-s', '8'),
    fat('FAT16', 100 * mib, '-F', '16'),
    fat('FAT32', 300 * mib, '-F', '32'),
  ],
} as const satisfies { readonly [family: string]: readonly VolumeKind[] }
