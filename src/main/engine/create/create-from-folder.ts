/**
 * A file system that holds a folder. Without rights, nothing may be mounted; so on Linux it is ext4, whose own program fills
 * a new file system from a folder: owners, permissions, extended attributes, hard and symbolic links, devices and holes stay
 * as they are. It is made larger than needed and then shrunk to fit. On macOS it is HFS+, by hdiutil.
 */
import { realpath, stat, truncate, writeFile } from 'node:fs/promises'
import { basename, join, sep } from 'node:path'
import { openFailure } from '#engine/block-io'
import { checkLevel, openImageTarget, type ImageTarget } from '#engine/convert'
import { openImage } from '#engine/formats/image'
import type { JobContext } from '#engine/job'
import { programFailed, runChecked, type RunProgram } from '#engine/platform'
import { UsageError } from '#shared/errors'
import type { CreateRequest } from '#shared/model'
import { composeDisk } from './compose-disk.ts'
import type { Created } from './created.ts'
import { checkVolumeName } from './make-filesystem.ts'
import { measureFolder, type FolderMeasure } from './measure-folder.ts'
import { toolFailure } from './tool-failure.ts'
import { folderOf, openWorkshop } from './workshop.ts'
import { writeComposed } from './write-composed.ts'

export interface FolderDeps {
  readonly run: RunProgram
  readonly platform: 'linux' | 'darwin' | 'win32'
}

const mib = 1024 ** 2
/** Copying a whole home folder takes its time; Cancel is what ends it before. */
const timeoutMs = 7 * 24 * 3600 * 1000
const watchMs = 500
/** What the estimate is multiplied with when it was too small. */
const growth = 1.5
const attempts = 4

/**
 * Throws UsageError E_USAGE, E_SAME (the image would be in the folder), E_UNSUPPORTED (Windows); DeviceError E_DENIED with the
 * path that can't be read, E_DEVICE_TOOL, the target's; the signal's reason.
 */
export async function createFromFolder(
  request: CreateRequest,
  folder: string,
  deps: FolderDeps,
  context: JobContext,
): Promise<Created> {
  const { signal } = context
  checkLevel(request)
  if (deps.platform === 'win32') throw notHere()
  context.enter('validating-source')
  await checkFolder(folder, request.target)
  const volumeName = request.volumeName ?? nameOf(folder, deps.platform === 'linux' ? 16 : 255)
  const limit = deps.platform === 'linux' ? 16 : 255
  checkVolumeName(volumeName, deps.platform === 'linux' ? 'ext4' : 'HFS+', { most: limit, unit: 'bytes' })
  const measure = await measureFolder(folder, signal)
  await using target = await openImageTarget(request)
  await using workshop = await openWorkshop(request.target)
  const work = {
    folder,
    volumeName,
    measure,
    target,
    targetPath: request.target,
    path: join(workshop.path, 'volume'),
    context,
    run: deps.run,
  }
  return deps.platform === 'linux'
    ? await byMke2fs(work)
    : await byHdiutil({ ...work, path: `${work.path}.dmg` })
}

interface Work {
  readonly folder: string
  readonly volumeName: string
  readonly measure: FolderMeasure
  readonly target: ImageTarget
  readonly targetPath: string
  /** Of the file to put the file system in. */
  readonly path: string
  readonly context: JobContext
  readonly run: RunProgram
}

async function byMke2fs(work: Work): Promise<Created> {
  const { path, volumeName, measure, target, context } = work
  await fillExt4(work)
  const shrink = ['-M', path]
  const result = await work.run('resize2fs', shrink, { timeoutMs, signal: context.signal })
  if (result.status !== 0) throw await toolFailure(result, shrink, work)
  const { size: sizeBytes } = await stat(path)
  const disk = await composeDisk(
    { sizeBytes, map: null, volume: { path, offset: 0, sizeBytes } },
    context.log,
  )
  const partition = { index: 0, name: null, type: 'whole disk', offset: 0, sizeBytes }
  const partitions = [{ ...partition, filesystem: 'ext4', label: volumeName }]
  const contents = { partitionMap: 'none', partitions, sizeBytes } as const
  const sizes = await writeComposed(disk, { contents, target, context })
  const { entries, contentBytes } = measure
  return {
    ...sizes,
    usedBytes: disk.usedBytes,
    way: { kind: 'folder', filesystem: 'ext4', tool: 'mke2fs', entries, contentBytes },
    warnings: [],
  }
}

