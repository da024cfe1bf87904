/**
 * Datagrams on their way to the system. Where it can cut what it is given (`cutSends`), those that are due within a tenth of a
 * millisecond go to it in one piece: the way through the system's network costs several times what a datagram costs otherwise.
 * On the wire nothing is different.
 */
import type { Socket } from 'node:dgram'

export interface BurstOptions {
  /** Connected to the group. */
  readonly socket: Pick<Socket, 'send'>
  /** Of a symbol's datagram, which is the longest. */
  readonly datagramBytes: number
  /** The system cuts what is sent into datagrams of that length. */
  readonly isCut: boolean
}

/** What a switch gets back to back isn't more for it than what a slow wake-up makes it anyway. */
const burstMs = 0.1
/** A UDP datagram is at most 65,507 bytes, and is cut into at most 64: udp(7), <linux/udp.h>. */
const [mostBytes, mostDatagrams] = [65_507, 64]
/** What the system says when it can't cut for this network: no room in a packet, or an adapter without checksums. */
const cannotCut: readonly unknown[] = ['EINVAL', 'EIO', 'EMSGSIZE', 'ENOTSUP', 'EOPNOTSUPP']

export class Burst {
  readonly #socket: BurstOptions['socket']
  readonly #datagramBytes: number
  /** Where they are made: the system has taken it all before the next is. */
  readonly #memory: Uint8Array<ArrayBuffer>
  #most: number
  #count = 0
  #bytes = 0

  constructor({ socket, datagramBytes, isCut }: BurstOptions) {
    this.#socket = socket
    this.#datagramBytes = datagramBytes
    this.#most = isCut ? Math.min(mostDatagrams, Math.floor(mostBytes / datagramBytes)) : 1
    this.#memory = new Uint8Array(this.#most * datagramBytes)
  }

  /** How many datagrams are in it, and how many bytes they are together. */
  get count(): number {
    return this.#count
  }
  get bytes(): number {
    return this.#bytes
  }

  /** Where the next datagram is to be written, from the start. There is always room for one after `send`. */
  get room(): Uint8Array<ArrayBuffer> {
    return this.#memory.subarray(this.#bytes)
  }

  /** Until the next one is worth its way: so many milliseconds after the last, at `rate` bytes a second. 0: each datagram is. */
  fillsInMs(rate: number): number {
    const due = Math.min(this.#most, Math.floor(((rate / 1000) * burstMs) / this.#datagramBytes))
    return due > 1 ? (due * this.#datagramBytes) / (rate / 1000) : 0
  }

  /**
   * It was written there. Returns false when the burst has to be sent before there is another: it is as much as `rate`, in bytes a
   * second, allows, or the datagram is shorter than the others, which only the last may be.
   */
  add(lengthBytes: number, rate: number): boolean {
    this.#count += 1
    this.#bytes += lengthBytes
    const due = Math.floor((rate / 1000) * burstMs)
    return (
      lengthBytes === this.#datagramBytes &&
      this.#count < this.#most &&
      this.#bytes + this.#datagramBytes <= due
    )
  }

  /**
   * Give it to the system. `done`: what became of it; null: nobody asks, because asking each time costs more than it tells. A burst
   * that can't be cut is lost; once that is known there is no other.
   */
  send(done: ((error: Error | null) => void) | null): void {
    const count = this.#count
    const bytes = this.#memory.subarray(0, this.#bytes)
    this.#count = 0
    this.#bytes = 0
    if (count === 0) return
    if (done === null) {
      this.#socket.send(bytes)
      return
    }
    this.#socket.send(bytes, (error) => {
      const isTooMuch = count > 1 && error !== null && 'code' in error && cannotCut.includes(error.code)
      if (isTooMuch) this.#most = 1
      done(isTooMuch ? null : error)
    })
  }
}
