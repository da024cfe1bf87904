/**
 * Standard output of work that doesn't stop because its output can't be written: what was done stays done, and who reads the output
 * mustn't take it for whole.
 */
import { serializeError, type SerializedError } from '#shared/errors'
import type { Worth } from './outputs.ts'
import type { Terminal } from './terminal.ts'

export interface WorkOutput {
  /** Returns why it couldn't be written; null: it was. Never throws: a timer may call it, or an engine. */
  readonly print: (text: string, worth?: Worth) => SerializedError | null
  /** A message on standard error, in whole lines. Where both are read in one place, a line that was open goes on below it as it began. */
  readonly tell: (text: string) => void
  /** Why something of what was printed is missing, for the end; null when nothing is. */
  readonly lost: () => SerializedError | null
}

export function createWorkOutput(terminal: Pick<Terminal, 'write' | 'writeError' | 'isOne'>): WorkOutput {
  let lost: SerializedError | null = null
  /** What was printed of a line that hasn't ended. */
  let open = ''

  const write = (text: string, worth?: Worth) => {
    try {
      terminal.write(text, worth)
      return null
    } catch (error) {
      const failure = serializeError(error)
      lost ??= failure
      return failure
    }
  }

  return {
    print(text, worth) {
      open = (open + text).slice((open + text).lastIndexOf('\n') + 1)
      return write(text, worth)
    },
    tell(text) {
      const isBroken = terminal.isOne && open !== ''
      terminal.writeError(isBroken ? `\n${text}` : text)
      if (isBroken) write(open)
    },
    lost: () => lost,
  }
}
