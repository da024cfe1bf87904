/** `reprise image create`: a new image, blank, of a folder or of a device. */
import {
  creatableFilesystems,
  creatableMaps,
  type CreateRequest,
  type CreateSource,
  type ImageCreation,
  type JobPhase,
  type JobState,
} from '#shared/model'
import { formatBytes, formatRate, formatShare } from '#shared/units'
import {
  describeCreationWay,
  describeWhole,
  describeFormat,
  describeOutcome,
  describePhase,
  describeTargetState,
  inTerminal,
} from '#shared/words'
import { noOperands, usageError, type OptionTable, type Values } from './arguments.ts'
import { runImageTask, tellUnready } from './image-task.ts'
import { watchInterrupt } from './interrupt.ts'
import { ownPathFrom } from './locator.ts'
import { createMarkLines } from './marks.ts'
import { newPassword } from './passwords.ts'
import { printable } from './printable.ts'
import { defineVerb, openLog } from './verb.ts'
import { formatNotes, readWrittenImage, writtenImage } from './written-image.ts'

const createOptions = {
  target: writtenImage.target,
  format: writtenImage.format,
  size: {
    kind: 'size',
    placeholder: 'SIZE',
    most: Number.MAX_SAFE_INTEGER,
    help: 'A blank disk of this size: bytes, or a number with b (512 bytes), k, m, g or t.',
  },
  map: {
    kind: 'choice',
    choices: creatableMaps,
    help: 'The partition map of a blank disk, with one partition. Without it none.',
  },
  filesystem: {
    kind: 'choice',
    choices: creatableFilesystems,
    placeholder: 'FS',
    help: 'The file system of a blank disk, see below.',
  },
  folder: { kind: 'text', placeholder: 'DIR', help: 'A file system that holds this folder.' },
  source: {
    kind: 'text',
    letter: 's',
    placeholder: 'DEVICE',
    help: 'A disk or a partition: a /dev entry or a mount point.',
  },
  'volume-name': { kind: 'text', placeholder: 'NAME', help: 'The name of the file system that is made.' },
  level: writtenImage.level,
  encryption: {
    kind: 'choice',
    choices: ['AES-256'],
    placeholder: 'AES-256',
    help: 'Encrypt the image with a password.',
  },
  stdinpass: { kind: 'flag', help: 'Read the password from standard input.' },
  erase: writtenImage.erase,
} as const satisfies OptionTable

export const imageCreate = defineVerb({
  name: 'image create',
  summary: 'Make a new image: blank, of a folder or of a device.',
  synopsis: '--target FILE --format FORMAT --size SIZE|--folder DIR|--source DEVICE [options]',
  notes: [
    ...formatNotes,
    `File systems: ${creatableFilesystems.join(', ')}.`,
    "A blank disk's file system is made by the system's own program for it (mke2fs, mkfs.xfs, …), without administrator rights.",
    'A folder becomes an ext4 volume, made by mke2fs and as small as it can be; on a Mac an HFS+ volume, made by hdiutil. Owners, permissions, links and extended attributes stay as they are.',
    'Of a device only used blocks are read where its file system is understood (ext2, ext3, ext4, XFS, Btrfs, FAT, exFAT, NTFS, HFS+) and was unmounted cleanly; everything else is read whole. Volumes that are mounted for writing are unmounted meanwhile. Reading a device needs administrator rights.',
    'The target gets its name when all of it is written: a failure or Ctrl-C leaves what was there before.',
  ],
  options: createOptions,
  operands: noOperands,
  async run(context, values) {
    const { terminal } = context
    const request = readRequest(values, context.cwd)
    const names = { source: sourceName(request.from), target: request.target }
    const lastWords = printable(
      describeTargetState('untouched', { kind: 'file', name: request.target, disk: null }),
    )
    using interrupt = watchInterrupt(terminal, 'Still stopping.')
    let encryption: CreateRequest['encryption'] = null
    try {
      if (values.encryption !== null) encryption = { password: await newPassword(context, values, interrupt) }
    } catch (error) {
      return tellUnready(context, values, error, { interrupt, names, lastWords })
    }
    const engines = await context.engines(openLog(context, values))
    const task = { kind: 'create', ...request, encryption } as const
    let warnings: ImageCreation['warnings'] = []
    const status = await runImageTask(context, values, task, {
      engines,
      interrupt,
      names,
      print: createTextProgress(),
      told(outcome) {
        warnings = outcome.creation.warnings
        return `${creationText(outcome.creation)}${describeOutcome(outcome)}\n`
      },
      lastWords,
    })
    for (const warning of warnings)
      terminal.writeError(`Warning: ${printable(describeWhole(warning, inTerminal(names)))}\n`)
    return status
  },
})

