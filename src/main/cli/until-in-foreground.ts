/**
 * Before a terminal is made ready for a question. To the background (`&`, or Ctrl-Z and `bg`) the system doesn't refuse that: it stops
 * the process in the middle of it, when it has already noted the shell's state of the terminal as the one to go back to. After `fg`
 * nothing would be shown of what is typed.
 */
import { setTimeout } from 'node:timers/promises'
import { isInForeground } from '#main/product'

/** Longer than a process that was stopped and goes on takes to hear of it. */
const hearMs = 200

/**
 * Stops the process, and those it was started with, as the system does at a read from the background; resolves after `fg`, and where nobody can
 * bring it back: where no shell is left to, the system stops nobody. Rejects with the signal's reason.
 */
export async function untilInForeground(signal: AbortSignal): Promise<void> {
  let goesOn = true
  const onGoOn = () => {
    goesOn = true
  }
  process.on('SIGCONT', onGoOn)
  try {
    while (goesOn && !isInForeground()) {
      goesOn = false
      process.kill(0, 'SIGTTIN')
      await setTimeout(hearMs)
      signal.throwIfAborted()
    }
  } finally {
    process.off('SIGCONT', onGoOn)
  }
}
