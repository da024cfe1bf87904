/** Writes an XML property list: what --plist prints. */

/** Null values, and the keys that have them, are left out. */
export type PlistValue =
  | string
  | number
  | boolean
  | Date
  | Uint8Array
  | null
  | readonly PlistValue[]
  | { readonly [key: string]: PlistValue }

export function plistText(value: PlistValue): string {
  return (
    '<?xml version="1.0" encoding="UTF-8"?>\n' +
    '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">\n' +
    `<plist version="1.0">\n${element(value, '')}</plist>\n`
  )
}

function element(value: PlistValue, indent: string): string {
  const line = (name: string, text: string) => `${indent}<${name}>${text}</${name}>\n`
  if (value === null) return ''
  if (typeof value === 'string') return line('string', escape(value))
  if (typeof value === 'number') return line(Number.isInteger(value) ? 'integer' : 'real', String(value))
  if (typeof value === 'boolean') return `${indent}<${value}/>\n`
  if (value instanceof Date) return line('date', value.toISOString().replace(/\.\d+Z$/, 'Z'))
  if (value instanceof Uint8Array) return line('data', Buffer.from(value).toString('base64'))
  const deeper = `${indent}\t`
  if (isList(value))
    return `${indent}<array>\n${value.map((item) => element(item, deeper)).join('')}${indent}</array>\n`
  const entries = Object.entries(value).filter(([, entry]) => entry !== null)
  const texts = entries.map(([key, entry]) => `${deeper}<key>${escape(key)}</key>\n${element(entry, deeper)}`)
  return `${indent}<dict>\n${texts.join('')}${indent}</dict>\n`
}

const isList = (value: object): value is readonly PlistValue[] => Array.isArray(value)

/** XML has no halves of characters and no control characters but tab and line feed; a carriage return is read as one, unless it is written so. */
const escape = (text: string): string =>
  text
    .toWellFormed()
    .replaceAll(/(?![\t\n\r])\p{Cc}|[\uFFFE\uFFFF]/gu, '\uFFFD')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('\r', '&#13;')
