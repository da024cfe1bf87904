/**
 * What a stream is sent through: its socket, and the burst that is on its way. A socket is bound to an address and an interface's
 * number for good. When the adapter was pulled out and put back, or has another address now, every send on it fails for ever; so
 * while sends fail, another one is opened from time to time and takes its place.
 */
import { NetworkError } from '#shared/errors'
import { Burst } from './burst.ts'
import type { StreamSocket } from './open-socket.ts'

export interface GroupSenderOptions {
  readonly opened: StreamSocket
  /** Open it anew, where the interface is now. Rejects when that can't be yet. */
  readonly reopen: () => Promise<StreamSocket>
  /** Of a symbol's datagram. */
  readonly datagramBytes: number
  /** For those who are told of its troubles. */
  readonly group: string
  readonly interfaceName: string
}

/** From the first failure to the first attempt, and from one to the next: opening one may start a program (`setSocketOptions`). */
const pauseMs = 2000

export class GroupSender {
  readonly #options: GroupSenderOptions
  #socket: StreamSocket['socket']
  #address: string
  #burst: Burst
  #trouble: NetworkError | null = null
  #reopenDueMs = 0
  #isReopening = false
  #isClosed = false

  constructor(options: GroupSenderOptions) {
    this.#options = options
    this.#socket = options.opened.socket
    this.#address = options.opened.address
    this.#burst = this.#burstOn(options.opened)
  }

  /** Where the next datagrams go. It is another one after each time that the socket was opened anew, and empty then. */
  get burst(): Burst {
    return this.#burst
  }
  /** The interface's address: another one, maybe, after it was opened anew. */
  get address(): string {
    return this.#address
  }
  /** The system hasn't taken all that was sent: only the event loop's turn can change that. */
  get isQueued(): boolean {
    return this.#socket.getSendQueueCount() > 0
  }
  /** NetworkError E_MC_SEND while what is sent doesn't go out. */
  get trouble(): NetworkError | null {
    return this.#trouble
  }

  /** Send the burst. `asks`: what becomes of it is heard, which costs something. */
  send({ asks }: { readonly asks: boolean }): void {
    const socket = this.#socket
    this.#burst.send(asks ? (error) => this.#heard(socket, error) : null)
  }

  close(): void {
    this.#isClosed = true
    this.#socket.close()
  }

  #burstOn({ socket, isCut }: StreamSocket): Burst {
    return new Burst({ socket, isCut, datagramBytes: this.#options.datagramBytes })
  }

  #heard(socket: StreamSocket['socket'], error: Error | null): void {
    // Of a socket that was closed, what it still had to send.
    if (socket !== this.#socket || this.#isClosed) return
    if (error === null) {
      this.#trouble = null
      return
    }
    const errno = 'code' in error ? String(error.code) : ''
    const nowMs = performance.now()
    if (this.#trouble === null) {
      const { group: address, interfaceName } = this.#options
      this.#trouble = new NetworkError('E_MC_SEND', error.message, {
        details: { address, phase: 'stream', errno, interface: interfaceName },
        transient: true,
      })
      this.#reopenDueMs = nowMs + pauseMs
    }
    // A firewall refuses every socket.
    if (errno === 'EPERM' || this.#isReopening || nowMs < this.#reopenDueMs) return
    void this.#reopen()
  }

  async #reopen(): Promise<void> {
    this.#isReopening = true
    try {
      const opened = await this.#options.reopen()
      if (this.#isClosed) {
        opened.socket.close()
        return
      }
      const before = this.#socket
      this.#socket = opened.socket
      this.#address = opened.address
      this.#burst = this.#burstOn(opened)
      before.close()
    } catch {
      // It isn't back yet, whatever the system says of it. The trouble is told already.
    } finally {
      this.#reopenDueMs = performance.now() + pauseMs
      this.#isReopening = false
    }
  }
}
