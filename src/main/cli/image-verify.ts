/** `reprise image verify`: recomputes every checksum an image holds, and names the first bad place. */
import type { ImageVerification, JobState } from '#shared/model'
import { formatBytes, formatRate } from '#shared/units'
import { describeOutcome, describePhase } from '#shared/words'
import { tellFetching } from './fetching.ts'
import { runImageTask, tellUnready } from './image-task.ts'
import { watchInterrupt } from './interrupt.ts'
import { imageLocatorFrom, nameOfLocator } from './locator.ts'
import { createMarkLines } from './marks.ts'
import type { Pass } from './passes.ts'
import { passwordNote, passwordOptions, unlockSource } from './passwords.ts'
import { printable } from './printable.ts'
import { defineVerb, openLog } from './verb.ts'
import { createWorkOutput } from './work-output.ts'

export const imageVerify = defineVerb({
  name: 'image verify',
  summary: "Recompute an image's checksums and compare them.",
  synopsis: 'IMAGE [--stdinpass] [--json]',
  notes: [passwordNote],
  options: passwordOptions,
  operands: { least: 1, most: 1, placeholder: 'IMAGE' },
  async run(context, values, [path = '']) {
    const { terminal } = context
    using interrupt = watchInterrupt(terminal, 'Still stopping.')
    const engines = await context.engines(openLog(context, values))
    const output = createWorkOutput(terminal)
    const as = values.json ? 'json' : 'text'
    using _fetching = tellFetching(engines, { ...context, output, as, target: null })
    const image = imageLocatorFrom(context.cwd, path)
    const names = { source: nameOfLocator(path) }
    try {
      await unlockSource(context, engines, image, values, interrupt)
    } catch (error) {
      return tellUnready(context, values, error, { interrupt, names })
    }
    const task = { kind: 'verify', path: image } as const
    return await runImageTask(context, values, task, {
      engines,
      interrupt,
      names,
      print: createTextProgress(),
      told: ({ verification }) => verificationText(verification),
      output,
    })
  },
})

function createTextProgress(): (state: JobState) => string {
  const lines = createMarkLines(describePhase)
  return (state) => lines.advance(passOf(state)) + (state.outcome === null ? '' : lines.close())
}

/** One line, whichever phases the engine divides the work into. */
function passOf({ progress, outcome }: JobState): readonly Pass[] {
  const { percent = null, doneBytes = 0 } = progress ?? {}
  if (outcome === null)
    return progress === null ? [] : [{ phase: 'verifying', state: 'running', percent, doneBytes }]
  const good = outcome.kind === 'checked'
  if (!good && progress === null) return []
  return [{ phase: 'verifying', state: good ? 'done' : 'broken', percent: good ? 100 : percent, doneBytes }]
}

export function verificationText(verification: ImageVerification): string {
  const { checked, expandedBytes, durationMs } = verification
  const lines = checked.map(
    ({ what, algorithm, value }) => `\t${printable(`${what.trim()}: ${algorithm} ${value}`)}\n`,
  )
  const speed = durationMs > 0 ? `, ${formatRate((expandedBytes / durationMs) * 1000)}` : ''
  return [
    ...lines,
    `\t${formatBytes(expandedBytes)} read in ${(durationMs / 1000).toFixed(2)} seconds${speed}\n`,
    `${describeOutcome({ kind: 'checked', verification })}\n`,
  ].join('')
}
