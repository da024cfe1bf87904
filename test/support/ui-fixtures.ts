/** Disks, images, plans and jobs for tests of the window: believable, and to be changed in the fields a test is about. */
import { DeviceError, UsageError, serializeError } from '#shared/errors'
import {
  type Disk,
  type ImageInfo,
  type JobPhase,
  type JobState,
  type Loss,
  type PhaseState,
  type PreflightCheck,
  type RestorePlan,
  type RestoreRequest,
  type RestoreSummary,
  type SourceInfo,
  type TargetInfo,
  type Volume,
} from '#shared/model'
import { restoreRequest } from '#test/restore-request'

export const GB = 1e9
export const MB = 1e6

export function aVolume(change: Partial<Volume> & { readonly path: string }): Volume {
  return {
    index: 1,
    offset: 1048576,
    sizeBytes: 1 * GB,
    filesystem: 'vfat',
    label: null,
    uuid: null,
    partitionType: null,
    mountPoints: [],
    usedBytes: null,
    readOnly: false,
    ...change,
  }
}

export function aDisk(change: Partial<Disk> & { readonly path: string }): Disk {
  return {
    identity: `usb-1.2 ${change.path} 0001`,
    name: 'SanDisk Ultra',
    vendor: 'SanDisk',
    model: 'Ultra USB 3.0',
    serial: '4C530001',
    sizeBytes: 64 * GB,
    logicalBlockBytes: 512,
    bus: 'usb',
    removable: true,
    internal: false,
    readOnly: false,
    partitionMap: 'gpt',
    volumes: [],
    protection: null,
    backingFile: null,
    practice: false,
    busy: false,
    ...change,
  }
}

export const sandisk = aDisk({
  path: '/dev/sdb',
  sizeBytes: 61.5 * GB,
  volumes: [
    aVolume({ path: '/dev/sdb1', label: 'EFI', sizeBytes: 209 * MB, partitionType: 'EFI System' }),
    aVolume({
      path: '/dev/sdb2',
      index: 2,
      offset: 210 * MB,
      sizeBytes: 61.2 * GB,
      filesystem: 'exfat',
      label: 'UNTITLED',
      mountPoints: ['/media/ann/UNTITLED'],
      usedBytes: 23.4 * GB,
    }),
  ],
})

export const smallStick = aDisk({
  path: '/dev/sdc',
  identity: 'usb-1.3 sdc 0002',
  name: 'Kingston DataTraveler',
  vendor: 'Kingston',
  model: 'DataTraveler 2.0',
  sizeBytes: 8 * GB,
  partitionMap: 'mbr',
  volumes: [aVolume({ path: '/dev/sdc1', label: 'KINGSTON', sizeBytes: 7.99 * GB })],
})

export const card = aDisk({
  path: '/dev/mmcblk0',
  identity: 'mmc 0003',
  name: 'SD card reader',
  vendor: null,
  model: null,
  bus: 'sd',
  sizeBytes: 31.9 * GB,
  readOnly: true,
  protection: { kind: 'read-only' },
  partitionMap: 'mbr',
  volumes: [aVolume({ path: '/dev/mmcblk0p1', label: 'CANON', sizeBytes: 31.9 * GB, readOnly: true })],
})

export const systemDisk = aDisk({
  path: '/dev/nvme0n1',
  identity: 'nvme 0004',
  name: 'Samsung SSD 990 PRO',
  vendor: 'Samsung',
  model: 'SSD 990 PRO 1TB',
  bus: 'nvme',
  removable: false,
  internal: true,
  sizeBytes: 1000.2 * GB,
  protection: { kind: 'system', mountPoint: '/' },
  volumes: [
    aVolume({
      path: '/dev/nvme0n1p1',
      partitionType: 'EFI System',
      sizeBytes: 537 * MB,
      mountPoints: ['/boot/efi'],
      usedBytes: 6 * MB,
    }),
    aVolume({
      path: '/dev/nvme0n1p2',
      index: 2,
      offset: 538 * MB,
      sizeBytes: 983 * GB,
      filesystem: 'ext4',
      partitionType: 'Linux filesystem',
      mountPoints: ['/'],
      usedBytes: 412 * GB,
    }),
    aVolume({
      path: '/dev/nvme0n1p3',
      index: 3,
      offset: 984 * GB,
      sizeBytes: 16 * GB,
      filesystem: 'swap',
      partitionType: 'Linux swap',
    }),
  ],
})

