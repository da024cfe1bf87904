/**
 * The preflight's first step: what stands behind the target's locator, and may it be erased. Whatever the screen
 * showed, the rules hold here. Nothing is touched.
 */
import { basename, dirname } from 'node:path'
import { refuseFolderName, refuseMissingDevice } from '#engine/block-io'
import { AppError, DeviceError, UsageError, unreachable } from '#shared/errors'
import type { Confirmation, Disk, Loss, RestoreRequest, TargetInfo, Volume } from '#shared/model'
import { overlapping } from './overlapping.ts'
import type { RestoreDeps } from './restore-deps.ts'
import type { FileFacts } from './restore-io.ts'
import { confirmationFor, deviceLosses, fileLosses, volumeName } from './target-losses.ts'

/** A disk, or one of its partitions (`volume`). */
export interface DeviceTarget {
  readonly kind: 'device'
  readonly info: TargetInfo
  readonly disk: Disk
  readonly volume: Volume | null
  readonly sizeBytes: number
}

/** A disk in a file. */
export interface FileTarget {
  readonly kind: 'file'
  readonly info: TargetInfo
  /** Null: it will be created. */
  readonly facts: FileFacts | null
  /** The file keeps this size (the Practice disk); null where it takes the source's. */
  readonly fixedBytes: number | null
  /** What the file system has left for it, what it takes up now included. */
  readonly roomBytes: number
}

export type ExaminedTarget = DeviceTarget | FileTarget

export interface TargetFindings {
  /** Null when the locator leads to nothing that could be a destination. */
  readonly target: ExaminedTarget | null
  /** All that stands against it, the first to be told first. */
  readonly errors: readonly AppError[]
  readonly losses: readonly Loss[]
  readonly confirmation: Confirmation
}

const nothing = { target: null, losses: [], confirmation: { kind: 'plain' } } as const

export async function examineTarget(
  request: RestoreRequest,
  { platform, io }: RestoreDeps,
  signal: AbortSignal,
): Promise<TargetFindings> {
  const path = request.target
  try {
    const found = await platform.resolve(path, signal)
    signal.throwIfAborted()
    switch (found.kind) {
      case 'disk':
        return found.disk.bus === 'file'
          ? await examineFile(found.disk.path, found.disk)
          : examineDevice(found.disk, null, request)
      case 'volume':
        // A file system on a disk without a map is that disk.
        return found.volume.path === found.disk.path
          ? examineDevice(found.disk, null, request)
          : examineDevice(found.disk, found.volume, request)
      case 'file':
      case 'absent':
        refuseFolderName(path)
        return await examineFile(found.path, null)
      case 'other':
        return { ...nothing, errors: [wrongKind(found.path, found.what)] }
      default:
        return unreachable(found)
    }
  } catch (error) {
    AppError.accept(error)
    return { ...nothing, errors: [error] }
  }

  async function examineFile(file: string, disk: Disk | null): Promise<TargetFindings> {
    const facts = await io.readFacts(file)
    const name = disk?.name ?? basename(file)
    const folder = dirname(file)
    if (facts === null) refuseMissingDevice(file)
    const errors: AppError[] = []
    if (disk !== null) errors.push(...standingAgainst(disk, null, request))
    else if (facts !== null && !request.erase) errors.push(fileExists(file, facts.sizeBytes))
    const denial = await refusalOf(() => io.checkWritable(facts === null ? folder : file))
    if (denial !== null) errors.push(denial)
    if (facts !== null) {
      const attached = (await platform.list(signal)).filter(
        (each) => each.bus !== 'file' && each.backingFile !== null,
      )
      for (const each of attached) {
        const behind = await io.readFacts(each.backingFile ?? '').catch(() => null)
        if (behind !== null && sameFile(behind, facts)) errors.push(attachedAs(file, each.path))
      }
    }
    const target: FileTarget = {
      kind: 'file',
      facts,
      fixedBytes: disk?.sizeBytes ?? null,
      roomBytes: (await io.readFreeBytes(folder)) + (facts === null ? 0 : await io.readAllocated(file)),
      info: {
        kind: 'file',
        path: file,
        name,
        sizeBytes: disk?.sizeBytes ?? null,
        bus: 'file',
        identity: fileIdentity(file, facts),
        mountPoints: [],
        disk,
        ...(facts === null ? {} : { exists: true }),
      },
    }
    return {
      target,
      errors,
      losses: disk === null ? fileLosses(name, file, facts) : deviceLosses(disk, null),
      confirmation: { kind: 'plain' },
    }
  }
}

