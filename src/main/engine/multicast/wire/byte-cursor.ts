/**
 * Walks over bytes that a peer sent, or gathers bytes for one. Every step checks that the bytes are there, and throws a
 * `FormatError` that says which field and where; `parseMessage` turns it into an error of the connection.
 */
import { corrupt } from '#engine/formats/struct'
import type { Detail } from '#shared/errors'

export class ByteCursor {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get leftBytes(): number {
    return this.#bytes.length - this.#at
  }

  /** 1, 2, 4 or 8 bytes, big-endian; 8 must fit a safe integer. */
  uint(sizeBytes: 1 | 2 | 4 | 8, field: string): number {
    const at = this.#step(sizeBytes, field)
    switch (sizeBytes) {
      case 1:
        return this.#view.getUint8(at)
      case 2:
        return this.#view.getUint16(at)
      case 4:
        return this.#view.getUint32(at)
      default: {
        const value = this.#view.getBigUint64(at)
        return value <= Number.MAX_SAFE_INTEGER
          ? Number(value)
          : this.refuse(field, String(value), 'at most 2^53 - 1')
      }
    }
  }

  /** A copy. */
  take(lengthBytes: number, field: string): Uint8Array<ArrayBuffer> {
    const at = this.#step(lengthBytes, field)
    const copy = new Uint8Array(lengthBytes)
    copy.set(this.#bytes.subarray(at, at + lengthBytes))
    return copy
  }

  /** Unsigned LEB128 below 2^32, in as few bytes as it can be. */
  varint(field: string): number {
    let value = 0
    for (let index = 0; index < 5; index++) {
      const byte = this.uint(1, field)
      value += (byte % 128) * 128 ** index
      if (byte >= 128) continue
      if (value >= 2 ** 32 || (byte === 0 && index > 0)) break
      return value
    }
    return this.refuse(field, 'a number written as no number is', 'LEB128 below 2^32')
  }

  /** Throws: the value that was read last can't be. */
  refuse(field: string, found: Detail, expected: Detail): never {
    throw corrupt({ format: 'multicast', field, offset: this.#at, found, expected })
  }

  #step(lengthBytes: number, field: string): number {
    const at = this.#at
    if (lengthBytes > this.leftBytes) this.refuse(field, `${this.leftBytes} bytes`, `${lengthBytes} bytes`)
    this.#at += lengthBytes
    return at
  }
}

/** Gathers bytes. */
export class ByteWriter {
  #bytes = new Uint8Array(256)
  #length = 0

  uint(sizeBytes: 1 | 2 | 4 | 8, value: number): void {
    const at = this.#grow(sizeBytes)
    for (let index = sizeBytes - 1, rest = value; index >= 0; index--, rest = Math.floor(rest / 256))
      this.#bytes[at + index] = rest % 256
  }

  put(bytes: Uint8Array): void {
    const at = this.#grow(bytes.length)
    this.#bytes.set(bytes, at)
  }

  varint(value: number): void {
    for (let rest = value; ; rest = Math.floor(rest / 128)) {
      this.uint(1, rest < 128 ? rest : (rest % 128) + 128)
      if (rest < 128) return
    }
  }

  /** Everything so far: a copy. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length)
  }

  #grow(lengthBytes: number): number {
    const at = this.#length
    this.#length += lengthBytes
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#length, this.#bytes.length * 2))
      larger.set(this.#bytes)
      this.#bytes = larger
    }
    return at
  }
}
