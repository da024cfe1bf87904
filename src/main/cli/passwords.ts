/**
 * Passwords at the command line: `--stdinpass` as hdiutil has it, or a question on the terminal. Never an argument, which
 * everybody on the machine could read, and never printed.
 */
import { AppError, FormatError, NetworkError, UsageError } from '#shared/errors'
import { isStreamLocator, publicLocator } from '#shared/model'
import { usageError, type OptionTable, type Values } from './arguments.ts'
import type { Engines } from './engines.ts'
import { nameOfLocator } from './locator.ts'
import { untilInterrupted, type Interrupt } from './interrupt.ts'
import { printable } from './printable.ts'
import type { CliContext } from './verb.ts'

/** For every verb that takes an image as its source. */
export const passwordOptions = {
  stdinpass: {
    kind: 'flag',
    help: 'Read the password of an encrypted image or a stream from standard input.',
  },
} as const satisfies OptionTable

/** For the help of such a verb. */
export const passwordNote =
  "An encrypted image asks for its password, and so does a multicast session that has one. With --stdinpass it is read from standard input, up to a NUL or the end; a line's end behind it isn't part of it, unless an image opens only with it."

const mostTries = 3

/**
 * Before the image at `path`, or a stream, is opened: gets its password if it is locked, and gives it to the engines. What isn't
 * there, or isn't an image, is left to who opens it. Throws FormatError E_SRC_ENCRYPTED (NetworkError E_MC_PASSWORD) when there is
 * nobody to ask, E_SRC_PASSWORD (E_MC_PASSWORD) when the password is wrong, on a terminal for the third time; the signal's reason.
 */
export async function unlockSource(
  { terminal }: CliContext,
  engines: Pick<Engines, 'isLocked' | 'unlockImage'>,
  path: string,
  { stdinpass }: Pick<Values<typeof passwordOptions>, 'stdinpass'>,
  interrupt: Interrupt,
): Promise<void> {
  if (!(await untilInterrupted(engines.isLocked(path, interrupt.signal), interrupt))) return
  const unlock = (password: string) =>
    untilInterrupted(engines.unlockImage(path, password, interrupt.signal), interrupt)
  if (stdinpass) {
    const [line, ...others] = await readGiven({ terminal }, interrupt)
    // A session's never ends with the end of a line, and its server counts what is wrong.
    return await tryEach(isStreamLocator(path) ? [line] : [line, ...others], unlock)
  }
  for (let tries = 1; ; tries++) {
    const question = `Password of ${printable(nameOfLocator(path))}: `
    const password = await terminal.askPassword(question, interrupt.signal)
    if (password === null || password === '') throw nobodyToAsk(path)
    try {
      return await unlock(password)
    } catch (error) {
      AppError.accept(error)
      if (!isWrongPassword(error) || tries === mostTries) throw error
      // Of several lines pasted, only the first was meant.
      await terminal.forgetTyped(interrupt.signal)
      terminal.writeError('This is not the password. Try again.\n')
    }
  }
}

/**
 * The password for an image that is made: by --stdinpass, or asked twice; a person types it twice either way, since nobody could
 * open the image after a slip. Throws UsageError E_USAGE when there is none, or
 * two; the signal's reason.
 */
export async function newPassword(
  { terminal }: Pick<CliContext, 'terminal'>,
  { stdinpass }: Pick<Values<typeof passwordOptions>, 'stdinpass'>,
  interrupt: Interrupt,
): Promise<string> {
  if (stdinpass && !terminal.isTyped) {
    const [password] = await readGiven({ terminal }, interrupt)
    return password
  }
  const none = stdinpass
    ? 'Type one, or give it through a pipe.'
    : 'Give it on standard input with --stdinpass.'
  const hints = { none, different: 'Nothing was written. Try again.' }
  return await typeNewPassword(
    { terminal },
    { option: '--encryption', question: 'New password: ', hints },
    interrupt,
  )
}

/** Asked twice on the terminal. Throws UsageError E_USAGE when there is none, or two, with its hint; the signal's reason. */
export async function typeNewPassword(
  { terminal }: Pick<CliContext, 'terminal'>,
  {
    option,
    question,
    hints,
  }: {
    readonly option: string
    readonly question: string
    readonly hints: { readonly none: string; readonly different: string }
  },
  { signal }: Interrupt,
): Promise<string> {
  const first = await terminal.askPassword(question, signal)
  if (first === null || first === '') throw usageError(option, 'There is no password.', hints.none)
  const again = await terminal.askPassword('The same again: ', signal)
  if (first !== again) throw usageError(option, 'These are two different passwords.', hints.different)
  return first
}

/** What may be the password: hdiutil takes the end of a line for a part of it, which is hardly ever meant. */
async function readGiven(
  { terminal }: Pick<CliContext, 'terminal'>,
  interrupt: Interrupt,
): Promise<readonly [string, ...string[]]> {
  const text = await terminal.readPassword(interrupt.signal)
  const line = text?.replace(/\r?\n$/, '') ?? ''
  if (text === null || line === '')
    throw new UsageError('E_USAGE', 'no password on standard input', {
      details: {
        input: '--stdinpass',
        problem: 'There is no password on standard input.',
        hint: 'For example: printf \'%s\' "$PASSWORD" | reprise … --stdinpass',
      },
    })
  return line === text ? [text] : [line, text]
}

async function tryEach(passwords: readonly string[], unlock: (password: string) => Promise<void>) {
  for (const [index, password] of passwords.entries()) {
    try {
      return await unlock(password)
    } catch (error) {
      AppError.accept(error)
      if (!isWrongPassword(error) || index === passwords.length - 1) throw error
    }
  }
}

/** Of an image, or of a multicast session. */
const isWrongPassword = ({ code }: AppError) => code === 'E_SRC_PASSWORD' || code === 'E_MC_PASSWORD'

const nobodyToAsk = (path: string): AppError =>
  isStreamLocator(path) ? noSessionPassword(path) : noImagePassword(path)

const noSessionPassword = (locator: string) =>
  new NetworkError('E_MC_PASSWORD', `${locator} asks for a password, and none was given`, {
    details: { address: locator, phase: 'control' },
  })

function noImagePassword(path: string): FormatError {
  const shown = publicLocator(path)
  return new FormatError('E_SRC_ENCRYPTED', `${shown} is encrypted, and no password was given`, {
    details: { format: 'encrcdsa', field: 'signature', offset: 0, path: shown },
  })
}
