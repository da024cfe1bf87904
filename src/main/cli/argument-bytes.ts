/**
 * On Linux an argument is bytes, and names of files needn't be text. Node makes text of all of them, in which what isn't UTF-8 is
 * lost: such a file can't be opened, and "not found" would send people looking for something that is there.
 */
import { isUtf8 } from 'node:buffer'
import { usageError } from './arguments.ts'

/** What Node puts in place of bytes that are no text. A name can also have it of its own. */
const replacement = '\uFFFD'

/** `readBytes`: all arguments of the process as they are, each with a NUL behind it; null where that can't be known. Throws UsageError. */
export function refuseBrokenText(argv: readonly string[], readBytes: () => Uint8Array | null): void {
  const suspect = argv.findIndex((arg) => arg.includes(replacement))
  if (suspect === -1) return
  const bytes = readBytes()
  if (bytes === null || isUtf8(bytes)) return
  const shown = argv[suspect] ?? ''
  throw usageError(
    shown,
    `'${shown}' isn't text in UTF-8, and only names that are can be opened.`,
    'Rename it, or name a link to it: ln -s NAME other-name.',
  )
}