function examineDevice(disk: Disk, volume: Volume | null, request: RestoreRequest): TargetFindings {
  const path = volume?.path ?? disk.path
  const name = volume === null ? disk.name : volumeName(volume)
  return {
    target: {
      kind: 'device',
      disk,
      volume,
      sizeBytes: (volume ?? disk).sizeBytes,
      info: {
        kind: volume === null ? 'disk' : 'partition',
        path,
        name,
        sizeBytes: (volume ?? disk).sizeBytes,
        bus: disk.bus,
        identity:
          volume === null ? disk.identity : `${disk.identity}|${volume.offset}+${volume.sizeBytes}|${path}`,
        mountPoints: (volume === null ? disk.volumes : [volume]).flatMap((each) => each.mountPoints),
        disk,
      },
    },
    errors: [...standingAgainst(disk, volume, request), ...mountedUnder(disk, volume)],
    losses: deviceLosses(disk, volume),
    confirmation: confirmationFor(name, disk, volume),
  }
}

/** What is known of the disk that forbids erasing it. */
function standingAgainst(disk: Disk, volume: Volume | null, request: RestoreRequest): readonly AppError[] {
  const path = volume?.path ?? disk.path
  const errors: AppError[] = []
  if (!request.erase)
    errors.push(
      new UsageError('E_NEEDS_ERASE', `restoring to ${path} erases it, and Erase wasn't given`, {
        details: { input: 'erase', path },
      }),
    )
  const { protection } = disk
  // The protection is the disk's: writing to one partition of the system's disk is one wrong number away from the other.
  if (protection?.kind === 'system')
    errors.push(
      new UsageError('E_DST_SYSTEM', `${disk.path} runs this computer (${protection.mountPoint})`, {
        details: { input: 'target', path, disk: disk.path, mountPoint: protection.mountPoint },
      }),
    )
  if (protection?.kind === 'program')
    errors.push(
      new UsageError('E_DST_SYSTEM', `Reprise runs from ${disk.path} (${protection.path})`, {
        details: { input: 'target', path, disk: disk.path, program: protection.path },
      }),
    )
  if (protection?.kind === 'in-use')
    errors.push(
      new DeviceError('E_DST_BUSY', `${disk.path} is in use by ${protection.by}`, {
        details: { path, holders: [protection.by] },
      }),
    )
  if (protection?.kind === 'read-only' || disk.readOnly || volume?.readOnly === true)
    errors.push(new DeviceError('E_DST_READONLY', `${path} is write-protected`, { details: { path } }))
  if (disk.busy)
    errors.push(
      new DeviceError('E_DST_BUSY', `${disk.path} is being used by another job`, {
        details: { path, holders: ['Reprise'] },
      }),
    )
  return errors
}

/**
 * A partition may lie inside another, as on hybrid discs, and the system keeps only those apart that are each all of their disk: a
 * file system that is mounted by way of the other would be written over while it is in use.
 */
function mountedUnder(disk: Disk, volume: Volume | null): readonly AppError[] {
  return overlapping(disk, volume).flatMap(({ path, mountPoints: [mountPoint] }) =>
    mountPoint === undefined
      ? []
      : [
          new DeviceError(
            'E_DST_BUSY',
            `${path}, which overlaps ${volume?.path}, is mounted at ${mountPoint}`,
            {
              details: { path, holders: [mountPoint] },
            },
          ),
        ],
  )
}

export const sameFile = (a: FileFacts, b: FileFacts): boolean => a.device === b.device && a.inode === b.inode

/** Path, device and inode; a file that doesn't exist yet is known by its path alone. */
export function fileIdentity(path: string, facts: FileFacts | null): string {
  return facts === null ? `file:${path}` : `file:${path}:${facts.device}:${facts.inode}`
}

const wrongKind = (path: string, what: string) =>
  new UsageError('E_DST_KIND', `${path} is ${what}, which can't hold a disk`, {
    details: { input: 'target', path, what },
  })

const fileExists = (path: string, sizeBytes: number) =>
  new UsageError('E_DST_EXISTS', `${path} exists, and Erase wasn't given`, {
    details: { input: 'erase', path, sizeBytes },
  })

const attachedAs = (path: string, device: string) =>
  new DeviceError('E_DST_BUSY', `${path} is attached as ${device}`, { details: { path, holders: [device] } })

async function refusalOf(check: () => Promise<void>): Promise<AppError | null> {
  try {
    await check()
    return null
  } catch (error) {
    AppError.accept(error)
    return error
  }
}