export const archiveDisk = aDisk({
  path: '/dev/sda',
  identity: 'sata 0005',
  name: 'WDC WD40EFRX',
  vendor: 'Western Digital',
  model: 'WD40EFRX-68N32N0',
  bus: 'sata',
  removable: false,
  internal: true,
  sizeBytes: 4000.8 * GB,
  volumes: [
    aVolume({
      path: '/dev/sda1',
      label: 'Archive',
      filesystem: 'ext4',
      sizeBytes: 4000 * GB,
      mountPoints: ['/srv/archive'],
      usedBytes: 3100 * GB,
    }),
  ],
})

export const attachedImage = aDisk({
  path: '/dev/loop4',
  identity: 'loop /home/ann/Images/notes.img',
  name: 'notes.img',
  vendor: null,
  model: null,
  serial: null,
  bus: 'loop',
  sizeBytes: 512 * MB,
  partitionMap: 'none',
  backingFile: '/home/ann/Images/notes.img',
  volumes: [
    aVolume({
      path: '/dev/loop4',
      index: 0,
      offset: 0,
      label: 'Notes',
      filesystem: 'ext4',
      sizeBytes: 512 * MB,
    }),
  ],
})

export const practiceDisk = aDisk({
  path: '/home/ann/.local/share/reprise/Practice Disk.img',
  identity: 'file practice',
  name: 'Practice disk',
  vendor: null,
  model: null,
  serial: null,
  bus: 'file',
  sizeBytes: 64 * MB,
  partitionMap: 'gpt',
  practice: true,
  backingFile: '/home/ann/.local/share/reprise/Practice Disk.img',
  volumes: [
    aVolume({
      path: '/home/ann/.local/share/reprise/Practice Disk.img#1',
      label: 'OLD STUFF',
      sizeBytes: 60 * MB,
      filesystem: 'vfat',
    }),
  ],
})

export function anImage(change: Partial<ImageInfo> & { readonly path: string }): ImageInfo {
  return {
    name: change.path.split('/').at(-1) ?? change.path,
    format: 'ULFO',
    storedBytes: 5.8 * GB,
    sizeBytes: 14.2 * GB,
    modifiedMs: Date.UTC(2026, 4, 12, 9, 30),
    encrypted: null,
    segmentCount: 1,
    partitionMap: 'gpt',
    partitions: [
      {
        index: 1,
        name: 'EFI System Partition',
        type: 'EFI System',
        offset: 20480,
        sizeBytes: 209 * MB,
        filesystem: 'vfat',
        label: 'EFI',
      },
      {
        index: 2,
        name: 'disk image',
        type: 'Apple_HFS',
        offset: 409_640 * 512,
        sizeBytes: 13.9 * GB,
        filesystem: 'hfsplus',
        label: 'System',
      },
    ],
    tables: [
      {
        name: 'Protective Master Boot Record (MBR : 0)',
        id: -1,
        firstSector: 0,
        sectorCount: 1,
        runCount: 1,
        checksum: { algorithm: 'CRC-32', value: '8dd1f5c4' },
      },
      {
        name: 'EFI System Partition (C12A7328 : 1)',
        id: 0,
        firstSector: 40,
        sectorCount: 409600,
        runCount: 12,
        checksum: { algorithm: 'CRC-32', value: 'b54f4b5e' },
      },
      {
        name: 'disk image (Apple_HFS : 2)',
        id: 1,
        firstSector: 409640,
        sectorCount: 27148437,
        runCount: 26512,
        checksum: { algorithm: 'CRC-32', value: '1c291ca3' },
      },
    ],
    runCounts: { zero: 120, ignore: 2210, lzfse: 24183 },
    dataBytes: 9.7 * GB,
    dataForkChecksum: { algorithm: 'CRC-32', value: '77a1c2d9' },
    masterChecksum: { algorithm: 'CRC-32', value: 'e0c4d511' },
    inOrder: true,
    scan: {
      partitions: [
        {
          partNum: 1,
          sha1: null,
          sha256: 'a'.repeat(64),
          blockChecksum2: null,
          dateMs: Date.UTC(2026, 4, 12, 9, 41),
          usedBytes: 9.6 * GB,
          volumes: [],
        },
      ],
      blocks: { blockBytes: 1_048_576, count: 13_543, root: 'b'.repeat(64) },
      dateMs: Date.UTC(2026, 4, 12, 9, 41),
      scannedBy: 'Reprise 0.1.0',
    },
    ...change,
  }
}

