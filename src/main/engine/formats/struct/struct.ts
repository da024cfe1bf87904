/**
 * A struct as a table of its fields in disk order. The table reads and writes, so that someone with the specification
 * in hand can tick it off line by line and neither direction can forget a field. It does no I/O and checks every length.
 */
import { invariant } from '#shared/errors'
import { corrupt } from './format-error.ts'

/**
 * - `uint`, `int`: 1, 2, 4 or 8 bytes in the struct's byte order; 8 bytes must fit a safe integer
 * - `bytes`: as they are, copied
 * - `ascii`: fixed length, ends at the first NUL; bytes above 0x7F come out as Latin-1
 * - `utf16`: fixed length in bytes, in the struct's byte order, ends at the first NUL
 * - `uuid`: 16 bytes in written order; `guid`: 16 bytes with the first three groups little-endian (GPT, NTFS)
 * - `reserved`: has no value; written as zeros, not checked
 */
export type FieldKind = 'uint' | 'int' | 'bytes' | 'ascii' | 'utf16' | 'uuid' | 'guid' | 'reserved'

export type Field = readonly [name: string, sizeBytes: number, kind: FieldKind]

type FieldValue<K extends FieldKind> = K extends 'uint' | 'int'
  ? number
  : K extends 'bytes'
    ? Uint8Array
    : string

/** What the table reads: a property for each field that isn't reserved. */
export type StructValue<F extends readonly Field[]> = {
  readonly [E in F[number] as E[2] extends 'reserved' ? never : E[0]]: FieldValue<E[2]>
}

export interface Struct<F extends readonly Field[]> {
  readonly name: string
  readonly sizeBytes: number
  /** From the start of the struct. */
  offsetOf(field: F[number][0]): number
  /**
   * Read from the start of `bytes`. `fileOffset` is where they lie in the file, for messages. Throws `FormatError`
   * E_SRC_CORRUPT naming the first field that isn't there whole or doesn't fit a safe integer.
   */
  parse(bytes: Uint8Array, fileOffset: number): StructValue<F>
  /** A field that isn't given is written as zeros. */
  encode(value: Partial<StructValue<F>>): Uint8Array<ArrayBuffer>
}

export interface StructOptions<F extends readonly Field[]> {
  /** The format's name in messages: `udif`, `gpt`, … */
  readonly format: string
  /** The spec's name of the struct: `koly`, `mish`, … */
  readonly name: string
  readonly endian: 'big' | 'little'
  readonly fields: F
}

interface Codec {
  read(view: DataView, at: number, size: number, little: boolean): number | bigint | string | Uint8Array
  write(view: DataView, at: number, size: number, little: boolean, value: unknown): void
}

const integer = (kind: 'uint' | 'int'): Codec => ({
  read(view, at, size, little) {
    const signed = kind === 'int'
    switch (size) {
      case 1:
        return signed ? view.getInt8(at) : view.getUint8(at)
      case 2:
        return signed ? view.getInt16(at, little) : view.getUint16(at, little)
      case 4:
        return signed ? view.getInt32(at, little) : view.getUint32(at, little)
      default:
        return signed ? view.getBigInt64(at, little) : view.getBigUint64(at, little)
    }
  },
  write(view, at, size, little, value) {
    invariant(typeof value === 'number' && Number.isSafeInteger(value), `not an integer: ${String(value)}`)
    const limit = 2 ** (size * 8)
    const fits = kind === 'int' ? value >= -limit / 2 && value < limit / 2 : value >= 0 && value < limit
    invariant(fits, `${value} doesn't fit ${size} bytes`)
    switch (size) {
      case 1:
        return view.setInt8(at, value)
      case 2:
        return view.setInt16(at, value, little)
      case 4:
        return view.setInt32(at, value, little)
      default:
        return view.setBigInt64(at, BigInt.asIntN(64, BigInt(value)), little)
    }
  },
})

const bytesAt = (view: DataView, at: number, size: number) =>
  new Uint8Array(view.buffer, view.byteOffset + at, size)

const copyInto = (view: DataView, at: number, size: number, bytes: Uint8Array) => {
  invariant(bytes.length <= size, `${bytes.length} bytes don't fit ${size}`)
  bytesAt(view, at, size).set(bytes)
}

/** Byte order of a GUID's groups on disk, as indexes into its written order. */
const mixedOrder = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15]

