/** `reprise image convert`: what the source is, the progress, and what became of it. */
import type { ConvertRequest, ImageConversion, ImageInfo, JobState } from '#shared/model'
import { formatBytes, formatRate, formatShare } from '#shared/units'
import {
  comparedSize,
  conversionTime,
  describeFormat,
  describeOutcome,
  describePhase,
  describeTargetState,
  type Names,
} from '#shared/words'
import { noOperands, usageError, type OptionTable, type Values } from './arguments.ts'
import { tellFetching } from './fetching.ts'
import { runImageTask, tellUnready } from './image-task.ts'
import { untilInterrupted, watchInterrupt } from './interrupt.ts'
import { jsonLine } from './json-lines.ts'
import { imageLocatorFrom, nameOfLocator } from './locator.ts'
import { createMarkLines } from './marks.ts'
import { newPassword, passwordNote, unlockSource } from './passwords.ts'
import { printable } from './printable.ts'
import { defineVerb, openLog } from './verb.ts'
import { createWorkOutput } from './work-output.ts'
import { formatNotes, readWrittenImage, writtenImage } from './written-image.ts'

const convertOptions = {
  source: {
    kind: 'text',
    letter: 's',
    placeholder: 'IMAGE',
    help: 'An image of any format that can be read.',
  },
  target: writtenImage.target,
  format: writtenImage.format,
  level: writtenImage.level,
  encryption: {
    kind: 'choice',
    choices: ['AES-256'],
    placeholder: 'AES-256',
    help: 'Encrypt the target with a password.',
  },
  stdinpass: {
    kind: 'flag',
    help: "Read passwords from standard input: the source's, then the new one.",
  },
  segmentsize: {
    kind: 'size',
    placeholder: 'SIZE',
    most: Number.MAX_SAFE_INTEGER,
    help: 'Cut a UDIF target into files of at most SIZE: target.dmg, target.002.dmgpart, …',
  },
  // hdiutil's word.
  segmentSize: { kind: 'size', placeholder: 'SIZE', most: Number.MAX_SAFE_INTEGER, help: null },
  erase: writtenImage.erase,
} as const satisfies OptionTable

export const imageConvert = defineVerb({
  name: 'image convert',
  summary: 'Convert an image to another format.',
  synopsis: '--source IMAGE --target FILE --format FORMAT [options]',
  notes: [
    ...formatNotes,
    "The source's checksums are compared on the way. The target gets its name when all of it is written: a failure or Ctrl-C leaves what was there before.",
    passwordNote,
    'With --encryption the target can only be opened with a password, which is asked twice, or comes from standard input: behind a NUL when the source has one, too.',
  ],
  options: convertOptions,
  operands: noOperands,
  async run(context, values) {
    const { terminal } = context
    const request = readRequest(values, context.cwd)
    const names: Names = { source: nameOfLocator(request.source), target: request.target }
    const lastWords = printable(
      describeTargetState('untouched', { kind: 'file', name: request.target, disk: null }),
    )
    using interrupt = watchInterrupt(terminal, 'Still stopping.')
    const engines = await context.engines(openLog(context, values))
    const output = createWorkOutput(terminal)
    const as = values.json ? 'json' : 'text'
    using _fetching = tellFetching(engines, { ...context, output, as, target: null })
    let info: ImageInfo
    let encryption: ConvertRequest['encryption'] = null
    try {
      await unlockSource(context, engines, request.source, values, interrupt)
      info = await untilInterrupted(engines.imageInfo(request.source), interrupt)
      if (values.encryption !== null) encryption = { password: await newPassword(context, values, interrupt) }
    } catch (error) {
      return tellUnready(context, values, error, { interrupt, names, lastWords })
    }
    terminal.write(values.json ? jsonLine('image', info) : sourceText(info, request))
    const task = { kind: 'convert', ...request, encryption } as const
    return await runImageTask(context, values, task, {
      engines,
      interrupt,
      names,
      print: createTextProgress(),
      told: (outcome) => `${conversionText(outcome.conversion)}${describeOutcome(outcome)}\n`,
      lastWords,
      output,
    })
  },
})

/** Throws UsageError. */
function readRequest(values: Values<typeof convertOptions>, cwd: string): ConvertRequest {
  const { source } = values
  if (source === null) throw usageError('--source', '--source is missing.', 'It names the image to convert.')
  if (values.segmentsize !== null && values.segmentSize !== null)
    throw usageError('--segmentsize', '--segmentsize is given twice.')
  return {
    source: imageLocatorFrom(cwd, source),
    ...readWrittenImage(values, cwd),
    segmentBytes: values.segmentsize ?? values.segmentSize,
    encryption: null,
  }
}

/** One line, from when the source was opened. */
function createTextProgress(): (state: JobState) => string {
  const lines = createMarkLines(describePhase)
  return ({ progress, outcome }) => {
    const { percent = null, doneBytes = 0 } = progress?.phase === 'converting' ? progress : {}
    const begun = progress?.phase === 'converting'
    if (outcome === null)
      return begun ? lines.advance([{ phase: 'converting', state: 'running', percent, doneBytes }]) : ''
    const good = outcome.kind === 'converted'
    const last =
      good || begun
        ? lines.advance([
            {
              phase: 'converting',
              state: good ? 'done' : 'broken',
              percent: good ? 100 : percent,
              doneBytes,
            },
          ])
        : ''
    return last + lines.close()
  }
}

function sourceText(info: ImageInfo, request: ConvertRequest): string {
  const { format, sizeBytes, storedBytes } = info
  const time = conversionTime(info, request)
  const size =
    sizeBytes === null
      ? `${formatBytes(storedBytes)}, and how much is in it isn't known before all has been read`
      : storedText(sizeBytes, storedBytes)
  return `\tSource: ${describeFormat(format)}, ${size}\n${time === null ? '' : `\tTakes ${time}\n`}`
}

export function conversionText(conversion: ImageConversion): string {
  const { target, format, sizeBytes, storedBytes, sourceStoredBytes, durationMs, bytesPerSecond } = conversion
  const seconds = (durationMs / 1000).toFixed(2)
  return [
    `\tTarget: ${describeFormat(format)}, ${storedText(sizeBytes, storedBytes)}\n`,
    `\t${comparedSize(storedBytes, sourceStoredBytes)}\n`,
    `\t${formatBytes(sizeBytes)} converted in ${seconds} seconds, ${formatRate(bytesPerSecond)}\n`,
    `\tWritten to ${printable(target)}\n`,
  ].join('')
}

/** `10.5 MB disk in 16.4 kB, 0.2 %`. */
const storedText = (sizeBytes: number, storedBytes: number) =>
  `a disk of ${formatBytes(sizeBytes)} in ${formatBytes(storedBytes)} (${formatShare(storedBytes, sizeBytes)})`
