/** The top dict of an XML property list. */
import { parseSmallPlist } from '#engine/formats/udif'
import { FormatError } from '#shared/errors'
import type { PlistTop, PlistValue } from './plist-values.ts'

/** Null when it isn't one. */
export function parseXmlPlist(bytes: Uint8Array): PlistTop | null {
  let dict: ReturnType<typeof parseSmallPlist>
  try {
    dict = parseSmallPlist(bytes, { format: 'configuration', field: 'plist' })
  } catch (error) {
    FormatError.accept(error)
    return null
  }
  const values = new Map<string, PlistValue>()
  for (const [key, value] of dict)
    if (typeof value === 'number') values.set(key, { kind: 'number', value })
    else if (typeof value === 'boolean') values.set(key, { kind: 'boolean', value })
    else if (typeof value === 'string') values.set(key, { kind: 'text', value })
    else values.set(key, { kind: 'other', value: 'data' })
  // The reader passes over what is nested, and over numbers that are none: the keys of those are still there.
  for (const [, key = '', what = ''] of Buffer.from(bytes)
    .toString('utf8')
    .matchAll(/<key>([^<]{1,200})<\/key>\s*<(array|dict|integer|real)\b/g))
    if (!values.has(key)) values.set(key, { kind: 'other', value: words[what] ?? what })
  return values
}

const words: { readonly [element: string]: string } = {
  array: 'an array',
  dict: 'a dict',
  integer: 'a number that is none',
  real: 'a number that is none',
}
