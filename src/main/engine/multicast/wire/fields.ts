/** The kinds of fields that control messages are made of. Each reads and writes, and bounds what it reads. */
import type { ByteCursor, ByteWriter } from './byte-cursor.ts'
import { readNeeds, writeNeeds, type Need } from './needs.ts'

export interface FieldKind<T> {
  read(cursor: ByteCursor, field: string): T
  write(out: ByteWriter, value: T): void
}

const uint = (sizeBytes: 1 | 2 | 4 | 8): FieldKind<number> => ({
  read: (cursor, field) => cursor.uint(sizeBytes, field),
  write: (out, value) => out.uint(sizeBytes, value),
})
export const u16 = uint(2)
export const u32 = uint(4)
/** At most 2^53 - 1. */
export const u64 = uint(8)

/** Exactly so many bytes. */
export const bytes = (lengthBytes: number): FieldKind<Uint8Array> => ({
  read: (cursor, field) => cursor.take(lengthBytes, field),
  write: (out, value) => out.put(value),
})

/** u32 length, then the bytes. */
export const blob = (maxBytes: number): FieldKind<Uint8Array> => ({
  read(cursor, field) {
    const lengthBytes = cursor.uint(4, field)
    if (lengthBytes > maxBytes) cursor.refuse(field, lengthBytes, `at most ${maxBytes} bytes`)
    return cursor.take(lengthBytes, field)
  },
  write(out, value) {
    out.uint(4, value.length)
    out.put(value)
  },
})

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
// What could move a terminal's cursor or turn a line around has no place in a name.
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u

/** u16 length in bytes, then UTF-8 of printable characters. */
export const text = (maxBytes: number): FieldKind<string> => ({
  read(cursor, field) {
    const lengthBytes = cursor.uint(2, field)
    if (lengthBytes > maxBytes) cursor.refuse(field, lengthBytes, `at most ${maxBytes} bytes`)
    const raw = cursor.take(lengthBytes, field)
    try {
      const value = utf8.decode(raw)
      if (!unprintable.test(value)) return value
    } catch (error) {
      if (!(error instanceof TypeError)) throw error
    }
    return cursor.refuse(field, 'bytes that are no text', 'printable UTF-8')
  },
  write(out, value) {
    const raw = Buffer.from(value.replaceAll(new RegExp(unprintable, 'gu'), '?'))
    let end = Math.min(raw.length, maxBytes)
    // Never cut a character in two.
    while (end < raw.length && ((raw[end] as number) & 0xc0) === 0x80) end -= 1
    out.uint(2, end)
    out.put(raw.subarray(0, end))
  },
})

/** One byte that stands for one of the words. */
export const oneOf = <const W extends readonly string[]>(words: W): FieldKind<W[number]> => ({
  read(cursor, field) {
    const index = cursor.uint(1, field)
    return words[index] ?? cursor.refuse(field, index, `below ${words.length}`)
  },
  write: (out, value) => out.uint(1, words.indexOf(value)),
})

/** u16 count, then the items. */
export const listOf = <T>(kind: FieldKind<T>, maxItems: number): FieldKind<readonly T[]> => ({
  read(cursor, field) {
    const length = cursor.uint(2, field)
    if (length > maxItems) cursor.refuse(field, length, `at most ${maxItems}`)
    return Array.from({ length }, () => kind.read(cursor, field))
  },
  write(out, value) {
    out.uint(2, value.length)
    for (const item of value) kind.write(out, item)
  },
})

/** Fields one after another. */
type FieldTable = { readonly [field: string]: FieldKind<unknown> }
export type TableValue<T> = { readonly [F in keyof T]: T[F] extends FieldKind<infer V> ? V : never }

export const group = <const T extends FieldTable>(table: T): FieldKind<TableValue<T>> => {
  const entries = Object.entries(table)
  return {
    read: (cursor, field) =>
      Object.fromEntries(
        entries.map(([name, kind]) => [name, kind.read(cursor, `${field}.${name}`)]),
      ) as TableValue<T>,
    write(out, value) {
      for (const [name, kind] of entries) kind.write(out, value[name as keyof T])
    },
  }
}

export const needs: FieldKind<readonly Need[]> = { read: readNeeds, write: writeNeeds }
