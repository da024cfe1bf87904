/**
 * Names that come from hardware and from disks: a USB stick may call itself anything, terminal escapes and
 * right-to-left overrides included.
 */

// C0 and C1 controls, zero-width and bidirectional marks, line separators, byte-order mark, unpaired surrogates' stand-in.
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const unprintable = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufffd]/g

/** What remains when nothing that can't be seen is left; null when that is nothing. At most 200 characters. */
export function cleanText(text: string | null | undefined): string | null {
  if (text === null || text === undefined) return null
  const clean = text.replace(unprintable, ' ').replace(/\s+/g, ' ').trim().slice(0, 200)
  return clean === '' ? null : clean
}
