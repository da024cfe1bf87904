/** The preflight of receiving a stream's image into a file: where it will be, is there room, what is there already. Touches nothing. */
import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { access, realpath, stat, statfs } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import {
  errnoOf,
  openFailure,
  refuseDanglingLink,
  refuseFolderName,
  refuseMissingDevice,
} from '#engine/block-io'
import { notComparable, type StreamConnection } from '#engine/stream-connection'
import { AppError, DeviceError, serializeError, UsageError } from '#shared/errors'
import { silentLogger, type Logger } from '#shared/log'
import {
  parseStreamLocator,
  type ImageInfo,
  type Loss,
  type PreflightCheck,
  type RestorePlan,
  type RestoreRequest,
  type SourceInfo,
  type StreamLocator,
  type TargetInfo,
} from '#shared/model'
import { fileIdentity } from './agreed-file.ts'
import { lookAtPart, partExists, partPath } from './part-file.ts'
import { journalPlace } from './part-journal.ts'

/** The way to a stream, with the password that was given for it. Rejects with NetworkError, the signal's reason. */
export type OpenStream = (
  locator: StreamLocator,
  options: { readonly log: Logger; readonly signal: AbortSignal; readonly interface: string | null },
) => Promise<StreamConnection>

export interface FilePlanning {
  readonly connect: OpenStream
  /** What the stream called `path` says of the disk inside; null where it isn't an image that can be opened. Rejects as `connect` does. */
  readonly readImage: (
    stream: StreamConnection,
    path: string,
    signal: AbortSignal,
  ) => Promise<ImageInfo | null>
  readonly signal: AbortSignal
}

/** A plan with a refusal is an answer, not an error; rejects only with the reason of `signal`. */
export async function planFile(
  request: RestoreRequest,
  { connect, readImage, signal }: FilePlanning,
): Promise<RestorePlan> {
  const checks: PreflightCheck[] = []
  const fail = (step: PreflightCheck['step'], error: unknown) => {
    signal.throwIfAborted()
    AppError.accept(error)
    checks.push({ step, state: 'failed', kind: 'error', error: serializeError(error) })
  }
  let source: SourceInfo | null = null
  let sourceIdentity: string | undefined
  let target: TargetInfo | null = null
  let losses: readonly Loss[] = []
  try {
    await using stream = await connect(locatorOf(request.source), {
      log: silentLogger,
      signal,
      interface: request.interface ?? null,
    })
    source = {
      kind: 'stream',
      locator: request.source,
      name: stream.info.imageName,
      stream: stream.info,
      image: await readImage(stream, request.source, signal),
    }
    sourceIdentity = identityOf(stream)
    if (request.changedOnly) throw notComparable(request.source)
    try {
      const found = await examineFile(request, stream)
      ;({ target, losses } = found)
      checks.push({ step: 'target', state: 'ok', kind: 'target-ok', name: target.name, sizeBytes: null })
      for (const { name } of losses)
        checks.push({ step: 'target', state: 'warning', kind: 'losses', names: [name] })
      checks.push(sourceCheck(stream), found.room)
    } catch (error) {
      fail('target', error)
      checks.push(sourceCheck(stream))
    }
  } catch (error) {
    fail('source', error)
  }
  const failed = checks.find((check) => check.state === 'failed')
  return {
    planId: randomUUID(),
    request,
    source,
    ...(sourceIdentity === undefined ? {} : { sourceIdentity }),
    target,
    checks,
    losses,
    confirmation: { kind: 'plain' },
    refusal: failed?.kind === 'error' ? failed.error : null,
    needsPrivilege: false,
  }
}

/** Throws UsageError E_USAGE. */
export function locatorOf(source: string): StreamLocator {
  const locator = parseStreamLocator(source)
  if (locator !== null) return locator
  throw new UsageError('E_USAGE', `not a stream's address: ${source}`, {
    details: {
      input: 'source',
      problem: "This isn't the address of a multicast stream.",
      hint: 'It looks like asr://server, asr://server:7800 or asr://server/session.',
    },
  })
}

/** Tells one stream from another. */
export const identityOf = ({ info, sizeBytes, blockBytes, root }: StreamConnection): string =>
  `stream:${info.session}:${sizeBytes}:${blockBytes}:${Buffer.from(root).toString('hex')}`

