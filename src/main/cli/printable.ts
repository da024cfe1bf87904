/**
 * Names come from disks and images, so from anyone. A terminal obeys what it prints: escape sequences move the cursor and
 * rewrite what was said before a question, and direction marks turn a name around. Neither gets through.
 */
import { visible } from '#shared/words'

/** `text` with every character of either kind replaced by `?`, on one line. */
export const printable = (text: string): string => visible(text).replace(/\p{Cc}/gu, '?')

/** The columns a terminal needs for `text`. */
export function columns(text: string): number {
  let width = 0
  for (const character of text) width += columnsOf(character)
  return width
}

const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}|[\u{20000}-\u{3fffd}]/u

const columnsOf = (character: string): number => (/\p{M}/u.test(character) ? 0 : wide.test(character) ? 2 : 1)
