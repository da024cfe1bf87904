/** What a reception knows of its server: the connection there is, whether it is heard, and what it said last. */
import type { Message, StreamState } from '#engine/multicast/wire'
import type { ControlSocket } from './control-socket.ts'

/** A server says where it is each second. */
export const presenceMs = 2500

export class ServerPresence {
  state: StreamState = 'waiting'
  /** Ours, among its clients. */
  standing: Message<'position'>['standing'] = 'well'
  /** Until the stream starts. */
  waiting: Message<'waiting'> | null = null
  #control: ControlSocket | null = null
  #sinceMs = 0
  #next = Promise.withResolvers<void>()

  /** Null while there is no connection. */
  get control(): ControlSocket | null {
    return this.#control
  }

  /** Resolves with the next connection. */
  get next(): Promise<void> {
    return this.#next.promise
  }

  came(control: ControlSocket, nowMs: number): void {
    this.#control = control
    this.#sinceMs = nowMs
    this.#next.resolve()
    this.#next = Promise.withResolvers<void>()
  }

  gone(): void {
    this.#control = null
  }

  /** It is heard over its connection: one that is cut off isn't, long before the connection breaks. */
  isHeard(nowMs: number, withinMs = presenceMs): boolean {
    return this.#control !== null && nowMs - this.#control.heardMs < withinMs
  }

  /** How long the last connection has stood. */
  stoodMs(nowMs: number): number {
    return nowMs - this.#sinceMs
  }
}
