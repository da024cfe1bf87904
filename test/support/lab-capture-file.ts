/** tcpdump's file format with nanoseconds (pcap-savefile(5)), Ethernet and IPv4 only, to what the lab asks of it. */

interface CapturedPacket {
  /** Since 1970, with fractions: to a quarter of a microsecond. */
  readonly ms: number
  /** Of the whole packet from its IPv4 header on, as it was sent. */
  readonly bytes: number
  readonly source: string
  readonly destination: string
}

export interface CapturedDatagram extends CapturedPacket {
  readonly port: number
  /** The first bytes of the datagram's payload, as many as were captured. */
  readonly payload: Uint8Array
}

/** A TCP connection begins or ends here. */
export interface CapturedHandshake extends CapturedPacket {
  /** `begin`: the first packet of the one who connects. */
  readonly step: 'begin' | 'end'
}

export interface Captured {
  readonly datagrams: readonly CapturedDatagram[]
  readonly handshakes: readonly CapturedHandshake[]
}

const fileHeaderBytes = 24
const recordHeaderBytes = 16
const ethernetBytes = 14
const udpBytes = 8
const tcpFlagsAt = 13
/** Of a file written on a little-endian machine. */
const nanosecondMagic = 0xa1b23c4d
const ipv4 = 0x0800
const protocols = { tcp: 6, udp: 17 }
const flags = { fin: 1, syn: 2, reset: 4, acknowledge: 16 }

/** Packets of other kinds, and ones that aren't whole, are left out. */
export function parseCapture(file: Uint8Array): Captured {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  if (file.length < fileHeaderBytes || view.getUint32(0, true) !== nanosecondMagic)
    throw new Error('not a capture with nanoseconds')
  const datagrams: CapturedDatagram[] = []
  const handshakes: CapturedHandshake[] = []
  for (let at = fileHeaderBytes; at + recordHeaderBytes <= file.length;) {
    const seconds = view.getUint32(at, true)
    const nanoseconds = view.getUint32(at + 4, true)
    const captured = view.getUint32(at + 8, true)
    const frame = at + recordHeaderBytes
    at = frame + captured
    if (at > file.length) break
    const ip = frame + ethernetBytes
    if (captured < ethernetBytes + 20 || view.getUint16(frame + 12) !== ipv4) continue
    const inside = ip + (view.getUint8(ip) & 15) * 4
    if (inside + 20 > at && view.getUint8(ip + 9) !== protocols.udp) continue
    const packet = {
      ms: seconds * 1000 + nanoseconds / 1e6,
      bytes: view.getUint16(ip + 2),
      source: file.subarray(ip + 12, ip + 16).join('.'),
      destination: file.subarray(ip + 16, ip + 20).join('.'),
    }
    if (view.getUint8(ip + 9) === protocols.udp && inside + udpBytes <= at) {
      const payload = file.subarray(inside + udpBytes, at)
      datagrams.push({ ...packet, port: view.getUint16(inside + 2), payload })
    } else if (view.getUint8(ip + 9) === protocols.tcp) {
      const set = view.getUint8(inside + tcpFlagsAt)
      if ((set & (flags.fin | flags.reset)) !== 0) handshakes.push({ ...packet, step: 'end' })
      else if ((set & (flags.syn | flags.acknowledge)) === flags.syn)
        handshakes.push({ ...packet, step: 'begin' })
    }
  }
  return { datagrams, handshakes }
}
