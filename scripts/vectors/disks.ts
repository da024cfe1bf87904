/** Disks and volumes made by the tools that Debian has, reduced to the blocks that recognising them reads. */
import { execFileSync } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  closeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sniffFilesystem } from '#engine/formats/filesystem'
import { readPartitionMap } from '#engine/formats/partition-map'
import type { ReadDisk } from '#engine/formats/struct'
import { recordingDisk, type DiskVector } from '#test/disk-vector'
import { program } from '#test/needs'

const MiB = 1024 * 1024

interface Recipe {
  readonly name: string
  /** The program that makes it, and the line it tells its version in. */
  readonly needs: readonly string[]
  readonly version: readonly string[]
  readonly sizeBytes: number
  make(path: string, folder: string): void
  readonly expected: unknown
  /** What the tool itself says the size of its file system is, where it isn't the whole volume. */
  sizeIn?(path: string): number
}

const run = (name: string, args: readonly string[], input = '') =>
  execFileSync(program(name) ?? name, [...args], { input, stdio: ['pipe', 'pipe', 'pipe'] }).toString()

const volume = (
  name: string,
  sizeMiB: number,
  command: readonly [string, ...string[]],
  expected: object,
  version: readonly string[] = [command[0], '-V'],
): Recipe => ({
  name,
  needs: [command[0]],
  version,
  sizeBytes: sizeMiB * MiB,
  make: (path) => void run(command[0], [...command.slice(1), path]),
  expected: { label: 'Vector', version: null, sizeBytes: sizeMiB * MiB, ...expected },
})

const vfat = ['mkfs.vfat', '--help'] as const

const volumes: readonly Recipe[] = [
  volume(
    'fat12',
    4,
    ['mkfs.vfat', '-F', '12', '-n', 'VECTOR'],
    { filesystem: 'vfat', version: 'FAT12', label: 'VECTOR' },
    vfat,
  ),
  volume(
    'fat16',
    32,
    ['mkfs.vfat', '-F', '16', '-n', 'VECTOR'],
    { filesystem: 'vfat', version: 'FAT16', label: 'VECTOR' },
    vfat,
  ),
  volume(
    'fat32',
    64,
    ['mkfs.vfat', '-F', '32', '-n', 'VECTOR'],
    { filesystem: 'vfat', version: 'FAT32', label: 'VECTOR' },
    vfat,
  ),
  volume(
    'fat16-unnamed',
    16,
    ['mkfs.vfat', '-F', '16'],
    { filesystem: 'vfat', version: 'FAT16', label: null },
    vfat,
  ),
  volume('exfat', 32, ['mkfs.exfat', '-L', 'Vector'], { filesystem: 'exfat' }),
  volume('ntfs', 32, ['mkntfs', '-F', '-q', '-s', '512', '-p', '0', '-H', '0', '-S', '0', '-L', 'Vector'], {
    filesystem: 'ntfs',
  }),
  volume('ext2', 16, ['mkfs.ext2', '-q', '-L', 'Vector'], { filesystem: 'ext2' }),
  volume('ext3', 16, ['mkfs.ext3', '-q', '-L', 'Vector'], { filesystem: 'ext3' }),
  volume('ext4', 16, ['mkfs.ext4', '-q', '-L', 'Vector'], { filesystem: 'ext4' }),
  volume('xfs', 300, ['mkfs.xfs', '-q', '-L', 'Vector'], { filesystem: 'xfs' }),
  volume('btrfs', 128, ['mkfs.btrfs', '-q', '-L', 'Vector'], { filesystem: 'btrfs', sizeBytes: null }),
  volume('swap', 16, ['mkswap', '-L', 'Vector'], { filesystem: 'swap', sizeBytes: null }),
  {
    name: 'iso9660',
    needs: ['xorriso'],
    version: ['xorriso', '-version'],
    sizeBytes: 0,
    make: (path, folder) =>
      void run('xorriso', ['-as', 'mkisofs', '-quiet', '-V', 'VECTOR', '-o', path, folder]),
    expected: { filesystem: 'iso9660', version: null, label: 'VECTOR' },
    sizeIn: (path) => statSync(path).size,
  },
  {
    name: 'squashfs',
    needs: ['mksquashfs'],
    version: ['mksquashfs', '-version'],
    sizeBytes: 0,
    make: (path, folder) => void run('mksquashfs', [folder, path, '-noappend', '-quiet']),
    expected: { filesystem: 'squashfs', version: null, label: null },
    sizeIn: (path) => Number(/Filesystem size (\d+) bytes/.exec(run('unsquashfs', ['-s', path]))?.[1]),
  },
]

const sfdisk = (name: string, sizeMiB: number, script: string, expected: object): Recipe => ({
  name,
  needs: ['sfdisk'],
  version: ['sfdisk', '--version'],
  sizeBytes: sizeMiB * MiB,
  make: (path) => void run('sfdisk', ['-q', path], script),
  expected,
})

const part = (
  index: number,
  type: string,
  offset: number,
  sizeBytes: number,
  name: string | null = null,
) => ({
  index,
  name,
  type,
  offset,
  sizeBytes,
})

