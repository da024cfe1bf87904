/** What to do is a button or a menu in the window, and a command in a terminal: the words know where they are read. */
import type { Names } from './details.ts'

/** What is told there; who doesn't say where reads it in the window. */
export function byReader<Told>(
  { readIn = 'window' }: Pick<Names, 'readIn'>,
  told: { readonly [reader in NonNullable<Names['readIn']>]: Told },
): Told {
  return told[readIn]
}

/** For words that are read in a terminal. */
export const inTerminal = (names: Names = {}): Names => ({ ...names, readIn: 'terminal' })

/** A new checksum is written over the one beside an image. */
export const replacingChecksum = {
  window: 'Replace Checksum… in Activity',
  terminal: 'reprise image checksum --replace',
} as const
