/**
 * Standard output of work that doesn't stop because its output can't be written: what was done stays done, and who reads the output
 * mustn't take it for whole.
 */
import { serializeError, type SerializedError } from '#shared/errors'
import type { Terminal } from './terminal.ts'

export interface WorkOutput {
  /** Never throws: a timer may call it, or an engine. */
  readonly print: (text: string) => void
  /** Why something of what was printed is missing, for the end; null when nothing is. */
  readonly lost: () => SerializedError | null
}

export function createWorkOutput(terminal: Pick<Terminal, 'write'>): WorkOutput {
  let lost: SerializedError | null = null
  return {
    print(text) {
      try {
        terminal.write(text)
      } catch (error) {
        lost ??= serializeError(error)
      }
    },
    lost: () => lost,
  }
}
