/**
 * The preflight's second step: what stands behind the source's locator, and can it be read while nobody writes to it.
 * Opens the image and reads its structure; decodes nothing, unmounts nothing.
 */
import { checksumsOf, type ExtentLayout, type ImageLayout, type LeastSize } from '#engine/formats/extents'
import type { BlockHashes } from '#engine/formats/udif'
import type { StreamConnection } from '#engine/stream-connection'
import { AppError, DeviceError, FormatError, UsageError, unreachable } from '#shared/errors'
import { silentLogger } from '#shared/log'
import {
  isStreamLocator,
  isWebLocator,
  parseStreamLocator,
  withoutPassword,
  type Disk,
  type ImagePartition,
  type RestoreRequest,
  type SourceChecksums,
  type SourceInfo,
  type StreamLocator,
  type Volume,
  publicLocator,
} from '#shared/model'
import { HashedBlocks } from '#engine/pipeline'
import type { RestoreDeps } from './restore-deps.ts'
import type { FileFacts } from './restore-io.ts'
import { openStreamImage } from './stream-image.ts'
import { volumeName } from './target-losses.ts'

interface SourceCommon {
  readonly info: SourceInfo
  /** Null when only reading it all would tell. */
  readonly sizeBytes: number | null
  /** The same source in the same state, the same string. */
  readonly identity: string
}

export interface ImageSource extends SourceCommon {
  readonly kind: 'image'
  readonly layout: ImageLayout
  /** How large its disk has to be by what is on it; null: nothing says so. */
  readonly least: LeastSize | null
  /** Each file of the image that is here, once; none of an image on a server. */
  readonly files: readonly FileFacts[]
  /** `inside` also where its codec checks itself. */
  readonly checksums: SourceChecksums
  /** Only this partition of its disk is restored, and all of this tells of it alone. Absent: all of the disk. */
  readonly partition?: ImagePartition
}

/** A disk, or one of its partitions (`volume`). */
export interface DeviceSource extends SourceCommon {
  readonly kind: 'device'
  /** The node to read. */
  readonly path: string
  readonly disk: Disk
  readonly volume: Volume | null
  readonly sizeBytes: number
  /** Where it is mounted for writing: must be unmounted while it is read. */
  readonly mountPoints: readonly string[]
}

/** An image, or a disk as it is, that a server streams to whoever joins. */
export interface ReceivedSource extends SourceCommon {
  readonly kind: 'stream'
  readonly locator: StreamLocator
  /** As it was given, for messages. */
  readonly locatorText: string
  readonly sizeBytes: number
  readonly layout: ExtentLayout
  /** Of the disk's blocks, as the image's scan left them; null: there are none that can be used. */
  readonly hashes: BlockHashes | null
}

/** What can be held open here, and read again. */
export type HeldSource = ImageSource | DeviceSource

export type ExaminedSource = HeldSource | ReceivedSource

export interface SourceFindings {
  readonly source: ExaminedSource | null
  readonly errors: readonly AppError[]
}

