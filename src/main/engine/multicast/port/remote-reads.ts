/** Bytes that the process's own thread reads for this one: those of web servers, whose passwords and proxies only it knows. */
import type { OpenBytes, Order, ReadNotice } from '#engine/multicast/orders'
import { deserializeError } from '#shared/errors'

interface Asked {
  readonly into: Uint8Array
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

export class RemoteReads {
  readonly #post: (notice: ReadNotice) => void
  readonly #asked = new Map<number, Asked>()
  #next = 1

  constructor(post: (notice: ReadNotice) => void) {
    this.#post = post
  }

  open(sessionId: string): OpenBytes {
    return {
      read: (into, offset) =>
        new Promise<void>((resolve, reject) => {
          const id = this.#next++
          this.#asked.set(id, { into, resolve, reject })
          this.#post({ kind: 'read', id, sessionId, offset, lengthBytes: into.length })
        }),
      // What is open is open over there.
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }
  }

  take({ id, bytes, error }: Extract<Order, { readonly kind: 'bytes' }>): void {
    const asked = this.#asked.get(id)
    this.#asked.delete(id)
    if (error !== null || bytes?.length !== asked?.into.length)
      asked?.reject(
        error === null ? new RangeError('other bytes than were asked for') : deserializeError(error),
      )
    else if (bytes !== null) {
      asked?.into.set(bytes)
      asked?.resolve()
    }
  }
}
