/** Lines of the log as people read them, in the window and in the terminal: `sink failed  disk=/dev/sdb code=E_IO_WRITE`. */
import type { LogLine } from './logger.ts'

/** The message, then what it is about. */
export function lineText({ message, fields }: Pick<LogLine, 'message' | 'fields'>): string {
  const text = fieldsText(fields)
  return text === '' ? message : `${message}  ${text}`
}

/** `name=value`, one behind the other; of what has parts, one for each: `error.code=E_DENIED`. Nulls and empty lists are left out. */
export const fieldsText = (fields: LogLine['fields']): string =>
  Object.entries(fields)
    .flatMap(([name, value]) => texts(name, value))
    .join(' ')

function texts(name: string, value: unknown): readonly string[] {
  if (value === null || value === undefined) return []
  if (Array.isArray(value) && value.length > 0 && value.every(isPlain))
    return [`${name}=${value.map(plain).join(',')}`]
  if (isPlain(value)) return [`${name}=${plain(value)}`]
  return Object.entries(value).flatMap(([part, inner]) => texts(`${name}.${part}`, inner))
}

const isPlain = (value: unknown): boolean => typeof value !== 'object' || value === null

/** Quoted where it would run into what follows. */
function plain(value: unknown): string {
  const text = String(value)
  return typeof value === 'string' && (text === '' || /[\s=",\p{Cc}]/u.test(text))
    ? JSON.stringify(text)
    : text
}
