/** The top dict of an XML property list. */
import { parseSmallPlist, type PassedOver } from '#engine/formats/udif'
import { FormatError } from '#shared/errors'
import type { PlistTop, PlistValue } from './plist-values.ts'

/** Null when it isn't one. */
export function parseXmlPlist(bytes: Uint8Array): PlistTop | null {
  let dict: ReturnType<typeof parseSmallPlist>
  const passedOver = new Map<string, PassedOver>()
  try {
    dict = parseSmallPlist(bytes, { format: 'configuration', field: 'plist' }, (key, value) =>
      passedOver.set(key, value),
    )
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
  for (const [key, value] of passedOver)
    if (!values.has(key)) values.set(key, { kind: 'other', value: words[value] })
  return values
}

const words: { readonly [value in PassedOver]: string } = {
  array: 'an array',
  dict: 'a dict',
  number: 'a number that is none',
}
