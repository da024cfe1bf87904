/** tcpdump's file format with nanoseconds (pcap-savefile(5)), Ethernet and IPv4 only, to what the lab asks of it. */

export interface CapturedDatagram {
  /** Since the first one in the file. */
  readonly ms: number
  /** Of the whole packet from its IPv4 header on, as it was sent. */
  readonly bytes: number
  readonly source: string
  readonly destination: string
  readonly port: number
  /** The first bytes of the datagram's payload, as many as were captured. */
  readonly payload: Uint8Array
}

const fileHeaderBytes = 24
const recordHeaderBytes = 16
const ethernetBytes = 14
const udpBytes = 8
/** Of a file written on a little-endian machine. */
const nanosecondMagic = 0xa1b23c4d
const ipv4 = 0x0800
const udp = 17

export function parseCapture(file: Uint8Array): readonly CapturedDatagram[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  if (file.length < fileHeaderBytes || view.getUint32(0, true) !== nanosecondMagic)
    throw new Error('not a capture with nanoseconds')
  const datagrams: CapturedDatagram[] = []
  let firstSecond: number | null = null
  for (let at = fileHeaderBytes; at + recordHeaderBytes <= file.length;) {
    const second = view.getUint32(at, true)
    const nanosecond = view.getUint32(at + 4, true)
    const captured = view.getUint32(at + 8, true)
    const frame = at + recordHeaderBytes
    at = frame + captured
    if (at > file.length) break
    const ip = frame + ethernetBytes
    if (captured < ethernetBytes + 20 || view.getUint16(frame + 12) !== ipv4) continue
    const headerBytes = (view.getUint8(ip) & 15) * 4
    const payloadAt = ip + headerBytes + udpBytes
    if (view.getUint8(ip + 9) !== udp || payloadAt > at) continue
    firstSecond ??= second
    datagrams.push({
      ms: (second - firstSecond) * 1000 + nanosecond / 1e6,
      bytes: view.getUint16(ip + 2),
      source: file.subarray(ip + 12, ip + 16).join('.'),
      destination: file.subarray(ip + 16, ip + 20).join('.'),
      port: view.getUint16(payloadAt - 6),
      payload: file.subarray(payloadAt, at),
    })
  }
  return datagrams
}
