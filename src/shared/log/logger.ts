/**
 * The one logger. A line is a fact with fields; whoever handles an error logs it, once. Where lines go is decided at
 * the entry points: the engine host sends them to its client, the CLI prints them with --verbose or --debug.
 */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

export interface LogLine {
  readonly timeMs: number
  readonly level: LogLevel
  readonly message: string
  readonly fields: { readonly [key: string]: unknown }
}

export type LogSink = (line: LogLine) => void

export interface Logger {
  debug(message: string, fields?: LogLine['fields']): void
  info(message: string, fields?: LogLine['fields']): void
  warn(message: string, fields?: LogLine['fields']): void
  error(message: string, fields?: LogLine['fields']): void
}

/** A logger that hands each line to `sink`, stamped by `now` (milliseconds since 1970). */
export function createLogger(sink: LogSink, now: () => number): Logger {
  const at =
    (level: LogLevel) =>
    (message: string, fields: LogLine['fields'] = {}) =>
      sink({ timeMs: now(), level, message, fields })
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

/** `log`, with these fields on each line, behind its own. */
export function withFields(log: Logger, fields: LogLine['fields']): Logger {
  const at =
    (level: LogLevel) =>
    (message: string, own: LogLine['fields'] = {}) =>
      log[level](message, { ...own, ...fields })
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

/** Keeps nothing. For tests and for callers that don't care. */
export const silentLogger: Logger = createLogger(
  () => undefined,
  () => 0,
)