const sourceCheck = ({ info }: StreamConnection): PreflightCheck => ({
  step: 'source',
  state: 'ok',
  kind: 'source-ok',
  name: info.imageName,
  format: info.imageFormat,
  checksums: 'inside',
})

async function examineFile(request: RestoreRequest, stream: StreamConnection) {
  const asked = await placeOf(request.target, stream.info.imageName)
  const old = await facts(asked)
  if (old === null) refuseMissingDevice(asked)
  if (old === null) await refuseDanglingLink(asked)
  // Behind a link: the link stays, what it leads to is replaced.
  const path = old === null ? asked : await realpath(asked)
  if (old !== null && !old.isFile()) throw wrongKind(path, 'not a plain file')
  if (old !== null && !request.erase)
    throw new UsageError('E_DST_EXISTS', `${path} exists, and Erase wasn't given`, {
      details: { input: 'erase', path, sizeBytes: old.size },
    })
  const folder = dirname(path)
  try {
    await access(folder, constants.W_OK | constants.X_OK)
  } catch (error) {
    throw openFailure(error, folder, 'destination')
  }
  const part = await lookAtPart(partPath(path), stream)
  if (part.kind === 'foreign' && !request.erase) throw partExists(partPath(path))
  const { bavail, bsize } = await statfs(folder)
  const availableBytes = bavail * bsize + (part.kind === 'absent' ? 0 : part.allocatedBytes)
  const name = basename(path)
  const target: TargetInfo = {
    kind: 'file',
    path,
    name,
    sizeBytes: null,
    bus: 'file',
    identity: fileIdentity(path, old),
    mountPoints: [],
    disk: null,
    ...(old === null ? {} : { exists: true }),
  }
  const losses = [
    ...(old === null || old.size === 0 ? [] : [fileLoss(path, old.size)]),
    ...(part.kind === 'foreign' ? [fileLoss(partPath(path), part.sizeBytes)] : []),
  ]
  return { target, losses, room: roomCheck(path, journalPlace(stream).endBytes, availableBytes) }
}

const fileLoss = (path: string, sizeBytes: number): Loss => ({
  kind: 'file',
  name: basename(path),
  path,
  filesystem: null,
  sizeBytes,
  usedBytes: null,
  mountPoints: [],
})

function roomCheck(path: string, neededBytes: number, availableBytes: number): PreflightCheck {
  if (neededBytes <= availableBytes)
    return { step: 'sizes', state: 'ok', kind: 'fits', neededBytes, availableBytes }
  const error = new DeviceError('E_DST_FULL', `no room for ${path}`, {
    details: { path, neededBytes, availableBytes },
  })
  return { step: 'sizes', state: 'failed', kind: 'error', error: serializeError(error) }
}

/** In a folder it gets the image's own name. */
async function placeOf(target: string, imageName: string): Promise<string> {
  const found = await facts(target)
  if (found?.isDirectory() === true) return join(target, safeName(imageName))
  if (found !== null && !found.isFile()) throw wrongKind(target, 'not a plain file')
  if (found === null) refuseFolderName(target)
  if (found === null && !((await facts(dirname(target)))?.isDirectory() ?? false))
    throw new DeviceError('E_NOT_FOUND', `there is no folder ${dirname(target)}`, {
      details: { path: dirname(target) },
    })
  return target
}

/** A server may call its image what it likes: here it is a file's name, and never a path. */
export function safeName(imageName: string): string {
  // In front, a dot hides a file, and blanks may hide the dot.
  const visible = (name: string) => name.replace(/^[.\s]+/, '').trimEnd()
  let name = visible(imageName.replaceAll(/[\\/:\0]/g, '_'))
  // With `.part` behind it, it has to fit into 255 bytes.
  while (Buffer.byteLength(name) > 240) name = visible(name.slice(1))
  return name === '' ? 'image.dmg' : name
}

async function facts(path: string) {
  try {
    return await stat(path)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return null
    throw openFailure(error, path, 'destination')
  }
}

const wrongKind = (path: string, what: string) =>
  new UsageError('E_DST_KIND', `${path} is ${what}`, { details: { input: 'target', path, what } })