/** Throws UsageError. */
function readRequest(values: Values<typeof createOptions>, cwd: string): CreateRequest {
  const written = readWrittenImage(values, cwd)
  const volumeName = values['volume-name']
  const from = readSource(values, cwd)
  // Who gives a password doesn't expect an image that everybody can read.
  if (values.stdinpass && values.encryption === null)
    throw usageError('--stdinpass', '--stdinpass is for encrypted images.', 'Add --encryption AES-256.')
  if (volumeName !== null && (from.kind === 'device' || (from.kind === 'blank' && from.filesystem === null)))
    throw usageError(
      '--volume-name',
      'Only a file system that is made gets a name.',
      'Leave --volume-name out.',
    )
  return { ...written, encryption: null, volumeName, from }
}

function readSource(values: Values<typeof createOptions>, cwd: string): CreateSource {
  const { size, folder, source } = values
  const map = values.map as (typeof creatableMaps)[number] | null
  const filesystem = values.filesystem as (typeof creatableFilesystems)[number] | null
  const given = [size, folder, source].filter((value) => value !== null).length
  if (given !== 1)
    throw usageError(
      '--size',
      given === 0 ? "What the image is made of isn't said." : 'The image can only be made of one thing.',
      'Give --size for a blank one, --folder, or --source for a disk or a partition.',
    )
  if (size !== null) return { kind: 'blank', sizeBytes: size, partitionMap: map ?? 'none', filesystem }
  const extra = map === null ? (filesystem === null ? null : '--filesystem') : '--map'
  if (extra !== null)
    throw usageError(extra, `${extra} is for blank images.`, `Leave ${extra} out, or give --size.`)
  return folder === null
    ? { kind: 'device', path: ownPathFrom(cwd, '--source', source ?? '') }
    : { kind: 'folder', path: ownPathFrom(cwd, '--folder', folder) }
}

const sourceName = (from: CreateSource): string => (from.kind === 'blank' ? 'a blank disk' : from.path)

const shown: readonly JobPhase[] = ['building', 'creating']

/** A line for the file system that is made, if one is, and one for the image. */
function createTextProgress(): (state: JobState) => string {
  const lines = createMarkLines(describePhase)
  return ({ phases, progress, outcome }) => {
    const passes = phases.flatMap(({ phase, state }) => {
      if (!shown.includes(phase) || (state !== 'current' && state !== 'done' && state !== 'failed')) return []
      const now = progress?.phase === phase ? progress : null
      const isDone = state === 'done'
      const percent = isDone ? 100 : (now?.percent ?? null)
      const how = isDone ? ('done' as const) : state === 'failed' ? ('broken' as const) : ('running' as const)
      return [{ phase, state: how, percent, doneBytes: now?.doneBytes ?? 0 }]
    })
    return lines.advance(passes) + (outcome === null ? '' : lines.close())
  }
}

function creationText(creation: ImageCreation): string {
  const { target, format, sizeBytes, storedBytes, usedBytes, durationMs, bytesPerSecond, way } = creation
  const seconds = (durationMs / 1000).toFixed(2)
  const ratio = `${formatBytes(storedBytes)} (${formatShare(storedBytes, sizeBytes)})`
  return [
    ...describeCreationWay(way).map((line) => `\t${printable(line)}\n`),
    `\tTarget: ${describeFormat(format)}, a disk of ${formatBytes(sizeBytes)}, ${formatBytes(usedBytes)} of it in use, in ${ratio}\n`,
    `\tCreated in ${seconds} seconds, ${formatRate(bytesPerSecond)}\n`,
    `\tWritten to ${printable(target)}\n`,
  ].join('')
}