/** `interface` is looked for as soon as there is a stream that it would receive. `again`: see `RestoreIo.openImage`. */
export async function examineSource(
  {
    source: locator,
    interface: wanted,
    again = false,
  }: Pick<RestoreRequest, 'source' | 'interface'> & { readonly again?: boolean },
  { platform, io }: RestoreDeps,
  signal: AbortSignal,
): Promise<SourceFindings> {
  try {
    if (isStreamLocator(locator)) return { source: await examineStream(), errors: [] }
    if (isWebLocator(locator)) return await examineWebImage()
    const found = await platform.resolve(locator, signal)
    signal.throwIfAborted()
    switch (found.kind) {
      case 'disk':
        // A disk in a file is read as the image it is.
        return found.disk.bus === 'file'
          ? await examineImage(found.disk.path)
          : examineDevice(found.disk, null)
      case 'volume':
        return examineDevice(found.disk, found.volume.path === found.disk.path ? null : found.volume)
      case 'file':
        return await examineImage(found.path)
      case 'absent':
        return {
          source: null,
          errors: [
            new DeviceError('E_NOT_FOUND', `${found.path} doesn't exist`, { details: { path: found.path } }),
          ],
        }
      case 'other':
        // A sparse bundle is a folder.
        if (found.what === 'a folder') return await examineImage(found.path)
        return { source: null, errors: [notAnImage(found.path, found.what)] }
      default:
        return unreachable(found)
    }
  } catch (error) {
    AppError.accept(error)
    return { source: null, errors: [error] }
  }

  async function examineImage(path: string): Promise<SourceFindings> {
    const { info, layout, least = null } = await io.openImage(path, signal)
    const files = await Promise.all(pathsOf(path, layout).map(async (each) => factsOf(each)))
    const bundle = layout.kind === 'extents' ? layout.bundle : undefined
    if (bundle !== undefined && files[0]?.contents !== bundle.state)
      throw new DeviceError('E_SRC_CHANGED', `${path} changes while it is read`, { details: { path } })
    const source: ImageSource = {
      kind: 'image',
      info: { kind: 'image', locator, name: info.name, image: info },
      layout,
      least,
      files,
      sizeBytes: layout.sizeBytes,
      identity: imageIdentity(files),
      checksums: checksumsOf(layout),
    }
    return { source, errors: layout.sizeBytes === 0 ? [emptyImage(path)] : [] }
  }

  /** Nothing of it is here: what it is, the server says, and every answer of its is compared with the first. */
  async function examineWebImage(): Promise<SourceFindings> {
    const { info, layout, least = null } = await io.openImage(locator, signal, { again })
    const source: ImageSource = {
      kind: 'image',
      info: { kind: 'image', locator: withoutPassword(locator), name: info.name, image: info },
      layout,
      least,
      files: [],
      sizeBytes: layout.sizeBytes,
      identity: webIdentity(layout),
      checksums: checksumsOf(layout),
    }
    return { source, errors: layout.sizeBytes === 0 ? [emptyImage(info.path)] : [] }
  }

  async function examineStream(): Promise<ReceivedSource> {
    const parsed = parseStreamLocator(locator)
    if (parsed === null) throw notAStream(locator)
    await using connection = await io.connectStream(parsed, {
      log: silentLogger,
      signal,
      interface: wanted ?? null,
    })
    const { image, layout, hashes } = await openStreamImage(connection, locator, signal)
    const { info: stream } = connection
    return {
      kind: 'stream',
      info: { kind: 'stream', locator, name: stream.imageName, stream, image },
      locator: parsed,
      locatorText: locator,
      sizeBytes: layout.sizeBytes,
      layout,
      hashes,
      identity: streamIdentity(connection),
    }
  }

  async function factsOf(path: string): Promise<FileFacts> {
    const facts = await io.readFacts(path)
    if (facts === null) throw new DeviceError('E_SRC_GONE', `${path} is gone`, { details: { path } })
    return facts
  }

  function examineDevice(disk: Disk, volume: Volume | null): SourceFindings {
    const path = volume?.path ?? disk.path
    const mountPoints = mountedForWriting(disk, volume)
    const source: DeviceSource = {
      kind: 'device',
      path,
      disk,
      volume,
      mountPoints,
      sizeBytes: (volume ?? disk).sizeBytes,
      identity:
        volume === null
          ? disk.identity
          : `${disk.identity}|${volume.offset}+${volume.sizeBytes}|${volume.path}`,
      info:
        volume === null
          ? { kind: 'disk', locator, name: disk.name, disk }
          : { kind: 'volume', locator, name: volumeName(volume), disk, volume },
    }
    const errors: AppError[] = []
    if (source.sizeBytes === 0)
      errors.push(new DeviceError('E_NOT_FOUND', `${path} holds no medium`, { details: { path } }))
    // What this computer runs from can't be unmounted, and changes while it is read.
    const isSystemMounted = disk.protection?.kind === 'system' && mountPoints.length > 0
    if (isSystemMounted)
      errors.push(
        new DeviceError('E_SRC_IN_USE', `${path} runs this computer and is mounted for writing`, {
          details: { path, holders: ['the system'], mountPoints },
        }),
      )
    if (disk.busy && disk.onlyRead !== true)
      errors.push(
        new DeviceError('E_SRC_IN_USE', `${disk.path} is being written by another job`, {
          details: { path, holders: ['Reprise'] },
        }),
      )
    // A member of an array or a volume group is written by what is built on it.
    if (disk.protection?.kind === 'in-use')
      errors.push(
        new DeviceError('E_SRC_IN_USE', `${path} is in use by ${disk.protection.by}`, {
          details: { path, holders: [disk.protection.by] },
        }),
      )
    // Of the system's disk it is only the member itself: beside an encrypted volume there may be another, which rests.
    const holders = usersOf(disk, volume)
    const isOurs = disk.protection?.kind === 'system' || disk.protection?.kind === 'program'
    if (isOurs && !isSystemMounted && holders.length > 0)
      errors.push(
        new DeviceError('E_SRC_IN_USE', `${path} is in use by ${holders.join(', ')}`, {
          details: { path, holders },
        }),
      )
    return { source, errors }
  }
}