const maps: readonly Recipe[] = [
  sfdisk(
    'mbr',
    64,
    'label: dos\nstart=2048, size=4096, type=c, bootable\nstart=8192, size=16384, type=83\n',
    {
      kind: 'mbr',
      partitions: [part(1, 'FAT32', MiB, 2 * MiB), part(2, 'Linux filesystem', 4 * MiB, 8 * MiB)],
    },
  ),
  sfdisk(
    'mbr-logical',
    64,
    'label: dos\nstart=2048, size=4096, type=83\nstart=8192, size=65536, type=5\nstart=10240, size=4096, type=82\nstart=20480, size=8192, type=7\nstart=40960, size=2048, type=af\n',
    {
      kind: 'mbr',
      partitions: [
        part(1, 'Linux filesystem', MiB, 2 * MiB),
        part(5, 'Linux swap', 5 * MiB, 2 * MiB),
        part(6, 'NTFS or exFAT', 10 * MiB, 4 * MiB),
        part(7, 'Apple HFS/HFS+', 20 * MiB, MiB),
      ],
    },
  ),
  {
    name: 'gpt',
    needs: ['sgdisk'],
    version: ['sgdisk', '-V'],
    sizeBytes: 64 * MiB,
    make: (path) =>
      void run('sgdisk', [
        ...'-n 1:2048:+8M -t 1:ef00 -n 3:32768:+16M -t 3:8300'.split(' '),
        '-c',
        '1:EFI System Partition',
        '-c',
        '3:Wörk',
        path,
      ]),
    expected: {
      kind: 'gpt',
      partitions: [
        part(1, 'EFI System', MiB, 8 * MiB, 'EFI System Partition'),
        part(3, 'Linux filesystem', 16 * MiB, 16 * MiB, 'Wörk'),
      ],
    },
  },
  {
    name: 'gpt-hybrid',
    needs: ['sgdisk'],
    version: ['sgdisk', '-V'],
    sizeBytes: 64 * MiB,
    make: (path) => {
      run('sgdisk', ['-n', '1:2048:+8M', '-t', '1:0700', '-c', '1:data', path])
      run('sgdisk', ['-h', '1', path])
    },
    expected: { kind: 'gpt', partitions: [part(1, 'Microsoft basic data', MiB, 8 * MiB, 'data')] },
  },
  {
    name: 'apm',
    needs: ['parted'],
    version: ['parted', '--version'],
    sizeBytes: 64 * MiB,
    make: (path) =>
      void run('parted', [
        '-s',
        path,
        'mklabel',
        'mac',
        'mkpart',
        'Vector',
        'hfs+',
        '1MiB',
        '33MiB',
        'mkpart',
        'Other',
        'hfs',
        '34MiB',
        '40MiB',
      ]),
    expected: {
      kind: 'apm',
      partitions: [
        part(2, 'Apple_HFS', MiB, 32 * MiB, 'Vector'),
        part(3, 'Apple_HFS', 34 * MiB, 6 * MiB, 'Other'),
      ],
    },
  },
]

/** Make each and record what recognising it reads. */
export async function writeDiskVectors(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true })
  for (const recipe of volumes)
    await writeVector(folder, recipe, (readDisk, sizeBytes) =>
      sniffFilesystem(readDisk, { offset: 0, sizeBytes }),
    )
  for (const recipe of maps) await writeVector(folder, recipe, readPartitionMap)
}

async function writeVector(
  folder: string,
  recipe: Recipe,
  look: (readDisk: ReadDisk, sizeBytes: number) => Promise<unknown>,
): Promise<void> {
  if (recipe.needs.some((name) => program(name) === null)) {
    console.log(`${recipe.name}: kept, for ${recipe.needs.join(', ')} is not here`)
    return
  }
  const work = mkdtempSync(join(tmpdir(), 'reprise-vector-'))
  try {
    const path = join(work, 'disk')
    const contents = join(work, 'contents')
    mkdirSync(contents)
    writeFileSync(join(contents, 'file.txt'), 'a file\n')
    writeFileSync(path, '')
    truncateSync(path, recipe.sizeBytes)
    recipe.make(path, contents)
    const sizeBytes = statSync(path).size
    const file = openSync(path, 'r')
    const disk = recordingDisk(async (offset, lengthBytes) => {
      const into = new Uint8Array(lengthBytes)
      const bytesRead = readSync(file, into, 0, lengthBytes, offset)
      if (bytesRead !== lengthBytes) throw new Error(`${offset}+${lengthBytes} is outside`)
      return into
    })
    await look(disk.readDisk, sizeBytes)
    const vector: DiskVector = {
      madeBy: versionOf(recipe.version),
      sizeBytes,
      expected:
        recipe.sizeIn === undefined
          ? recipe.expected
          : { ...(recipe.expected as object), sizeBytes: recipe.sizeIn(path) },
      stretches: await disk.stretches(),
    }
    closeSync(file)
    writeFileSync(join(folder, `${recipe.name}.json`), `${JSON.stringify(vector, null, 1)}\n`)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** The first line with a digit of what the program says about itself, on whichever stream. */
function versionOf([name = '', ...args]: readonly string[]): string {
  const path = program(name)
  if (path === null) return name
  const told = execFileSync('/bin/sh', ['-c', `"$0" "$@" 2>&1 || true`, path, ...args]).toString()
  return `${name}: ${told.split('\n').find((line) => /\d\.\d/.test(line)) ?? 'unknown version'}`
}
