/** Which lines of the log are shown, and as which text. Pure. */
import { lineText, type LogLevel, type LogLine } from '#shared/log'

const order: readonly LogLevel[] = ['debug', 'info', 'warn', 'error']

/** Lines of at least `level` that contain `search` in their text, in either case. */
export function filterLog(lines: readonly LogLine[], level: LogLevel, search: string): readonly LogLine[] {
  const least = order.indexOf(level)
  const wanted = search.trim().toLowerCase()
  return lines.filter(
    (line) =>
      order.indexOf(line.level) >= least && (wanted === '' || lineText(line).toLowerCase().includes(wanted)),
  )
}

/** `14:03:07.250`, local time. */
export function lineTime(timeMs: number): string {
  const date = new Date(timeMs)
  const two = (value: number) => String(value).padStart(2, '0')
  const ms = String(date.getMilliseconds()).padStart(3, '0')
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${ms}`
}
