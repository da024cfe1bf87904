/**
 * The top dict of a small plist, as a map. Nested containers are passed over: nothing that is read here has any. Where
 * a key comes twice the first one counts: a known writer stores another number under a key that it used before.
 */
import { corrupt } from '#engine/formats/struct'
import { PlistReader, type PlistEvents } from './plist-reader.ts'

export type PlistDict = ReadonlyMap<string, string | number | boolean | Uint8Array>

/** What a key of the top dict may hold that isn't read: a number that is none, or a container. */
export type PassedOver = 'number' | 'array' | 'dict'

/**
 * `passedOver` is told of each key of the top dict whose value isn't in the map, nor one from before. Throws `FormatError` E_SRC_CORRUPT
 * when it isn't a plist with a dict.
 */
export function parseSmallPlist(
  bytes: Uint8Array,
  what: { readonly format: string; readonly field: string } = { format: 'udif', field: 'plist' },
  passedOver: (key: string, value: PassedOver) => void = () => undefined,
): PlistDict {
  const values = new Map<string, string | number | boolean | Uint8Array>()
  let depth = 0
  let dicts = 0
  let key = ''
  let data: Uint8Array[] = []
  const isDue = () => depth === 1 && dicts === 1 && !values.has(key)
  const set = (value: string | number | boolean | Uint8Array) => {
    if (isDue()) values.set(key, value)
  }
  const pass = (value: PassedOver) => {
    if (isDue()) passedOver(key, value)
  }
  const close = () => {
    depth--
  }
  const events: PlistEvents = {
    beginDict() {
      pass('dict')
      if (depth === 0) dicts++
      depth++
    },
    endDict: close,
    beginArray() {
      pass('array')
      depth++
    },
    endArray: close,
    key(text) {
      if (depth === 1) key = text
    },
    text(kind, text) {
      if (kind === 'true' || kind === 'false') set(kind === 'true')
      else if (kind === 'integer' || kind === 'real') {
        const number = text.trim() === '' ? NaN : Number(text)
        if (Number.isFinite(number)) set(number)
        else pass('number')
      } else set(text)
    },
    beginData() {
      data = []
    },
    data(piece) {
      data.push(piece.slice())
    },
    endData() {
      set(Buffer.concat(data))
    },
  }
  const reader = new PlistReader(events, 0, what)
  reader.push(bytes)
  reader.end()
  if (dicts !== 1) throw corrupt({ ...what, offset: 0, expected: 'a dict' })
  return values
}