const identifier = (order: readonly number[]): Codec => ({
  read(view, at) {
    const hex = order
      .map((index) =>
        view
          .getUint8(at + index)
          .toString(16)
          .padStart(2, '0'),
      )
      .join('')
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
  },
  write(view, at, _size, _little, value) {
    const hex = String(value).replaceAll('-', '')
    invariant(/^[0-9a-f]{32}$/i.test(hex), `not a UUID: ${String(value)}`)
    order.forEach((index, place) =>
      view.setUint8(at + index, Number.parseInt(hex.slice(place * 2, place * 2 + 2), 16)),
    )
  },
})

const codecs: { readonly [kind in Exclude<FieldKind, 'reserved'>]: Codec } = {
  uint: integer('uint'),
  int: integer('int'),
  bytes: {
    read: (view, at, size) => bytesAt(view, at, size).slice(),
    write(view, at, size, _little, value) {
      invariant(value instanceof Uint8Array, 'not bytes')
      copyInto(view, at, size, value)
    },
  },
  ascii: {
    read(view, at, size) {
      const bytes = bytesAt(view, at, size)
      const end = bytes.indexOf(0)
      return Buffer.from(end === -1 ? bytes : bytes.subarray(0, end)).toString('latin1')
    },
    write: (view, at, size, _little, value) => copyInto(view, at, size, Buffer.from(String(value), 'latin1')),
  },
  utf16: {
    read(view, at, size, little) {
      let text = ''
      for (let index = 0; index + 2 <= size; index += 2) {
        const unit = view.getUint16(at + index, little)
        if (unit === 0) break
        text += String.fromCharCode(unit)
      }
      return text
    },
    write(view, at, size, little, value) {
      const text = String(value)
      invariant(text.length * 2 <= size, `"${text}" doesn't fit ${size} bytes`)
      for (let index = 0; index < text.length; index++)
        view.setUint16(at + index * 2, text.charCodeAt(index), little)
    },
  },
  uuid: identifier(mixedOrder.toSorted((a, b) => a - b)),
  guid: identifier(mixedOrder),
}

/** The table as something that reads and writes. Throws `BugError` when the table itself can't be right. */
export function defineStruct<const F extends readonly Field[]>(options: StructOptions<F>): Struct<F> {
  const { format, name, fields } = options
  const little = options.endian === 'little'
  const places: { name: string; at: number; size: number; kind: FieldKind }[] = []
  let sizeBytes = 0
  for (const [field, size, kind] of fields) {
    const sizes = kind === 'uint' || kind === 'int' ? [1, 2, 4, 8] : kind.endsWith('uid') ? [16] : null
    invariant(
      size > 0 && (sizes === null || sizes.includes(size)),
      `${name}.${field} can't have ${size} bytes`,
    )
    invariant(!places.some((place) => place.name === field), `${name}.${field} twice`)
    places.push({ name: field, at: sizeBytes, size, kind })
    sizeBytes += size
  }

  return {
    name,
    sizeBytes,

    offsetOf(field) {
      const place = places.find((place) => place.name === field)
      invariant(place !== undefined, `${name} has no field ${field}`)
      return place.at
    },

    parse(bytes, fileOffset) {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      const value: Record<string, number | string | Uint8Array> = {}
      for (const place of places) {
        const problem = { format, field: `${name}.${place.name}`, offset: fileOffset + place.at }
        if (place.at + place.size > bytes.length)
          throw corrupt({ ...problem, found: `${bytes.length} bytes`, expected: `${sizeBytes} bytes` })
        if (place.kind === 'reserved') continue
        const read = codecs[place.kind].read(view, place.at, place.size, little)
        if (typeof read !== 'bigint') value[place.name] = read
        else if (read <= Number.MAX_SAFE_INTEGER && read >= Number.MIN_SAFE_INTEGER)
          value[place.name] = Number(read)
        else
          throw corrupt({ ...problem, found: String(read), expected: `at most ${Number.MAX_SAFE_INTEGER}` })
      }
      return value as StructValue<F>
    },

    encode(value) {
      const bytes = new Uint8Array(sizeBytes)
      const view = new DataView(bytes.buffer)
      for (const place of places) {
        const given = (value as Record<string, unknown>)[place.name]
        if (place.kind !== 'reserved' && given !== undefined)
          codecs[place.kind].write(view, place.at, place.size, little, given)
      }
      return bytes
    },
  }
}
