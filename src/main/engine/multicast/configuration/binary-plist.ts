/**
 * The top dict of a binary property list, as `defaults write` makes them (bplist00). Of nested containers only what they are
 * is told: nothing that is read here has any.
 *
 *     "bplist00", objects, table of their offsets, 32 bytes of trailer:
 *     6 unused, size of an offset, size of a reference, u64 objects, u64 the top one, u64 place of the table
 */
import type { PlistTop, PlistValue } from './plist-values.ts'

const magic = 'bplist00'
const trailerBytes = 32
/** Object markers: the high four bits. */
const kinds = {
  simple: 0,
  integer: 1,
  real: 2,
  date: 3,
  data: 4,
  ascii: 5,
  unicode: 6,
  array: 10,
  set: 12,
  dict: 13,
}
const simple: { readonly [marker: number]: PlistValue } = {
  8: { kind: 'boolean', value: false },
  9: { kind: 'boolean', value: true },
}
/** Of a count that didn't fit into the marker, and of what a dict may hold here. */
const most = { entries: 10_000, textBytes: 65_536 }

export const isBinaryPlist = (bytes: Uint8Array): boolean =>
  Buffer.from(bytes.subarray(0, magic.length)).toString('latin1') === magic

/** Null when it isn't one, or its top is no dict. */
export function parseBinaryPlist(bytes: Uint8Array): PlistTop | null {
  try {
    return readTop(bytes)
  } catch (error) {
    // Every read is checked by the view: what lies outside isn't a plist.
    if (error instanceof RangeError) return null
    throw error
  }
}

function readTop(bytes: Uint8Array): PlistTop | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const trailer = bytes.length - trailerBytes
  const [offsetBytes, referenceBytes] = [view.getUint8(trailer + 6), view.getUint8(trailer + 7)]
  const [count, top, table] = [8, 16, 24].map((at) => Number(view.getBigUint64(trailer + at))) as [
    number,
    number,
    number,
  ]

  const uint = (at: number, size: number): number => {
    if (size < 1 || size > 8) throw new RangeError('the size of a number')
    let value = 0
    for (let index = 0; index < size; index++) value = value * 256 + view.getUint8(at + index)
    return value
  }
  const placeOf = (object: number): number => {
    if (object >= count) throw new RangeError('an object that is none')
    return uint(table + object * offsetBytes, offsetBytes)
  }
  /** What a marker counts, and where what it counts begins. */
  const counted = (place: number): { readonly length: number; readonly at: number } => {
    const short = view.getUint8(place) & 0x0f
    if (short !== 0x0f) return { length: short, at: place + 1 }
    const size = 2 ** (view.getUint8(place + 1) & 0x0f)
    return { length: uint(place + 2, size), at: place + 2 + size }
  }
  const textAt = (place: number): string | null => {
    const kind = view.getUint8(place) >> 4
    if (kind !== kinds.ascii && kind !== kinds.unicode) return null
    const { length, at } = counted(place)
    const size = kind === kinds.ascii ? length : length * 2
    if (size > most.textBytes || at + size > bytes.length) throw new RangeError('a text beyond the end')
    const raw = Buffer.from(bytes.subarray(at, at + size))
    return kind === kinds.ascii ? raw.toString('latin1') : raw.swap16().toString('utf16le')
  }
  const valueAt = (place: number): PlistValue => {
    const marker = view.getUint8(place)
    const low = marker & 0x0f
    switch (marker >> 4) {
      case kinds.simple:
        return simple[low] ?? { kind: 'other', value: 'nothing' }
      case kinds.integer:
        return { kind: 'number', value: integer(place + 1, 2 ** low) }
      case kinds.real:
        return { kind: 'number', value: low === 2 ? view.getFloat32(place + 1) : view.getFloat64(place + 1) }
      case kinds.ascii:
      case kinds.unicode:
        return { kind: 'text', value: textAt(place) ?? '' }
      case kinds.date:
        return { kind: 'other', value: 'a date' }
      case kinds.data:
        return { kind: 'other', value: 'data' }
      case kinds.array:
      case kinds.set:
        return { kind: 'other', value: 'an array' }
      case kinds.dict:
        return { kind: 'other', value: 'a dict' }
      default:
        throw new RangeError('an object of no kind')
    }
  }
  /** Of eight bytes and more they are signed. */
  const integer = (at: number, size: number): number => {
    if (size === 16) return Number(view.getBigInt64(at + 8))
    return size === 8 ? Number(view.getBigInt64(at)) : uint(at, size)
  }

  const place = placeOf(top)
  if (view.getUint8(place) >> 4 !== kinds.dict) return null
  const { length, at } = counted(place)
  if (length > most.entries) return null
  const values = new Map<string, PlistValue>()
  for (let index = 0; index < length; index++) {
    const key = textAt(placeOf(uint(at + index * referenceBytes, referenceBytes)))
    if (key === null) return null
    values.set(key, valueAt(placeOf(uint(at + (length + index) * referenceBytes, referenceBytes))))
  }
  return values
}
