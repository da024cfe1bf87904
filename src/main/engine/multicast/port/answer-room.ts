/**
 * Room for the blocks of a port that are read for clients that fetch, and not yet taken by them. An address may have as much under
 * way as is left for others; so, however many connections one has, and however slowly they read, there is room for the next one.
 */
const mostBytes = 64 * 1024 * 1024

export class AnswerRoom {
  /** Of those who have some. */
  readonly #byAddress = new Map<string, number>()
  #bytes = 0
  #changes = 0

  /** Another number when there is more or less room than before, for whomever. */
  get changes(): number {
    return this.#changes
  }

  hasFor(address: string, bytes: number): boolean {
    return (this.#byAddress.get(address) ?? 0) + bytes <= mostBytes - this.#bytes
  }

  /** `give` it back when the client has taken them, or won't. */
  take(address: string, bytes: number): void {
    this.#add(address, bytes)
  }

  give(address: string, bytes: number): void {
    this.#add(address, -bytes)
  }

  #add(address: string, bytes: number): void {
    this.#bytes += bytes
    this.#changes += 1
    const its = (this.#byAddress.get(address) ?? 0) + bytes
    if (its === 0) this.#byAddress.delete(address)
    else this.#byAddress.set(address, its)
  }
}