/** In words, each once. What stands on the disk as a whole stands on its partitions too. */
function usersOf({ users = [], path }: Disk, volume: Volume | null): readonly string[] {
  const here = users.filter((user) => volume === null || user.path === volume.path || user.path === path)
  return [...new Set(here.map((user) => user.by))]
}

/** Mounted so that somebody could write to it while it is read. */
const isWritable = (volume: Volume) =>
  volume.mountPoints.length > 0 && !volume.readOnly && volume.mountedReadOnly !== true

/** Where the disk, or only this volume of it, is mounted so. */
export function mountedForWriting(disk: Disk, volume: Volume | null): readonly string[] {
  const volumes = volume === null ? disk.volumes : [volume]
  return volumes.filter(isWritable).flatMap((each) => each.mountPoints)
}

/** It stays mounted while it is read, beside what is going to be unmounted, and nobody can hold it for himself. */
export function isMountedReadOnly({
  disk,
  volume,
  mountPoints,
}: Pick<DeviceSource, 'disk' | 'volume' | 'mountPoints'>): boolean {
  // Of a whole disk all is unmounted, or nothing.
  if (volume === null && mountPoints.length > 0) return false
  // The whole of a hybrid disk may be mounted beside its partitions, and then nobody holds these alone either.
  const isWhole = (each: Volume) => each.index === 0 && !isWritable(each)
  const volumes = volume === null ? disk.volumes : [volume, ...disk.volumes.filter(isWhole)]
  return volumes.some((each) => each.mountPoints.some((point) => !mountPoints.includes(point)))
}

/**
 * Each file of the image once. The one that was named is among them even if it stores no byte of the disk. The folder of a
 * sparse bundle stands for all in it.
 */
function pathsOf(path: string, layout: ImageLayout): readonly string[] {
  if (layout.kind === 'extents' && layout.bundle !== undefined) return [layout.bundle.path]
  return [
    ...new Set([path, ...(layout.kind === 'stream' ? [layout.path] : layout.parts.map((part) => part.path))]),
  ]
}

export const imageIdentity = (files: readonly FileFacts[]): string => files.map(factsIdentity).join('|')

/** The session, and what it brings. */
function streamIdentity({ info, sizeBytes, blockBytes, root }: StreamConnection): string {
  return `stream:${info.session}:${info.imageFormat}:${sizeBytes}:${blockBytes}:${Buffer.from(root).toString('hex')}`
}

/** Connected again for a source that was examined. Throws DeviceError E_SRC_CHANGED when it isn't the same any more. */
export function checkSameStream(source: ReceivedSource, connection: StreamConnection): void {
  if (source.identity === streamIdentity(connection)) return
  const path = source.locatorText
  throw new DeviceError('E_SRC_CHANGED', `${path} isn't what it was when the plan was made`, {
    details: { path },
  })
}

/**
 * Its blocks come in any order: only hashes can tell whether each is right. A disk as it is has those of the stream. Throws
 * FormatError E_SRC_CORRUPT when there are too few of them, or too many.
 */
export function isVerifiable({ hashes, layout, locatorText }: ReceivedSource): boolean {
  return hashes !== null && HashedBlocks.helps(hashes, layout.sizeBytes, locatorText)
}

/** Each file on a server, and what the server says of the state it is in. */
function webIdentity(layout: ImageLayout): string {
  const files = layout.kind === 'stream' ? [layout] : layout.parts
  return [...new Set(files.map(({ path, stamp }) => `web:${path}:${stamp ?? ''}`))].join('|')
}

/** Device, inode, size and time: what `cp` over the file, an editor or another file at its place would change. */
export const factsIdentity = (facts: FileFacts): string =>
  `file:${facts.path}:${facts.device}:${facts.inode}:${facts.sizeBytes}:${facts.modifiedMs}${facts.contents === undefined ? '' : `:${facts.contents}`}`

const notAStream = (locator: string) =>
  new UsageError('E_USAGE', `not a stream's address: ${locator}`, {
    details: {
      input: 'source',
      problem: "This isn't the address of a multicast stream.",
      hint: 'It looks like asr://server, asr://server:7800 or asr://server/session.',
    },
  })

const notAnImage = (path: string, what: string) =>
  new FormatError('E_SRC_FORMAT', `${path} is ${what}, not an image`, {
    details: { format: 'unknown', field: 'kind', offset: 0, found: what, path },
  })

function emptyImage(path: string): FormatError {
  const shown = publicLocator(path)
  return new FormatError('E_SRC_FORMAT', `${shown} is empty`, {
    details: { format: 'raw', field: 'size', offset: 0, found: 0, path: shown },
  })
}
