/** `reprise imagescan`: scans an image for restore, in asr's words. */
import { realpath, statfs } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { UsageError } from '#shared/errors'
import type { ImageInfo, ImageScan, ImageTask, JobPhase, JobState } from '#shared/model'
import { formatBytes } from '#shared/units'
import { usageError, type OptionTable } from './arguments.ts'
import { memoryOptions } from './asr-options.ts'
import { runImageTask, tellUnready } from './image-task.ts'
import { untilInterrupted, watchInterrupt } from './interrupt.ts'
import { jsonLine } from './json-lines.ts'
import { imageLocatorFrom } from './locator.ts'
import { createMarkLines } from './marks.ts'
import type { Pass } from './passes.ts'
import { printable } from './printable.ts'
import { defineVerb, openLog, type CliContext, type CommonValues } from './verb.ts'

const imagescanOptions = {
  source: { kind: 'text', letter: 's', placeholder: 'IMAGE', help: 'A UDIF image (.dmg).' },
  nostream: { kind: 'flag', help: "Don't put the image's data in order for multicasting." },
  allowfragmentedcatalog: { kind: 'flag', help: 'Scan an HFS+ volume whose catalog is fragmented, too.' },
  // For scripts of earlier versions, which asked for the password of an image that can't be scanned.
  stdinpass: { kind: 'flag', help: null },
  // For old scripts: what a file copy would need besides, asr never computes any more either.
  blockonly: { kind: 'flag', help: null },
  ...memoryOptions,
} as const satisfies OptionTable

const untouched = 'The image is as it was.'

export const imagescan = defineVerb({
  name: 'imagescan',
  summary: 'Scan an image for restore: store checksums in it, and put it in order.',
  synopsis: '--source IMAGE [--nostream] [--allowfragmentedcatalog]',
  notes: [
    'Digests of each partition and of every block are computed and stored in the image. A restore compares them, and writes only what changed where it is asked to.',
    'An image whose data is not in the order of the disk is written anew, which needs as much free space as the image. The old file stays until the new one is complete and was read again.',
  ],
  options: imagescanOptions,
  operands: { least: 0, most: 1, placeholder: 'IMAGE' },
  async run(context, values, [operand]) {
    if (values.source !== null && operand !== undefined)
      throw usageError(operand, 'The image is named twice.', 'Name it with --source alone.')
    const source = values.source ?? operand
    if (source === undefined)
      throw usageError('--source', '--source is missing.', 'It names the image to scan.')
    const path = imageLocatorFrom(context.cwd, source, 'here')
    return await scanImage(context, values, {
      path,
      reorder: !values.nostream,
      allowFragmentedCatalog: values.allowfragmentedcatalog,
    })
  },
})

/** Scan an image's file, in asr's words. Resolves to the exit status; everything has been told then. */
export async function scanImage(
  context: CliContext,
  values: CommonValues,
  { path, reorder, allowFragmentedCatalog }: Omit<Extract<ImageTask, { kind: 'scan' }>, 'kind'>,
): Promise<number> {
  const { terminal } = context
  const names = { source: basename(path) }
  using interrupt = watchInterrupt(terminal, 'Still stopping.')
  const engines = await context.engines(openLog(context, values))
  try {
    // Nobody is asked for a password that would open it in vain.
    if (await untilInterrupted(engines.isLocked(path, interrupt.signal), interrupt)) throw encrypted(path)
    const info = await untilInterrupted(engines.imageInfo(path), interrupt)
    if (values.json) terminal.write(jsonLine('image', info))
    else if (reorder && mayReorder(info)) terminal.write(await reorderText(info))
  } catch (error) {
    return tellUnready(context, values, error, { interrupt, names, lastWords: untouched })
  }
  const task = { kind: 'scan', path, reorder, allowFragmentedCatalog } as const
  return await runImageTask(context, values, task, {
    engines,
    interrupt,
    names,
    print: createScanLines(),
    told: ({ scan }) => scanText(scan),
    lastWords: untouched,
  })
}

function encrypted(path: string): UsageError {
  const problem = `'${basename(path)}' is encrypted and can't be scanned.`
  const hint = 'Convert it to an image without encryption, and scan that.'
  return new UsageError('E_UNSUPPORTED', problem, { details: { input: path, problem, hint } })
}

/** What is encrypted or lies in several files is refused, and not put in order. */
const mayReorder = ({ inOrder, encrypted, segmentCount }: ImageInfo) =>
  inOrder === false && encrypted === null && segmentCount === 1

/** What will happen to an image that isn't in order, before it does. */
async function reorderText({ path, name, storedBytes }: ImageInfo): Promise<string> {
  // The new file is made where the old one lies, behind a link or not.
  const free = await realpath(path)
    .then((real) => statfs(dirname(real)))
    .catch(() => null)
  const room = free === null ? '' : `; ${formatBytes(free.bavail * free.bsize)} are free`
  return printable(
    `'${name}' isn't in order for multicasting and will be rewritten, which takes ${formatBytes(storedBytes)} of free space until it is done${room}.`,
  ).concat('\n')
}

/** asr's two lines: `Block checksum: ....10....20`, and `Reordering:     ....10` below it. */
const labels: { readonly [phase in JobPhase]?: string } = {
  scanning: 'Block checksum: ',
  reordering: 'Reordering:     ',
}

function createScanLines(): (state: JobState) => string {
  const lines = createMarkLines(
    (phase) => labels[phase] ?? '',
    (label) => label,
  )
  return (state) => lines.advance(passesOf(state)) + (state.outcome === null ? '' : lines.close())
}

function passesOf({ phases, progress, outcome }: JobState): readonly Pass<JobPhase>[] {
  const passes: Pass<JobPhase>[] = []
  for (const { phase, state } of phases) {
    if (labels[phase] === undefined || state === 'pending' || state === 'skipped') continue
    const isCurrent = progress?.phase === phase
    const isDone = state === 'done' && outcome?.kind !== 'failed' && outcome?.kind !== 'cancelled'
    passes.push({
      phase,
      state: state === 'current' ? 'running' : isDone || !isCurrent ? 'done' : 'broken',
      percent:
        state === 'current' && isCurrent
          ? progress.percent
          : isDone || !isCurrent
            ? 100
            : (progress.percent ?? 0),
      doneBytes: isCurrent ? progress.doneBytes : 0,
    })
  }
  return passes
}

function scanText({ path, stored, inOrder, signatureRemoved, beforeBytes, storedBytes }: ImageScan): string {
  return [
    stored === 'kept' ? 'It was scanned before, and all of it is still right: nothing was written.' : null,
    stored === 'reordered'
      ? `The image is in order now: ${formatBytes(beforeBytes)} before, ${formatBytes(storedBytes)} now.`
      : null,
    inOrder
      ? null
      : "The image isn't in order, so it can't be multicast. Scan it without --nostream for that.",
    signatureRemoved ? "Its code signature doesn't hold for the changed file and was removed." : null,
    `successfully scanned image "${path}"`,
  ]
    .filter((line) => line !== null)
    .map((line) => `${printable(line)}\n`)
    .join('')
}
