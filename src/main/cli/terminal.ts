/** Where the command line reads, writes and is interrupted. */
import { setTimeout } from 'node:timers/promises'
import { isatty } from 'node:tty'
import { onAskedToEnd } from '#main/product'
import { forgetTyped, readHidden, readLineOf, readUntilNul } from './hidden-input.ts'
import { openOutputs, type Worth } from './outputs.ts'
import { untilInForeground } from './until-in-foreground.ts'
import { untilStalled } from './until-stalled.ts'

export interface Terminal {
  /** Standard output. Silent once nobody reads it any more; throws DeviceError when a file can't take it. */
  readonly write: (text: string, worth?: Worth) => void
  /** Standard error. Never throws. */
  readonly writeError: (text: string, worth?: Worth) => void
  /** Both are read in one place: what is written to one breaks an open line of the other. */
  readonly isOne: boolean
  /** Somebody sits at it: what is asked on standard error can be answered on standard input. */
  readonly isInteractive: boolean
  /** Standard input is a terminal: what is read from it is typed by a person. */
  readonly isTyped: boolean
  /**
   * Before a question: what was typed on a terminal ahead of it is no answer, and is thrown away. Leaves what comes through a pipe. Rejects with
   * the signal's reason.
   */
  forgetTyped(signal: AbortSignal): Promise<void>
  /** One line of standard input, without its end; null at the end of the input. Rejects with the signal's reason. */
  readLine(signal: AbortSignal): Promise<string | null>
  /** Standard input up to a NUL or its end, as it is; null when it is empty. Rejects with UsageError when it can't be, and with the signal's reason. */
  readPassword(signal: AbortSignal): Promise<string | null>
  /** Asks on a terminal, without showing what is typed; null where there is none. Rejects as `readPassword` does. */
  askPassword(question: string, signal: AbortSignal): Promise<string | null>
  /**
   * Calls `listener` at each Ctrl-C or request to end, until disposed. The process never ends by one again: what it did, it is about to
   * tell by its exit status.
   */
  onInterrupt(listener: (signal: NodeJS.Signals) => void): Disposable
}

export interface ProcessTerminal extends Terminal {
  /** Before the process ends: all that was written has been taken by whoever reads it; after an interrupt nobody is waited for who has stopped reading. */
  drained(): Promise<void>
}

/** Between looks whether a question has been written. */
const lookMs = 20

/** The terminal of this process. */
export function processTerminal(): ProcessTerminal {
  const { output, errors, areOne } = openOutputs()
  const writeError = (text: string, worth?: Worth) => errors.write(text, worth)
  const keptBytes = () => output.keptBytes() + errors.keptBytes()
  const listeners = new Set<(signal: NodeJS.Signals) => void>()
  const interrupted = Promise.withResolvers<void>()
  const handle = (signal: NodeJS.Signals) => {
    interrupted.resolve()
    for (const listener of listeners) listener(signal)
  }
  const tooLate = async () => {
    await interrupted.promise
    await untilStalled(keptBytes)
  }
  const forget = async (signal: AbortSignal) => {
    if (isTyped()) await untilInForeground(signal)
    await forgetTyped(process.stdin, { signal, interrupt: interruptSelf })
  }
  return {
    write: (text, worth) => output.write(text, worth),
    writeError,
    isOne: areOne,
    isInteractive: isTyped() && isatty(2),
    isTyped: isTyped(),
    async drained() {
      await Promise.race([Promise.all([output.drained(), errors.drained()]), tooLate()])
    },
    forgetTyped: forget,
    async readLine(signal) {
      // A question that a stopped terminal doesn't show yet hasn't been read.
      if (isTyped() && keptBytes() > 0) {
        for (; keptBytes() > 0; await setTimeout(lookMs)) signal.throwIfAborted()
        await forget(signal)
      }
      return await readLineOf(process.stdin, signal)
    },
    async readPassword(signal) {
      if (isTyped()) return await askPassword('Password: ', signal, writeError)
      return await readUntilNul(process.stdin, signal)
    },
    askPassword: (question, signal) => askPassword(question, signal, writeError),
    onInterrupt(listener) {
      if (process.listenerCount('SIGINT', handle) === 0) onAskedToEnd(handle)
      listeners.add(listener)
      return { [Symbol.dispose]: () => void listeners.delete(listener) }
    },
  }
}

/** Without `process.stdin`: as soon as there is that, a pipe that others read, too, as a loop of the shell does, no longer blocks. */
const isTyped = () => isatty(0)
const interruptSelf = () => void process.kill(process.pid, 'SIGINT')

async function askPassword(
  question: string,
  signal: AbortSignal,
  write: (text: string) => void,
): Promise<string | null> {
  if (!isTyped()) return null
  await untilInForeground(signal)
  try {
    return await readHidden(process.stdin, {
      signal,
      ask: () => write(question),
      interrupt: interruptSelf,
    })
  } finally {
    write('\n')
  }
}
