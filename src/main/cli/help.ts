/** `reprise help [verb]`: written from the tables that parse, so that the two can't disagree. */
import type { OptionSpec } from './arguments.ts'
import { exitDone } from './exit-status.ts'
import { defineVerb, type Verb } from './verb.ts'
import { findVerb, loadVerb, verbNames } from './verbs.ts'

export const help = defineVerb({
  name: 'help',
  summary: 'Show help for a verb.',
  synopsis: '[VERB]',
  options: {},
  operands: { least: 0, most: 2, placeholder: 'VERB' },
  async run({ terminal }, _, operands) {
    if (operands.length === 0) terminal.write(await overviewText())
    else terminal.write(await topicText(operands))
    return exitDone
  },
})

/** `image` alone lists the verbs that begin with it. */
async function topicText(words: readonly string[]): Promise<string> {
  const topic = words.join(' ')
  const group = verbNames().filter((name) => name.startsWith(`${topic} `))
  if (group.length > 0) return `Verbs\n${await listText(group)}`
  const { name } = findVerb(words)
  return helpText(await loadVerb(name))
}

export async function overviewText(): Promise<string> {
  return [
    'Usage: reprise VERB [options]\n',
    `\nVerbs\n${await listText(verbNames())}`,
    '\nreprise help VERB tells more.\n',
    "asr's older form, without a verb and with single dashes, works too:\n",
    '  reprise -source SOURCE -target TARGET -erase\n',
  ].join('')
}

async function listText(names: readonly string[]): Promise<string> {
  const verbs = (await Promise.all(names.map(loadVerb))).filter(({ summary }) => summary !== null)
  const width = Math.max(...verbs.map(({ name }) => name.length))
  return verbs.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary ?? ''}\n`).join('')
}

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
    spec.kind === 'flag' ? '' : spec.kind === 'choice' ? ` ${spec.choices.join('|')}` : ` ${spec.placeholder}`
  return `${spec.letter === undefined ? '    ' : `-${spec.letter}, `}--${name}${value}`
}
