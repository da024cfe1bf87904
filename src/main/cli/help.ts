/** `reprise help [verb]`: written from the tables that parse, so that the two can't disagree. */
import type { OptionSpec, OptionTable } from './arguments.ts'
import { exitDone } from './exit-status.ts'
import { jsonLine } from './json-lines.ts'
import { defineVerb, type Verb } from './verb.ts'
import { findVerb, loadVerb, verbNames } from './verbs.ts'

export const help = defineVerb({
  name: 'help',
  summary: 'Show help for a verb.',
  synopsis: '[VERB]',
  options: {},
  operands: { least: 0, most: 2, placeholder: 'VERB' },
  async run({ terminal }, { json }, words) {
    // `image` alone lists the verbs that begin with it.
    const group = verbNames().filter((name) => words.length === 0 || name.startsWith(`${words.join(' ')} `))
    if (group.length > 0) {
      const verbs = await listed(group)
      if (json) terminal.write(verbs.map(helpJson).join(''))
      else terminal.write(words.length === 0 ? overviewText(verbs) : `Verbs\n${listText(verbs)}`)
    } else {
      const verb = await loadVerb(findVerb(words).name)
      terminal.write(json ? helpJson(verb) : helpText(verb))
    }
    return exitDone
  },
})

async function listed(names: readonly string[]): Promise<readonly Verb[]> {
  return (await Promise.all(names.map(loadVerb))).filter(({ summary }) => summary !== null)
}

function overviewText(verbs: readonly Verb[]): string {
  return [
    'Usage: reprise VERB [options]\n',
    `\nVerbs\n${listText(verbs)}`,
    '\nreprise help VERB tells more.\n',
    "asr's older form, without a verb and with single dashes, works too:\n",
    '  reprise -source SOURCE -target TARGET -erase\n',
  ].join('')
}

function listText(verbs: readonly Verb[]): string {
  const width = Math.max(...verbs.map(({ name }) => name.length))
  return verbs.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary ?? ''}\n`).join('')
}

export const helpJson = ({ name, summary, synopsis, options, notes }: Verb): string =>
  jsonLine('help', { name, summary, synopsis, options: presentOptions(options), notes })

/** What asr has and we don't, is no option. */
const presentOptions = (options: OptionTable): OptionTable =>
  Object.fromEntries(Object.entries(options).filter(([, { kind }]) => kind !== 'absent'))

export function helpText(verb: Verb): string {
  const options = Object.entries(verb.options)
    .filter(([, spec]) => spec.help !== null)
    .map(([name, spec]) => [optionText(name, spec), spec.help ?? ''] as const)
  const width = Math.max(...options.map(([text]) => text.length))
  return [
    `Usage: ${['reprise', verb.name, verb.synopsis].filter((part) => part !== '').join(' ')}\n`,
    verb.summary === null ? '' : `\n${verb.summary}\n`,
    `\nOptions\n${options.map(([text, told]) => `  ${text.padEnd(width)}  ${told}\n`).join('')}`,
    ...verb.notes.map((note) => `\n${wrapped(note)}`),
  ].join('')
}

/** In lines of at most 78 columns. */
function wrapped(text: string): string {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > 78) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line].map((each) => `${each}\n`).join('')
}

function optionText(name: string, spec: OptionSpec): string {
  const value =
    spec.kind === 'flag' || spec.kind === 'absent'
      ? ''
      : ` ${spec.placeholder ?? (spec.kind === 'choice' ? spec.choices.join('|') : '')}`
  return `${spec.letter === undefined ? '    ' : `-${spec.letter}, `}--${name}${value}`
}
