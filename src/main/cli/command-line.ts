/**
 * An argument list as a verb and its arguments, asr's older forms included (asr(8), "Backwards compatibility"):
 *
 *     asr -source S -target T [options]        restore
 *     asr -source S -server CONFIG             server --source S --config CONFIG
 *     asr -imagescan [options] IMAGE           imagescan
 *     asr -h | -v                              help, version
 *
 * `-restore -source …` is seen in scripts as well: a verb with dashes is that verb. What every verb takes may also stand before it:
 * `reprise --json devices`, `asr -verbose -h`.
 */
import { absentVerbs } from './absent.ts'
import { usageError } from './arguments.ts'
import { helpSpellings } from './help-spellings.ts'
import { findVerb, verbGroup, verbNames } from './verbs.ts'

export interface CommandLine {
  /** Name of a verb that is there. */
  readonly verb: string
  readonly args: readonly string[]
}

/** Throws UsageError: no verb, an unknown one, or one this version doesn't have. */
export function readCommandLine(argv: readonly string[]): CommandLine {
  const [first] = argv
  if (first === undefined) throw usageError('verb', 'What to do is missing.', 'reprise help lists the verbs.')
  if (!first.startsWith('-')) {
    // `reprise image --help`: the verbs that begin with it.
    if (helpSpellings.includes(argv[1] ?? '') && verbGroup(first).length > 0)
      return { verb: 'help', args: [first, ...argv.slice(2)] }
    const { name, length } = findVerb(argv)
    return { verb: name, args: argv.slice(length) }
  }
  const place = argv.findIndex((arg) => !everywhere.includes(arg.replace(/^--?/, '')) || !arg.startsWith('-'))
  if (place > 0) {
    const { verb, args } = readCommandLine(argv.slice(place))
    return { verb, args: [...argv.slice(0, place), ...args] }
  }
  return readOlderForm(argv, first)
}

/** Flags of every verb's. */
const everywhere: readonly string[] = ['json', 'exit-codes', 'verbose', 'debug']

function readOlderForm(argv: readonly string[], first: string): CommandLine {
  if (first === '-h' || first === '-help' || first === '--help') return { verb: 'help', args: argv.slice(1) }
  if (first === '-v' || first === '-version' || first === '--version')
    return { verb: 'version', args: argv.slice(1) }
  const dashed = first.replace(/^--?/, '')
  if ([...verbNames(), ...absentVerbs].includes(dashed)) {
    const { name } = findVerb([dashed])
    return { verb: name, args: argv.slice(1) }
  }
  const older = argv.map((arg) => arg.replace(/^--?/, ''))
  for (const word of ['imagescan', 'server']) {
    const index = older.findIndex((name, at) => name === word && argv[at]?.startsWith('-') === true)
    if (index !== -1) return { verb: findVerb([word]).name, args: argv.toSpliced(index, 1) }
  }
  return { verb: 'restore', args: argv }
}
