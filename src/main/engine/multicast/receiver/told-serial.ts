/**
 * What datagrams say of serials, held against what the server says over the control connection. That nobody else can say; a datagram
 * can be made by everyone who has the session's key, and one that is far ahead would make all that is sent after it look old.
 */
import { datagramHeaderBytes, mostBytesPerSecond, networkHeaderBytes } from '#engine/multicast/wire'

export interface ToldSerial {
  /** Even the fastest server can't have come so far by now. */
  isBeyond(serial: number, nowMs: number): boolean
  /**
   * The server says how many symbols it has sent; `newest` is what datagrams have said. True when they said more a while ago than
   * the server says now: that was forged.
   */
  told(serial: number, newest: number, nowMs: number): boolean
}

/** A word over the control connection may be so much older than it seems. */
const graceMs = 10_000
/** And is so much older so rarely that it may be taken for the truth, as what is sent next mends that. */
const usualMs = 1500

/** `serial`: what the server said on joining. */
export function createToldSerial(serial: number, symbolBytes: number, nowMs: number): ToldSerial {
  const mostPerMs = mostBytesPerSecond / 1000 / (symbolBytes + datagramHeaderBytes + networkHeaderBytes)
  let [told, toldMs] = [serial, nowMs]
  /** What datagrams had said by then. */
  let [noted, notedMs] = [serial, nowMs]

  return {
    isBeyond: (serial, nowMs) => serial > told + mostPerMs * (nowMs - toldMs + graceMs),
    told(serial, newest, nowMs) {
      told = serial
      toldMs = nowMs
      if (nowMs - notedMs < usualMs) return false
      const isForged = noted > serial
      noted = isForged ? serial : newest
      notedMs = nowMs
      return isForged
    },
  }
}
