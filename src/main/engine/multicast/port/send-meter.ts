/** How much was sent: in all, and in the last second. */
const slotMs = 100
const slots = 10

export class SendMeter {
  #sentBytes = 0
  readonly #slots = new Float64Array(slots)
  #slot = 0

  get sentBytes(): number {
    return this.#sentBytes
  }

  add(bytes: number, nowMs: number): void {
    this.#turn(nowMs)
    this.#sentBytes += bytes
    const index = this.#slot % slots
    this.#slots[index] = (this.#slots[index] as number) + bytes
  }

  /** Bytes of the last second. */
  perSecond(nowMs: number): number {
    this.#turn(nowMs)
    return this.#slots.reduce((sum, bytes) => sum + bytes, 0)
  }

  #turn(nowMs: number): void {
    const now = Math.floor(nowMs / slotMs)
    if (now - this.#slot >= slots) this.#slots.fill(0)
    else for (let slot = this.#slot + 1; slot <= now; slot++) this.#slots[slot % slots] = 0
    this.#slot = Math.max(this.#slot, now)
  }
}
