/**
 * A moment in the time zone here, and in the person's own way, which is what `locale` is by default. Some languages put marks of direction
 * in it; they would be shown as something that a name hides.
 */
export const localTime = (
  ms: number,
  format: Pick<Intl.DateTimeFormatOptions, 'dateStyle' | 'timeStyle'>,
  locale?: string,
): string => new Intl.DateTimeFormat(locale, format).format(ms).replaceAll(/[\u200e\u200f\u061c]/g, '')
