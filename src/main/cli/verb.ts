/** What a verb is. Each has its own file, loaded only when it is used: starting must cost nothing. */
import type { Logger } from '#shared/log'
import { createLogger } from '#shared/log'
import { parseArguments, type OperandRule, type OptionTable, type Values } from './arguments.ts'
import type { Engines } from './engines.ts'
import type { StreamEngines } from './stream-engines.ts'
import { createLogPrinter } from './log-lines.ts'
import type { Terminal } from './terminal.ts'

/** What the entry point hands to every verb. Tests hand in their own. */
export interface CliContext {
  readonly terminal: Terminal
  /** Where relative paths begin. */
  readonly cwd: string
  readonly version: string
  readonly platform: string
  /** The arguments of the process as they are; null where the system doesn't tell, or they are always text. */
  argumentBytes(): Uint8Array | null
  readonly now: () => number
  /** Loads and connects the engines: not before a verb needs them. */
  engines(log: Logger): Promise<Engines>
  /** The same for streams. */
  streams(log: Logger): Promise<StreamEngines>
  /** The two verbs that are programs of their own. Resolve to the exit status. */
  readonly programs: {
    web(argv: readonly string[]): Promise<number>
    engineHost(): Promise<number>
  }
}

export interface Verb {
  /** As it is typed: `restore`, `image info`. */
  readonly name: string
  /** One line for the list of verbs. Null: it isn't listed. */
  readonly summary: string | null
  /** What follows the name. */
  readonly synopsis: string
  /** More to know, as paragraphs, under the options. */
  readonly notes: readonly string[]
  readonly options: OptionTable
  /** Parses and runs; resolves to the exit status. What it throws is told by `main`. */
  start(context: CliContext, args: readonly string[]): Promise<number>
}

/** Every verb has these. */
export const commonOptions = {
  json: { kind: 'flag', help: 'Print one JSON object a line.' },
  'exit-codes': { kind: 'flag', help: 'Tell kinds of failure apart by the exit status.' },
  verbose: { kind: 'flag', help: 'Tell more, and print the log to standard error.' },
  debug: { kind: 'flag', help: 'Print everything to standard error.' },
  help: { kind: 'flag', letter: 'h', help: 'Show this help.' },
} as const satisfies OptionTable

export type CommonValues = Values<typeof commonOptions>

export interface VerbDefinition<T extends OptionTable> extends Omit<Verb, 'start' | 'notes'> {
  readonly options: T
  readonly notes?: readonly string[]
  readonly operands: OperandRule
  run(
    context: CliContext,
    values: Values<T & typeof commonOptions>,
    operands: readonly string[],
  ): Promise<number>
}

export function defineVerb<const T extends OptionTable>(definition: VerbDefinition<T>): Verb {
  const options = { ...definition.options, ...commonOptions }
  return {
    name: definition.name,
    summary: definition.summary,
    synopsis: definition.synopsis,
    notes: definition.notes ?? [],
    options,
    async start(context, args) {
      const { values, operands } = parseArguments<OptionTable>(options, args, definition.operands)
      return definition.run(context, values as Values<T & typeof commonOptions>, operands)
    },
  }
}

/** The verb's log: to standard error, as much as was asked for. */
export function openLog(context: CliContext, values: Pick<CommonValues, 'verbose' | 'debug'>): Logger {
  const least = values.debug ? 'debug' : values.verbose ? 'info' : null
  const print = createLogPrinter(least)
  return createLogger((line) => context.terminal.writeError(print(line), 'passing'), context.now)
}
