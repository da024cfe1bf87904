/**
 * Makes a file system in a plain file, by the system's own program for it: without rights, without loop devices. What it
 * can't do, it says, and its words come through.
 */
import { type RunProgram } from '#engine/platform'
import type { NewPartition } from '#engine/formats/partition-map'
import { UsageError } from '#shared/errors'
import type { CreatableFilesystem } from '#shared/model'
import { toolFailure } from './tool-failure.ts'

interface Maker {
  /** As people call it. */
  readonly called: string
  readonly tool: string
  /** In a volume that begins at this sector of the disk. */
  readonly args: (startSector: number) => readonly string[]
  readonly label: { readonly flag: string; readonly most: number; readonly unit: 'bytes' | 'characters' }
  /** The smallest volume that its program makes one in; a smaller one it refuses with words nobody understands. */
  readonly leastBytes: number
  readonly partition: Omit<NewPartition, 'name'>
}

const mib = 1024 ** 2
const linux = { guid: '0fc63daf-8483-4772-8e79-3d69d8477de4', type: 0x83 }
const basic = (type: number) => ({ guid: 'ebd0a0a2-b9e5-4433-87c0-68b6b72699c7', type })
const ext = (called: string, version: string): Maker => ({
  called,
  tool: 'mke2fs',
  args: () => ['-q', '-F', '-t', version],
  label: { flag: '-L', most: 16, unit: 'bytes' },
  leastBytes: mib,
  partition: linux,
})

const makers: { readonly [filesystem in CreatableFilesystem]: Maker } = {
  ext4: ext('ext4', 'ext4'),
  ext3: ext('ext3', 'ext3'),
  ext2: ext('ext2', 'ext2'),
  xfs: {
    called: 'XFS',
    tool: 'mkfs.xfs',
    args: () => ['-q', '-f'],
    label: { flag: '-L', most: 12, unit: 'bytes' },
    leastBytes: 300 * mib,
    partition: linux,
  },
  btrfs: {
    called: 'Btrfs',
    tool: 'mkfs.btrfs',
    args: () => ['-q', '-f'],
    label: { flag: '-L', most: 255, unit: 'bytes' },
    leastBytes: 114 * mib,
    partition: linux,
  },
  vfat: {
    called: 'FAT',
    tool: 'mkfs.vfat',
    args: (startSector) => ['-h', String(startSector)],
    label: { flag: '-n', most: 11, unit: 'bytes' },
    leastBytes: 64 * 1024,
    partition: basic(0x0c),
  },
  exfat: {
    called: 'exFAT',
    tool: 'mkfs.exfat',
    args: () => [],
    label: { flag: '-L', most: 11, unit: 'characters' },
    leastBytes: mib,
    partition: basic(0x07),
  },
  ntfs: {
    called: 'NTFS',
    tool: 'mkntfs',
    args: (startSector) => ['-q', '-Q', '-F', '-p', String(startSector), '-H', '255', '-S', '63'],
    label: { flag: '-L', most: 32, unit: 'characters' },
    leastBytes: 2 * mib,
    partition: basic(0x07),
  },
  hfsplus: {
    called: 'HFS+',
    tool: 'mkfs.hfsplus',
    args: () => [],
    label: { flag: '-v', most: 255, unit: 'characters' },
    leastBytes: mib,
    partition: { guid: '48465300-0000-11aa-aa11-00306543ecac', type: 0xaf },
  },
}

/** Making one takes seconds, on a slow disk minutes. */
const timeoutMs = 10 * 60_000

/** What a partition with it is called in maps. */
export function partitionFor(filesystem: CreatableFilesystem | null, name: string | null): NewPartition {
  return { ...(filesystem === null ? linux : makers[filesystem].partition), name: name ?? '' }
}

export const toolFor = (filesystem: CreatableFilesystem): string => makers[filesystem].tool

/** Throws UsageError E_USAGE for a volume that is too small, or a name that is too long. */
export function checkFilesystem(
  filesystem: CreatableFilesystem,
  sizeBytes: number,
  volumeName: string | null,
): void {
  const { called, leastBytes, label } = makers[filesystem]
  if (sizeBytes < leastBytes)
    throw wrong(
      'sizeBytes',
      `${called} needs at least ${Math.ceil(leastBytes / mib)} MiB.`,
      'Choose a larger size.',
    )
  checkVolumeName(volumeName, called, label)
}

export function checkVolumeName(
  name: string | null,
  called: string,
  { most, unit }: Pick<Maker['label'], 'most' | 'unit'>,
): void {
  if (name === null) return
  const length = unit === 'bytes' ? Buffer.byteLength(name) : name.length
  if (length > most)
    throw wrong(
      'volumeName',
      `The name of a volume with ${called} has ${most} ${unit} at most.`,
      'Choose a shorter one.',
    )
  // It becomes an argument of a program.
  if (/^-|\p{Cc}/u.test(name))
    throw wrong('volumeName', `'${name}' can't be the name of a volume.`, 'Choose another one.')
}

/** In the file at `path`, as large as it is, for an image at `targetPath`. Throws DeviceError E_DST_FULL, E_DEVICE_TOOL, the signal's reason. */
export async function makeFilesystem(
  run: RunProgram,
  filesystem: CreatableFilesystem,
  {
    path,
    targetPath,
    startSector,
    volumeName,
    signal,
  }: {
    readonly path: string
    readonly targetPath: string
    readonly startSector: number
    readonly volumeName: string | null
    readonly signal: AbortSignal
  },
): Promise<void> {
  const { tool, args, label } = makers[filesystem]
  // FAT's names have capital letters only; its program warns of others.
  const name = filesystem === 'vfat' ? volumeName?.toUpperCase() : volumeName
  const named = name === null || name === undefined ? [] : [label.flag, name]
  const argv = [...args(startSector), ...named, path]
  const result = await run(tool, argv, { timeoutMs, signal })
  if (result.status !== 0) throw await toolFailure(result, argv, { path, targetPath })
}

const wrong = (input: string, problem: string, hint: string) =>
  new UsageError('E_USAGE', problem, { details: { input, problem, hint } })
