/** Log lines as text: `12:03:04.567 warn  sink failed  disk=/dev/sdb code=E_IO_WRITE`. */
import { lineText, type LogLevel, type LogLine } from '#shared/log'
import { printable } from './printable.ts'

const ranks: { readonly [level in LogLevel]: number } = { debug: 0, info: 1, warn: 2, error: 3 }

/** Lines below `least` become nothing; with null, all do. */
export function createLogPrinter(least: LogLevel | null): (line: LogLine) => string {
  return (line) => {
    if (least === null || ranks[line.level] < ranks[least]) return ''
    const time = new Date(line.timeMs).toISOString().slice(11, 23)
    return `${time} ${line.level.padEnd(5)} ${printable(lineText(line))}\n`
  }
}
