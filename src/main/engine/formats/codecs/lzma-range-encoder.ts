/**
 * The range coder of LZMA, writing (G. N. N. Martin's, as Igor Pavlov's LZMA specification describes it): bits with adaptive
 * probabilities of 11 bits. A probability is a place in an array of the caller's.
 */

export const evenProbability = 1024

const low = 0
const range = 1
/** Bytes that wait for a carry: the first is `cache`, the others are 0xff. */
const waiting = 2
const cache = 3
const carry = 4

export class RangeEncoder {
  #into: Uint8Array = new Uint8Array(0)
  /** Unsigned words in one array: as fields they would be boxed. */
  readonly #words = new Uint32Array(5)
  /** Bytes written. */
  to = 0
  isFull = false

  begin(into: Uint8Array, to: number): void {
    this.#into = into
    this.to = to
    this.isFull = false
    this.#words.set([0, 0xffffffff, 1, 0, 0])
  }

  /** Where `to` would be if the stream ended here. */
  get end(): number {
    return this.to + (this.#words[waiting] as number) + 4
  }

  bit(probabilities: Uint16Array, index: number, bit: number): void {
    const words = this.#words
    const probability = probabilities[index] as number
    const bound = ((words[range] as number) >>> 11) * probability
    if (bit === 0) {
      words[range] = bound
      probabilities[index] = probability + ((2048 - probability) >>> 5)
    } else {
      this.#add(bound)
      words[range] = (words[range] as number) - bound
      probabilities[index] = probability - (probability >>> 5)
    }
    while (words[range] < 0x1000000) this.#shift()
  }

  /** The lowest `count` bits of `value`, highest first, each as likely as not. */
  direct(value: number, count: number): void {
    const words = this.#words
    for (let place = count - 1; place >= 0; place--) {
      words[range] = (words[range] as number) >>> 1
      if (((value >>> place) & 1) === 1) this.#add(words[range])
      while (words[range] < 0x1000000) this.#shift()
    }
  }

  /** `count` bits, highest first; each prefix has a probability of its own, from `base` on. */
  tree(probabilities: Uint16Array, base: number, count: number, value: number): void {
    let node = 1
    for (let place = count - 1; place >= 0; place--) {
      const bit = (value >>> place) & 1
      this.bit(probabilities, base + node, bit)
      node = (node << 1) | bit
    }
  }

  /** The same, lowest first. */
  reverseTree(probabilities: Uint16Array, base: number, count: number, value: number): void {
    let node = 1
    for (let place = 0; place < count; place++) {
      const bit = (value >>> place) & 1
      this.bit(probabilities, base + node, bit)
      node = (node << 1) | bit
    }
  }

  finish(): void {
    for (let byte = 0; byte < 5; byte++) this.#shift()
  }

  #add(amount: number): void {
    const sum = (this.#words[low] as number) + amount
    if (sum > 0xffffffff) this.#words[carry] = 1
    this.#words[low] = sum
  }

  /** The highest byte of `low` is settled, unless it may still take a carry. */
  #shift(): void {
    const words = this.#words
    const bottom = words[low] as number
    words[range] = (words[range] as number) << 8
    if (bottom < 0xff000000 || words[carry] === 1) {
      let byte = (words[cache] as number) + (words[carry] as number)
      for (let count = words[waiting] as number; count > 0; count--) {
        if (this.to >= this.#into.length) this.isFull = true
        else this.#into[this.to++] = byte & 0xff
        byte = 0xff + (words[carry] as number)
      }
      words[waiting] = 0
      words[cache] = bottom >>> 24
      words[carry] = 0
    }
    words[waiting] = (words[waiting] as number) + 1
    words[low] = bottom << 8
  }
}