export const systemImage = anImage({ path: '/home/ann/Images/ModularSystem.dmg' })
export const practiceImage = anImage({
  path: '/home/ann/.local/share/reprise/Practice Image.dmg',
  name: 'Practice Image.dmg',
  format: 'UDZO',
  storedBytes: 4.1 * MB,
  sizeBytes: 48 * MB,
  dataBytes: 12 * MB,
  inOrder: true,
  partitions: [
    {
      index: 1,
      name: 'Practice',
      type: 'Microsoft basic data',
      offset: 1048576,
      sizeBytes: 46 * MB,
      filesystem: 'vfat',
      label: 'PRACTICE',
    },
  ],
})

/** Never scanned, and not in order. */
export const unscannedImage = anImage({
  path: '/home/ann/Images/Lab 2019.dmg',
  format: 'UDZO',
  storedBytes: 3.4 * GB,
  sizeBytes: 9.1 * GB,
  inOrder: false,
  scan: null,
})

/** Opens with the password `sesame`. */
export const lockedImage = anImage({
  path: '/home/ann/Images/Payroll.dmg',
  encrypted: { bits: 256, version: 2 },
})

export const sparseImage = anImage({
  path: '/home/ann/Images/Scratch.sparseimage',
  format: 'UDSP',
  storedBytes: 1.3 * GB,
  sizeBytes: 20 * GB,
  tables: [],
  runCounts: {},
  dataForkChecksum: null,
  masterChecksum: null,
  inOrder: null,
  scan: null,
})

export const webImage = anImage({ path: 'https://images.example/labs/ModularSystem.dmg' })

export function aRequest(change: Partial<RestoreRequest> = {}): RestoreRequest {
  return restoreRequest({ source: systemImage.path, target: sandisk.path, ...change })
}

let plans = 0

