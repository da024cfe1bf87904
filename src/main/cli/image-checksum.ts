/** `reprise image checksum`: gives an image the checksums it lacks. */
import { basename } from 'node:path'
import type { AddedChecksums } from '#shared/model'
import { describeOutcome } from '#shared/words'
import type { OptionTable } from './arguments.ts'
import { runImageTask, tellUnready } from './image-task.ts'
import { watchInterrupt } from './interrupt.ts'
import { imageLocatorFrom } from './locator.ts'
import { createMarkLines } from './marks.ts'
import { passwordNote, passwordOptions, unlockSource } from './passwords.ts'
import { printable } from './printable.ts'
import { defineVerb, openLog } from './verb.ts'

const checksumOptions = {
  replace: {
    kind: 'flag',
    help: 'Write the SHA-256 beside the image anew, whatever it says.',
  },
  ...passwordOptions,
} as const satisfies OptionTable

const untouched = 'The image is as it was.'

export const imageChecksum = defineVerb({
  name: 'image checksum',
  summary: 'Add the checksums that an image lacks.',
  synopsis: 'IMAGE [--replace] [--stdinpass] [--json]',
  notes: [
    'In a UDIF image they are stored where its format has a place for them. Any other image gets a file beside it, its name with .sha256 at the end, in the form that sha256sum -c reads. reprise image verify compares both, and a raw image, compressed or not, is compared with it when it is restored or converted.',
    passwordNote,
  ],
  options: checksumOptions,
  operands: { least: 1, most: 1, placeholder: 'IMAGE' },
  async run(context, values, [operand = '']) {
    const { terminal, cwd } = context
    const path = imageLocatorFrom(cwd, operand, 'here')
    using interrupt = watchInterrupt(terminal, 'Still stopping.')
    const engines = await context.engines(openLog(context, values))
    const names = { source: basename(path) }
    try {
      await unlockSource(context, engines, path, values, interrupt)
    } catch (error) {
      return tellUnready(context, values, error, { interrupt, names, lastWords: untouched })
    }
    const lines = createMarkLines(() => 'Checksumming')
    return await runImageTask(
      context,
      values,
      { kind: 'add-checksum', path, replace: values.replace },
      {
        engines,
        interrupt,
        names,
        lastWords: untouched,
        print({ progress, outcome: end }) {
          if (progress === null || progress.phase !== 'scanning') return ''
          const { percent, doneBytes } = progress
          const state = end === null ? 'running' : end.kind === 'checksummed' ? 'done' : 'broken'
          return lines.advance([{ phase: 'scanning', state, percent, doneBytes }])
        },
        told: (outcome) => `${checksumsText(outcome.checksums)}${describeOutcome(outcome)}\n`,
      },
    )
  },
})

function checksumsText({ added, besides, signatureRemoved }: AddedChecksums): string {
  return [
    ...added.map(({ what, algorithm, value }) => `${what}: ${algorithm} ${value}`),
    besides !== null && added.length > 0 ? `stored in ${besides}` : null,
    signatureRemoved ? "Its code signature doesn't hold for the changed file and was removed." : null,
  ]
    .filter((line) => line !== null)
    .map((line) => `\t${printable(line)}\n`)
    .join('')
}
