/**
 * What travels by multicast: one symbol of a section, or a word on where the stream is. 32 bytes, then the symbol:
 *
 *      0  3  magic      "RPM"
 *      3  1  version    1
 *      4  1  kind       1 symbol, 2 position
 *      5  1  number     of the symbol in its section; of a position: the stream's state
 *      6  2  reserved   0
 *      8  4  tag        of the session
 *     12  4  section    of the symbol; of a position: the next to be sent
 *     16  8  serial     how many symbols were sent, this one included
 *     24  8  check      SipHash-2-4 with the session's key over bytes 0-23 and everything from 32 on
 *     32     the symbol
 *
 * All big-endian but the check, which is bytes. Garbage is normal here: decoding never throws, and costs the same for all.
 */
import { kernelMemory, loadKernel } from '#engine/multicast/kernel'
import { invariant } from '#shared/errors'
import { settingBounds } from '#shared/model'

export const datagramHeaderBytes = 32
/** IPv4's header without options, and UDP's: what the network adds to each of our datagrams. */
export const networkHeaderBytes = 28
/** No stream is faster, all headers included. */
export const mostBytesPerSecond = settingBounds.dataRate.most

const magicAndVersion = 0x52504d01
const [checkAt, signedHeaderBytes] = [24, 24]
const [symbolKind, positionKind] = [1, 2]

/** Of the whole stream: not yet started, sending, nothing to send, over. */
export const streamStates = ['waiting', 'streaming', 'quiet', 'ended'] as const
export type StreamState = (typeof streamStates)[number]

export interface SymbolDatagram {
  readonly kind: 'symbol'
  readonly serial: number
  readonly section: number
  /** 0–255. */
  readonly number: number
  /** `symbolBytes` of them: a view of the datagram. */
  readonly payload: Uint8Array
}

export interface PositionDatagram {
  readonly kind: 'position'
  readonly serial: number
  readonly section: number
  readonly state: StreamState
}

/**
 * Why a datagram isn't ours: not of this protocol or session at all, of a version or kind we don't know, or not made by
 * someone who has the session's key.
 */
export type Rejection = 'foreign' | 'unknown' | 'forged'

export type Datagram =
  SymbolDatagram | PositionDatagram | { readonly kind: 'rejected'; readonly why: Rejection }

export interface DatagramSession {
  /** 16 bytes. */
  readonly key: Uint8Array
  readonly tag: number
  readonly symbolBytes: number
}

export interface DatagramCoder {
  /** `payload` is copied. `into`: where it is written, from the start; long enough for a symbol. Without it: somewhere new. */
  encode(datagram: SymbolDatagram | PositionDatagram, into?: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>
  decode(bytes: Uint8Array): Datagram
}

const rejections: { readonly [why in Rejection]: Datagram } = {
  foreign: { kind: 'rejected', why: 'foreign' },
  unknown: { kind: 'rejected', why: 'unknown' },
  forged: { kind: 'rejected', why: 'forged' },
}

/**
 * Call `take` with each of the datagrams that the system handed over as one, because they came one after the other and are of one
 * length (the last may be shorter). What is none of ours is taken for symbols.
 */
export function splitDatagrams(
  bytes: Uint8Array,
  symbolBytes: number,
  take: (datagram: Uint8Array) => void,
): void {
  const longest = datagramHeaderBytes + symbolBytes
  const isPosition = bytes.length <= longest && bytes[4] === positionKind
  const step = isPosition ? datagramHeaderBytes : longest
  if (bytes.length <= step) take(bytes)
  else for (let at = 0; at < bytes.length; at += step) take(bytes.subarray(at, at + step))
}

/** For one session; not to be shared between threads. */
export function createDatagramCoder({ key, tag, symbolBytes }: DatagramSession): DatagramCoder {
  invariant(key.length === 16 && symbolBytes % 8 === 0, 'a session without a proper key or symbol size')
  const [keyAt, hashAt, messageAt] = [0, 16, 32]
  const memory = kernelMemory(messageAt + signedHeaderBytes + symbolBytes)
  const { siphash } = loadKernel(memory)
  const scratch = new Uint8Array(memory.buffer)
  const scratchView = new DataView(memory.buffer)
  scratch.set(key, keyAt)

  /** Hash the datagram into the scratch memory, where the check is compared or taken from. */
  const hash = (bytes: Uint8Array) => {
    scratch.set(bytes.subarray(0, signedHeaderBytes), messageAt)
    scratch.set(bytes.subarray(datagramHeaderBytes), messageAt + signedHeaderBytes)
    siphash(keyAt, messageAt, bytes.length - datagramHeaderBytes + signedHeaderBytes, hashAt)
  }

  return {
    encode(datagram, into) {
      const payloadBytes = datagram.kind === 'symbol' ? symbolBytes : 0
      const lengthBytes = datagramHeaderBytes + payloadBytes
      const bytes = into?.subarray(0, lengthBytes) ?? new Uint8Array(lengthBytes)
      const view = new DataView(bytes.buffer, bytes.byteOffset, lengthBytes)
      view.setUint32(0, magicAndVersion)
      view.setUint32(8, tag)
      view.setUint32(12, datagram.section)
      view.setUint32(16, Math.floor(datagram.serial / 2 ** 32))
      view.setUint32(20, datagram.serial % 2 ** 32)
      if (datagram.kind === 'symbol') {
        invariant(datagram.payload.length === symbolBytes, `a symbol of ${datagram.payload.length} bytes`)
        view.setUint8(4, symbolKind)
        view.setUint8(5, datagram.number)
        view.setUint16(6, 0)
        bytes.set(datagram.payload, datagramHeaderBytes)
      } else {
        view.setUint8(4, positionKind)
        view.setUint8(5, streamStates.indexOf(datagram.state))
        view.setUint16(6, 0)
      }
      hash(bytes)
      bytes.set(scratch.subarray(hashAt, hashAt + 8), checkAt)
      return bytes
    },

    decode(bytes) {
      if (bytes.length < datagramHeaderBytes) return rejections.foreign
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      const first = view.getUint32(0)
      if (view.getUint32(8) !== tag || first >>> 8 !== magicAndVersion >>> 8) return rejections.foreign
      if (first !== magicAndVersion) return rejections.unknown
      const kind = view.getUint8(4)
      const payloadBytes = kind === symbolKind ? symbolBytes : kind === positionKind ? 0 : null
      if (payloadBytes === null || view.getUint16(6) !== 0) return rejections.unknown
      if (bytes.length !== datagramHeaderBytes + payloadBytes) return rejections.foreign
      hash(bytes)
      const isOurs =
        scratchView.getUint32(hashAt) === view.getUint32(checkAt) &&
        scratchView.getUint32(hashAt + 4) === view.getUint32(checkAt + 4)
      if (!isOurs) return rejections.forged
      const serial = view.getUint32(16) * 2 ** 32 + view.getUint32(20)
      const section = view.getUint32(12)
      const number = view.getUint8(5)
      if (kind === symbolKind)
        return { kind: 'symbol', serial, section, number, payload: bytes.subarray(datagramHeaderBytes) }
      const state = streamStates[number]
      return state === undefined ? rejections.unknown : { kind: 'position', serial, section, state }
    },
  }
}
