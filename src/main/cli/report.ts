/** How an error is told: in words to standard error, and with --json as an object to standard output, too. */
import type { SerializedError } from '#shared/errors'
import { describeError, inTerminal, type Names } from '#shared/words'
import { exitStatus } from './exit-status.ts'
import { jsonLine } from './json-lines.ts'
import { printable } from './printable.ts'
import type { Terminal } from './terminal.ts'
import type { CommonValues } from './verb.ts'

export interface Telling {
  readonly json: boolean
  readonly exitCodes: boolean
  /** Print the chain of causes, too. */
  readonly debug: boolean
}

/** What the arguments ask for, read without a table: also when they can't be parsed. */
export function readTelling(argv: readonly string[]): Telling {
  const end = argv.indexOf('--')
  const options = end === -1 ? argv : argv.slice(0, end)
  const has = (name: string) => options.includes(`--${name}`) || options.includes(`-${name}`)
  return { json: has('json'), exitCodes: has('exit-codes'), debug: has('debug') }
}

/** What the verb's own options ask for. */
export const tellingOf = (values: CommonValues): Telling => ({
  json: values.json,
  exitCodes: values['exit-codes'],
  debug: values.debug,
})

/** Tell the error; returns the exit status. `lastWords` follow what to do: in what state the destination is. */
export function report(
  terminal: Terminal,
  error: SerializedError,
  telling: Telling,
  told: { readonly names?: Names; readonly lastWords?: string | null } = {},
): number {
  const names = inTerminal(told.names)
  if (telling.json) {
    try {
      terminal.write(jsonLine('error', { error, words: describeError(error, names) }))
    } catch {
      // Perhaps that is the error: standard output can't take it. The words still go to standard error.
    }
  }
  terminal.writeError(errorText(error, names, told.lastWords ?? null))
  if (telling.debug) terminal.writeError(causesText(error))
  return exitStatus(error, telling.json || telling.exitCodes ? 'finer' : 'asr')
}

/**
 * Lines without indentation: programs that run asr show such lines when it fails, and take indented ones for progress
 * (google/restor, restord/ImageSessionServer.m).
 */
export function errorText(error: SerializedError, names: Names, lastWords: string | null): string {
  const { what, why, now } = describeError(error, inTerminal(names))
  return [`${what} (${error.code})`, why, lastWords, now]
    .filter((line) => line !== null)
    .map((line) => `${printable(line)}\n`)
    .join('')
}

function causesText(error: SerializedError): string {
  const lines: string[] = []
  for (let current: SerializedError | null = error; current !== null; current = current.cause) {
    const details = JSON.stringify(current.details)
    lines.push(
      `${lines.length === 0 ? 'Details' : 'Caused by'}: ${current.code} ${current.message} ${details}`,
    )
  }
  return lines.map((line) => `${printable(line)}\n`).join('')
}
