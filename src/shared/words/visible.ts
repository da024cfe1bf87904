/**
 * Names come from disks, images and networks, so from anyone. Direction marks turn a name around, and with it the words
 * that stand beside it; what can't be seen makes two names look the same.
 */

// Line and paragraph separators, direction marks, other invisibles.
const invisible = /[\p{Zl}\p{Zp}\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu

/** `text` with every such character replaced by `?`. For where text is shown: what is shown may be an identifier, too. */
export const visible = (text: string): string => text.replace(invisible, '?')