/** A plan as the engine would make it, from what is there. */
export function planFor(
  request: RestoreRequest,
  disks: readonly Disk[],
  images: readonly ImageInfo[],
): RestorePlan {
  const source = findSource(request.source, disks, images)
  const target = findTarget(request.target, disks)
  const losses = target ? lossesOf(target) : []
  const errors: PreflightCheck[] = []
  const refuse = (step: PreflightCheck['step'], error: UsageError) =>
    errors.push({ step, state: 'failed', kind: 'error', error: serializeError(error) })
  if (!request.erase)
    refuse('target', new UsageError('E_NEEDS_ERASE', 'erase is off', { details: { input: 'erase' } }))
  const volumes =
    source?.kind === 'image' && target?.kind === 'partition'
      ? source.image.partitions.filter(({ type }) => type !== 'EFI System')
      : []
  if (volumes.length > 1 && request.sourcePartition === undefined)
    refuse(
      'source',
      new UsageError('E_SRC_MULTIVOL', 'several volumes', {
        details: {
          input: 'source',
          names: volumes.map(({ label }) => label ?? ''),
          partitions: volumes.map(({ index }) => index),
        },
      }),
    )
  const needed = source ? sizeOf(source) : null
  if (target && needed !== null && target.sizeBytes !== null && needed > target.sizeBytes)
    refuse(
      'sizes',
      new UsageError('E_DST_SMALL', 'too small', {
        details: { input: request.target, neededBytes: needed, availableBytes: target.sizeBytes },
      }),
    )
  if (source?.kind === 'image' && !source.image.scan && source.image.tables.length > 0 && request.verify)
    refuse(
      'source',
      new UsageError('E_SRC_NOSCAN', 'not scanned', { details: { input: 'source', name: source.name } }),
    )
  const volume = volumes.find(({ index }) => index === request.sourcePartition) ?? volumes.at(0)
  const checks: PreflightCheck[] = [
    ...(volume && (volumes.length === 1 || request.sourcePartition !== undefined)
      ? [
          {
            step: 'source',
            state: 'ok',
            kind: 'only-volume',
            names: volume.label === null ? (volume.volumes ?? []).map(({ name }) => name) : [volume.label],
            partition: volume.index,
          } as const,
        ]
      : []),
    ...(target && errors.length === 0
      ? [
          {
            step: 'target',
            state: 'ok',
            kind: 'target-ok',
            name: target.name,
            sizeBytes: target.sizeBytes,
          } as const,
          ...(losses.length > 0
            ? [
                {
                  step: 'target',
                  state: 'warning',
                  kind: 'losses',
                  names: losses.filter((loss) => loss.kind !== 'partition-map').map((loss) => loss.name),
                } as const,
              ]
            : []),
          ...(target.mountPoints.length > 0
            ? [{ step: 'target', state: 'ok', kind: 'unmounts', mountPoints: target.mountPoints } as const]
            : []),
        ]
      : []),
    ...(source
      ? [
          {
            step: 'source',
            state: 'ok',
            kind: 'source-ok',
            name: source.name,
            format: source.kind === 'image' ? source.image.format : source.kind,
            checksums:
              source.kind !== 'image'
                ? 'none'
                : source.image.tables.length > 0
                  ? 'inside'
                  : source.image.fileChecksum
                    ? 'beside'
                    : 'none',
          } as const,
        ]
      : []),
    ...(needed !== null && target && target.sizeBytes !== null && needed <= target.sizeBytes
      ? [
          {
            step: 'sizes',
            state: 'ok',
            kind: 'fits',
            neededBytes: needed,
            availableBytes: target.sizeBytes,
          } as const,
        ]
      : []),
    ...errors,
  ]
  const refusal = errors[0]?.kind === 'error' ? errors[0].error : null
  const typed = target?.disk?.internal === true
  return {
    planId: `plan-${(plans += 1)}`,
    request,
    source,
    target,
    checks,
    losses,
    confirmation: typed
      ? {
          kind: 'type',
          phrase: target.name,
          reasons: ['internal', ...((target.sizeBytes ?? 0) > 1e12 ? ['large' as const] : [])],
        }
      : { kind: 'plain' },
    refusal,
    needsPrivilege: target !== null && target.kind !== 'file',
  }
}

function findSource(
  locator: string,
  disks: readonly Disk[],
  images: readonly ImageInfo[],
): SourceInfo | null {
  const image = images.find((image) => image.path === locator)
  if (image) return { kind: 'image', locator, name: image.name, image }
  const disk = disks.find((disk) => disk.path === locator)
  if (disk) return { kind: 'disk', locator, name: disk.name, disk }
  for (const disk of disks) {
    const volume = disk.volumes.find((volume) => volume.path === locator)
    if (volume) return { kind: 'volume', locator, name: volume.label ?? locator, disk, volume }
  }
  return null
}

function sizeOf(source: SourceInfo): number | null {
  if (source.kind === 'image') return source.image.sizeBytes
  if (source.kind === 'stream') return source.image?.sizeBytes ?? source.stream.streamBytes
  return source.kind === 'disk' ? source.disk.sizeBytes : source.volume.sizeBytes
}

