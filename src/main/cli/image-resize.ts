/** `reprise image resize` and `reprise image compact`: the disk inside an image made larger or smaller, or its files. */
import { basename } from 'node:path'
import type { ImageResizing, ImageTask, JobState } from '#shared/model'
import { formatBytes } from '#shared/units'
import { describeOutcome, describePhase } from '#shared/words'
import { usageError, type OptionTable, type Values } from './arguments.ts'
import { runImageTask, tellUnready } from './image-task.ts'
import { watchInterrupt } from './interrupt.ts'
import { imageLocatorFrom } from './locator.ts'
import { createMarkLines } from './marks.ts'
import { passwordNote, passwordOptions, unlockSource } from './passwords.ts'
import { defineVerb, openLog, type CliContext, type CommonValues } from './verb.ts'

const image = { least: 1, most: 1, placeholder: 'IMAGE' }

const resizeOptions = {
  size: {
    kind: 'size',
    placeholder: 'SIZE',
    most: Number.MAX_SAFE_INTEGER,
    help: 'Of the disk inside: bytes, or a number with b (512 bytes), k, m, g or t.',
  },
  ...passwordOptions,
} as const satisfies OptionTable

export const imageResize = defineVerb({
  name: 'image resize',
  summary: 'Make the disk in a raw or sparse image larger or smaller.',
  synopsis: 'IMAGE --size SIZE [--stdinpass] [--json]',
  notes: [
    'Works on raw images, sparse images and sparse bundles, where they are. File systems stay as large as they are: make them larger afterwards, or smaller before, with their own tools.',
    'Nothing of a partition or a file system is cut off. A disk without a partition map loses nothing but zeros, and those only where it is blank or has a file system that is known. Too small a size is answered with the smallest possible one. The backup of a GPT moves to the new end.',
    passwordNote,
  ],
  options: resizeOptions,
  operands: image,
  async run(context, values, [operand = '']) {
    const path = imageLocatorFrom(context.cwd, operand, 'here')
    const { size } = values
    if (size === null)
      throw usageError('--size', '--size is missing.', 'It is the new size of the disk: 20g.')
    return await run(context, values, { kind: 'resize', path, sizeBytes: size })
  },
})

export const imageCompact = defineVerb({
  name: 'image compact',
  summary: 'Give back what a sparse image stores of zeros.',
  synopsis: 'IMAGE [--stdinpass] [--json]',
  notes: [
    'A sparse bundle loses its bands of zeros where it is. A sparse image is written anew beside the old one, which needs room for both until it takes its place.',
    "What a file system calls free isn't always zeros: fill it with zeros, or discard it, before.",
    passwordNote,
  ],
  options: passwordOptions,
  operands: image,
  async run(context, values, [operand = '']) {
    const path = imageLocatorFrom(context.cwd, operand, 'here')
    return await run(context, values, { kind: 'compact', path })
  },
})

async function run(
  context: CliContext,
  values: CommonValues & Values<typeof passwordOptions>,
  task: Extract<ImageTask, { kind: 'resize' | 'compact' }>,
): Promise<number> {
  const { terminal } = context
  using interrupt = watchInterrupt(terminal, 'Still stopping.')
  const engines = await context.engines(openLog(context, values))
  const names = { source: basename(task.path) }
  try {
    await unlockSource(context, engines, task.path, values, interrupt)
  } catch (error) {
    return tellUnready(context, values, error, { interrupt, names })
  }
  return await runImageTask(context, values, task, {
    engines,
    interrupt,
    names,
    print: markPrinter(task.kind === 'resize' ? 'resizing' : 'compacting'),
    told: (outcome) => `${resizingText(outcome.resize)}${describeOutcome(outcome)}\n`,
  })
}

/** Of what takes its time: most resizing has nothing to show. */
function markPrinter(phase: 'resizing' | 'compacting'): (state: JobState) => string {
  const lines = createMarkLines(describePhase)
  return ({ progress, outcome }) => {
    if (progress?.phase !== phase || progress.totalBytes === null) return ''
    const { percent, doneBytes } = progress
    const how = outcome === null ? 'running' : outcome.kind === 'resized' ? 'done' : 'broken'
    return lines.advance([{ phase, state: how, percent: how === 'done' ? 100 : percent, doneBytes }])
  }
}

function resizingText({ beforeBytes, afterBytes, storedBeforeBytes, storedBytes }: ImageResizing): string {
  return [
    `\tDisk: ${changeText(beforeBytes, afterBytes)}\n`,
    `\tStored: ${changeText(storedBeforeBytes, storedBytes)}\n`,
  ].join('')
}

const changeText = (before: number, after: number) =>
  before === after ? formatBytes(after) : `${formatBytes(after)}, was ${formatBytes(before)}`