async function fillExt4({
  folder,
  volumeName,
  measure,
  path,
  targetPath,
  context,
  run,
}: Work): Promise<void> {
  const { signal } = context
  const { uid, gid, mode, mtimeMs } = await stat(folder)
  for (let attempt = 0; ; attempt++) {
    const factor = growth ** attempt
    const inodes = Math.ceil((measure.entries * 1.02 + 64) * factor)
    const leastBytes = (measure.blockBytes * 1.03 + 24 * mib) * factor + inodes * 256
    const sizeBytes = Math.ceil(leastBytes / mib) * mib
    await writeFile(path, '', { mode: 0o600 })
    await truncate(path, sizeBytes)
    context.enter('building', measure.blockBytes)
    using _ = watchGrowth(path, context)
    const flags = ['-q', '-F', '-t', 'ext4', '-b', '4096', '-m', '0', '-N', String(inodes)]
    const named = volumeName === '' ? [] : ['-L', volumeName]
    const args = [...flags, '-E', `root_owner=${uid}:${gid}`, ...named, '-d', folder, path]
    const result = await run('mke2fs', args, { timeoutMs, signal })
    if (result.status === 0) return await keepRoot(path, { mode, mtimeMs, run, signal })
    const isFull = /could not allocate|no free space|too small|no space left in/i.test(result.stderr)
    if (!isFull || attempt + 1 >= attempts)
      throw await toolFailure(result, args, { path, targetPath, folder })
  }
}

/** mke2fs gives the folder itself, which becomes the root, neither its permissions nor its time. Throws E_DEVICE_TOOL. */
async function keepRoot(
  path: string,
  {
    mode,
    mtimeMs,
    run,
    signal,
  }: Pick<Work, 'run'> & { readonly mode: number; readonly mtimeMs: number; readonly signal: AbortSignal },
): Promise<void> {
  const orders = `${path}-root`
  const fields = [`mode 0${mode.toString(8)}`, `mtime @${Math.floor(mtimeMs / 1000)}`]
  await writeFile(orders, fields.map((field) => `set_inode_field <2> ${field}\n`).join(''))
  const args = ['-w', '-f', orders, path]
  const result = await run('debugfs', args, { timeoutMs, signal })
  // Its status says nothing of what it was told to do; its version is all that it has to say otherwise.
  const said = result.stderr.replace(/^debugfs \d.*\n?/, '')
  if (result.status !== 0 || said !== '') throw programFailed({ ...result, stderr: said }, args)
}

/** What the file takes up by now is how far it is. */
function watchGrowth(path: string, context: JobContext): Disposable {
  const timer = setInterval(() => {
    stat(path).then(
      ({ blocks }) => context.advance(blocks * 512),
      () => undefined,
    )
  }, watchMs)
  return { [Symbol.dispose]: () => clearInterval(timer) }
}

async function byHdiutil({
  folder,
  volumeName,
  measure,
  path,
  target,
  context,
  run,
}: Work): Promise<Created> {
  const { signal } = context
  context.enter('building')
  const options = [
    '-srcfolder',
    folder,
    '-volname',
    volumeName,
    '-fs',
    'HFS+',
    '-format',
    'UDRO',
    '-nospotlight',
  ]
  await runChecked(run, 'hdiutil', ['create', '-quiet', ...options, path], { timeoutMs, signal })
  const { info, layout } = await openImage(path, { signal })
  if (layout.kind !== 'extents') throw new Error('hdiutil wrote something else than an image')
  const { entries, contentBytes } = measure
  const sizes = await writeComposed({ layout }, { contents: info, target, context })
  return {
    ...sizes,
    usedBytes: info.dataBytes ?? sizes.sizeBytes,
    way: { kind: 'folder', filesystem: 'hfsplus', tool: 'hdiutil', entries, contentBytes },
    warnings: [],
  }
}

async function checkFolder(folder: string, target: string): Promise<void> {
  let isFolder: boolean
  try {
    isFolder = (await stat(folder)).isDirectory()
  } catch (error) {
    throw openFailure(error, folder, 'source')
  }
  if (!isFolder) {
    const problem = `'${folder}' isn't a folder.`
    throw new UsageError('E_USAGE', problem, { details: { input: 'folder', problem } })
  }
  const inside = await realpath(folder)
  const place = await realpath(await folderOf(target)).catch(() => null)
  if (place !== null && (place === inside || place.startsWith(inside.endsWith(sep) ? inside : inside + sep)))
    throw new UsageError('E_SAME', `${target} is in ${folder}`, {
      details: { input: 'target', source: folder, target },
    })
}

/** As much of the folder's name as fits; nothing for a name that can't be one. */
function nameOf(folder: string, mostBytes: number): string {
  let name = basename(folder)
    .replaceAll(/\p{Cc}/gu, '')
    .replace(/^-+/, '')
  while (Buffer.byteLength(name) > mostBytes) name = Array.from(name).slice(0, -1).join('')
  return name
}

function notHere(): UsageError {
  const problem = "Images of folders can't be made on Windows yet."
  return new UsageError('E_UNSUPPORTED', problem, { details: { input: 'folder', problem } })
}
