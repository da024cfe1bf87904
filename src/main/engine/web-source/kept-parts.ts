/**
 * What came of a file on a server, kept for who reads it a second time. A verify does: the disk inside first, then the bytes as they
 * are stored. Written as it passes into a file without a name, so that nobody waits for it, and given up where the disk doesn't take
 * it: then it is fetched again.
 */
import { readSync, writeSync } from 'node:fs'
import type { Spool } from './spool.ts'

const pieceBytes = 1024 * 1024

export class KeptParts implements Disposable {
  readonly version: string
  readonly #spool: Spool
  /** Ascending, apart from one another. */
  #stretches: { readonly from: number; readonly to: number }[] = []
  #isKept = true

  constructor(spool: Spool, version: string) {
    this.#spool = spool
    this.version = version
  }

  put(bytes: Uint8Array, offset: number): void {
    if (!this.#isKept || this.has(offset, offset + bytes.length)) return
    try {
      for (let done = 0; done < bytes.length;)
        done += writeSync(this.#spool.fd, bytes, done, bytes.length - done, offset + done)
      this.#add(offset, offset + bytes.length)
    } catch {
      // It was a convenience.
      this.#giveUp()
    }
  }

  /** All from `from` to `to` is here. */
  has(from: number, to: number): boolean {
    return this.#stretches.some((each) => each.from <= from && each.to >= to)
  }

  /** Give what is here of it, if all is. Returns how far that went: to `to` unless it can't be read any more. */
  give(from: number, to: number, take: (bytes: Uint8Array, offset: number) => void): number {
    if (!this.has(from, to)) return from
    const room = new Uint8Array(Math.min(pieceBytes, to - from))
    for (let at = from; at < to;) {
      let length: number
      try {
        length = readSync(this.#spool.fd, room, 0, Math.min(room.length, to - at), at)
      } catch {
        length = 0
      }
      if (length === 0) {
        this.#giveUp()
        return at
      }
      take(room.subarray(0, length), at)
      at += length
    }
    return to
  }

  [Symbol.dispose](): void {
    this.#giveUp()
  }

  #giveUp(): void {
    this.#isKept = false
    this.#stretches = []
    this.#spool.close()
  }

  #add(from: number, to: number): void {
    const apart = this.#stretches.filter((each) => each.to < from || each.from > to)
    const touching = this.#stretches.filter((each) => each.to >= from && each.from <= to)
    const joined = {
      from: Math.min(from, ...touching.map((each) => each.from)),
      to: Math.max(to, ...touching.map((each) => each.to)),
    }
    this.#stretches = [...apart, joined].toSorted((a, b) => a.from - b.from)
  }
}