function findTarget(locator: string, disks: readonly Disk[]): TargetInfo | null {
  for (const disk of disks) {
    const volume = disk.volumes.find((volume) => volume.path === locator)
    if (disk.path !== locator && !volume) continue
    const part = disk.path === locator ? null : volume
    return {
      kind: part ? 'partition' : 'disk',
      path: locator,
      name: part ? (part.label ?? locator) : disk.name,
      sizeBytes: part ? part.sizeBytes : disk.sizeBytes,
      bus: disk.bus,
      identity: disk.identity,
      mountPoints: (part ? [part] : disk.volumes).flatMap((volume) => volume.mountPoints),
      disk,
    }
  }
  return null
}

function lossesOf({ disk, path }: TargetInfo): readonly Loss[] {
  if (!disk) return []
  const volumes = disk.path === path ? disk.volumes : disk.volumes.filter((volume) => volume.path === path)
  const losses: Loss[] = volumes.map((volume) => ({
    kind: 'volume',
    name: volume.label ?? volume.partitionType ?? volume.path,
    path: volume.path,
    filesystem: volume.filesystem,
    sizeBytes: volume.sizeBytes,
    usedBytes: volume.usedBytes,
    mountPoints: volume.mountPoints,
  }))
  if (disk.path === path && disk.partitionMap !== 'none')
    losses.push({
      kind: 'partition-map',
      name: disk.partitionMap,
      path,
      filesystem: null,
      sizeBytes: disk.sizeBytes,
      usedBytes: null,
      mountPoints: [],
    })
  return losses
}

const restorePhases = [
  'validating-target',
  'validating-source',
  'validating-sizes',
  'unmounting',
  'erasing',
  'restoring',
  'verifying',
  'remounting',
] as const satisfies readonly JobPhase[]

/** A restore that is at `phase`; with `percent` where blocks move. */
export function aJob(
  plan: RestorePlan,
  at: { readonly phase: (typeof restorePhases)[number]; readonly percent?: number; readonly failed?: true },
  change: Partial<JobState> = {},
): JobState {
  const here = restorePhases.indexOf(at.phase)
  const phases = restorePhases.map((phase, index): PhaseState => {
    if (phase === 'erasing') return { phase, state: 'skipped', durationMs: null }
    if (index < here) return { phase, state: 'done', durationMs: 180 + 640 * index }
    if (index > here) return { phase, state: 'pending', durationMs: null }
    return { phase, state: at.failed ? 'failed' : 'current', durationMs: null }
  })
  const total = plan.source ? sizeOf(plan.source) : null
  const percent = at.percent ?? null
  return {
    jobId: 'job-1',
    kind: 'restore',
    plan,
    title: `${plan.source?.name ?? '?'} → ${plan.target?.name ?? '?'}`,
    source: plan.request.source,
    startedMs: Date.now() - 32_000,
    endedMs: null,
    stopping: false,
    phases,
    progress:
      percent === null || total === null
        ? null
        : {
            phase: at.phase,
            doneBytes: Math.round((total * percent) / 100),
            totalBytes: total,
            percent,
            bytesPerSecond: 187.4 * MB,
            remainingMs: (100 - percent) * 6300,
            limitedBy: at.phase === 'restoring' ? 'destination' : null,
            stall: null,
            stream: null,
          },
    outcome: null,
    ...change,
  }
}

export function aSummary(change: Partial<RestoreSummary> = {}): RestoreSummary {
  return {
    restoredBytes: 14.2 * GB,
    writtenBytes: 9.7 * GB,
    zeroedBytes: 1.1 * GB,
    skippedBytes: 3.4 * GB,
    unchangedBytes: 0,
    durationMs: 142_000,
    bytesPerSecond: 187.4 * MB,
    verified: true,
    checksum: 'e0c4d511',
    mountPoints: ['/media/ann/System'],
    ejected: false,
    remounted: true,
    warnings: [],
    ...change,
  }
}

