/**
 * What a session may be called. A Mac writes the accents of its files' names apart (NFD), people type letters in one piece (NFC): to
 * them it is one name. So names are composed where they enter, and what is compared has been composed.
 */

/** Beside `session=` in a string of a TXT record, which has 255 bytes: clients that find it there need it whole. */
export const longestSessionName = { characters: 63, bytes: 247 }

export const composedName = (name: string): string => name.normalize('NFC')

export const sessionNameBytes = (name: string): number => new TextEncoder().encode(name).length

/** `name`: composed. */
export const fitsSessionName = (name: string): boolean =>
  Array.from(name).length <= longestSessionName.characters &&
  sessionNameBytes(name) <= longestSessionName.bytes

/** As much of its beginning as fits, composed. `spare`: ASCII characters that something put behind it needs. */
export function fittingName(name: string, spare = 0): string {
  const { characters, bytes } = longestSessionName
  const kept = Array.from(composedName(name)).slice(0, characters - spare)
  while (sessionNameBytes(kept.join('')) > bytes - spare) kept.pop()
  return kept.join('')
}
