/** What `image convert` and `image create` are told of the file they write, and how they show it in their help. */
import { UsageError } from '#shared/errors'
import { compressionLevels, writableFormats, type WritableFormat } from '#shared/model'
import { describeFormat } from '#shared/words'
import { usageError, type OptionTable, type Values } from './arguments.ts'
import { targetFrom } from './locator.ts'

/** For the options tables of both verbs. */
export const writtenImage = {
  target: { kind: 'text', letter: 't', placeholder: 'FILE', help: 'The file to write.' },
  format: {
    kind: 'choice',
    choices: writableFormats,
    placeholder: 'FORMAT',
    help: 'What to write, see below.',
  },
  level: {
    kind: 'count',
    placeholder: 'N',
    least: 1,
    most: 9,
    help: 'From 1, fast, to 9, small: for UDZO (6 without it), UDBZ (9) and ULMO (6).',
  },
  erase: { kind: 'flag', help: 'Replace the target if it exists, once the new file is complete.' },
} as const satisfies OptionTable

export const formatNotes: readonly string[] = writableFormats.map(
  (format) => `${format}: ${describeFormat(format)}.`,
)

/** Throws UsageError. `target` is absolute. */
export function readWrittenImage(
  { target, format, level, erase }: Values<typeof writtenImage>,
  cwd: string,
): { target: string; format: WritableFormat; level: number | null; erase: boolean } {
  if (target === null) throw usageError('--target', '--target is missing.', 'It names the file to write.')
  if (format === null)
    throw usageError('--format', '--format is missing.', `It is one of ${writableFormats.join(', ')}.`)
  // One of the option's choices.
  const written = format as WritableFormat
  if (level !== null && compressionLevels[written] === undefined) {
    const problem = `${written} has no compression levels.`
    throw new UsageError('E_USAGE', problem, {
      details: { input: '--level', problem, hint: 'Leave --level out.' },
    })
  }
  return { target: targetFrom(cwd, target), format: written, level, erase }
}