/** The same job, ended. */
export function ended(job: JobState, outcome: NonNullable<JobState['outcome']>): JobState {
  const done = outcome.kind === 'done'
  return {
    ...job,
    endedMs: job.startedMs + 142_000,
    progress: null,
    stopping: false,
    phases: job.phases.map((phase) =>
      done && phase.state !== 'skipped'
        ? { ...phase, state: 'done', durationMs: phase.durationMs ?? 2300 }
        : phase.state === 'current' || phase.state === 'pending'
          ? { ...phase, state: 'skipped' }
          : phase,
    ),
    outcome,
  }
}

/** Work on an image that runs. */
export function anImageJob(
  task: 'scan' | 'convert' | 'create' | 'verify' | 'resize' | 'compact' | 'add-checksum',
  title: string,
  at: { readonly phase: JobPhase; readonly percent: number },
  change: Partial<JobState> = {},
): JobState {
  return {
    jobId: 'job-1',
    kind: `${task}-image`,
    plan: null,
    title,
    source: task === 'create' ? null : `/home/ann/Images/${title}`,
    startedMs: Date.now() - 12_000,
    endedMs: null,
    stopping: false,
    phases: [
      { phase: 'validating-source', state: 'done', durationMs: 120 },
      { phase: at.phase, state: 'current', durationMs: null },
    ],
    progress: {
      phase: at.phase,
      doneBytes: at.percent * 142 * MB,
      totalBytes: 14.2 * GB,
      percent: at.percent,
      bytesPerSecond: 412 * MB,
      remainingMs: (100 - at.percent) * 320,
      limitedBy: null,
      stall: null,
      stream: null,
    },
    outcome: null,
    ...change,
  }
}

/** One of each kind: two that run, the others ended. */
export function imageJobs(): readonly JobState[] {
  const ends: readonly (readonly [
    Parameters<typeof anImageJob>[0],
    string,
    NonNullable<JobState['outcome']>,
  ])[] = [
    [
      'convert',
      'ModularSystem.dmg',
      {
        kind: 'converted',
        conversion: {
          target: '/home/ann/Images/ModularSystem 2.dmg',
          format: 'ULMO',
          sizeBytes: 14.2 * GB,
          storedBytes: 4.6 * GB,
          sourceStoredBytes: 5.8 * GB,
          durationMs: 312_000,
          bytesPerSecond: 45.5 * MB,
        },
      },
    ],
    [
      'scan',
      'Lab 2019.dmg',
      {
        kind: 'scanned',
        scan: {
          path: unscannedImage.path,
          scan: systemImage.scan ?? { partitions: [], blocks: null, dateMs: null, scannedBy: null },
          stored: 'reordered',
          inOrder: true,
          signatureRemoved: false,
          sizeBytes: 9.1 * GB,
          beforeBytes: 3.4 * GB,
          storedBytes: 3.4 * GB,
          durationMs: 41_000,
          bytesPerSecond: 222 * MB,
        },
      },
    ],
    [
      'resize',
      'Scratch.sparseimage',
      {
        kind: 'resized',
        resize: {
          path: sparseImage.path,
          beforeBytes: 20 * GB,
          afterBytes: 40 * GB,
          storedBytes: 1.3 * GB,
          storedBeforeBytes: 1.3 * GB,
        },
        outdated: `${sparseImage.path}.sha256`,
      },
    ],
    [
      'create',
      'Untitled.dmg',
      {
        kind: 'failed',
        target: 'untouched',
        error: serializeError(
          new DeviceError('E_DEVICE_TOOL', "the program mkfs.ntfs isn't installed", {
            details: { path: 'mkfs.ntfs', tool: 'mkfs.ntfs', package: 'ntfs-3g' },
          }),
        ),
      },
    ],
  ]
  return [
    ...ends.map(([task, title, outcome], index) =>
      ended(
        anImageJob(task, title, { phase: 'validating-source', percent: 100 }, { jobId: `ended-${index}` }),
        outcome,
      ),
    ),
    anImageJob('verify', 'Notes.dmg', { phase: 'verifying', percent: 8 }, { jobId: 'running-1' }),
    anImageJob('scan', 'ModularSystem.dmg', { phase: 'scanning', percent: 62 }, { jobId: 'running-2' }),
  ]
}
