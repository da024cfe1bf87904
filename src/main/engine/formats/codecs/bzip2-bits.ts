/** Bits of a bzip2 stream, highest first, out of a window that the stream moves through. */

/** Bytes after the window's end that may be loaded (and are zero): a group of 50 symbols of 20 bits, and a word. */
export const slackBytes = 136

export class Bzip2Bits {
  /** In bits from the window's start. May run past `endBits`, into zeros: check `overrun` before believing anything. */
  position = 0
  endBits = 0
  view = new DataView(new ArrayBuffer(slackBytes))
  #bytes = new Uint8Array(this.view.buffer)

  /** Make the window these bytes (a copy), to be read from `position` bits on. */
  load(bytes: Uint8Array, position: number): void {
    if (this.#bytes.length < bytes.length + slackBytes) {
      this.#bytes = new Uint8Array(bytes.length + slackBytes)
      this.view = new DataView(this.#bytes.buffer)
    }
    this.#bytes.set(bytes)
    this.#bytes.fill(0, bytes.length, bytes.length + slackBytes)
    this.endBits = bytes.length * 8
    this.position = position
  }

  get overrun(): boolean {
    return this.position > this.endBits
  }

  /** The next `count` bits, 1 to 24. Past the end: zeros. */
  take(count: number): number {
    const at = Math.min(this.position, this.endBits)
    const value = (this.view.getInt32(at >> 3) << (at & 7)) >>> (32 - count)
    this.position += count
    return value
  }

  /** A word of 32 bits, unsigned. */
  takeWord(): number {
    return this.take(16) * 0x10000 + this.take(16)
  }

  /** Skip to the next whole byte. */
  align(): void {
    this.position = (this.position + 7) & ~7
  }
}
