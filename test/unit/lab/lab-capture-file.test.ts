import { describe, expect, it } from 'vitest'
import { parseCapture } from '#test/lab-capture-file'

/** A packet as tcpdump stores it; `ip`: IPv4 with 20 bytes of header, of this protocol, and what is in it. */
function packet(seconds: number, nanoseconds: number, protocol: number, inside: readonly number[]): Buffer {
  const frame = Buffer.alloc(34 + inside.length)
  frame.writeUInt16BE(0x0800, 12)
  frame[14] = 0x45
  frame.writeUInt16BE(1500, 16)
  frame[23] = protocol
  frame.set([10, 77, 0, 1, 239, 255, 0, 1], 26)
  frame.set(inside, 34)
  const header = Buffer.alloc(16)
  header.writeUInt32LE(seconds, 0)
  header.writeUInt32LE(nanoseconds, 4)
  header.writeUInt32LE(frame.length, 8)
  return Buffer.concat([header, frame])
}

const fileHeader = Buffer.alloc(24)
fileHeader.writeUInt32LE(0xa1b23c4d)
const datagram = [0x12, 0x34, 0x1e, 0x78, 0, 0, 0, 0, 82, 80, 77]
const tcp = (flags: number) => [0, 1, 0, 2, ...Array.from({ length: 9 }, () => 0), flags, 0, 0, 0, 0, 0, 0]

describe('parseCapture', () => {
  it('reads datagrams with their moment, size and payload', () => {
    const { datagrams } = parseCapture(
      Buffer.concat([fileHeader, packet(1_700_000_000, 5_500_000, 17, datagram)]),
    )
    expect(datagrams).toEqual([
      {
        ms: expect.closeTo(1_700_000_000_005.5, 3) as number,
        bytes: 1500,
        source: '10.77.0.1',
        destination: '239.255.0.1',
        port: 7800,
        payload: Buffer.from('RPM'),
      },
    ])
  })

  it('tells where connections begin and end', () => {
    const packets = [2, 18, 16, 17, 4].map((flags) => packet(1, 0, 6, tcp(flags)))
    const { handshakes } = parseCapture(Buffer.concat([fileHeader, ...packets]))
    expect(handshakes.map(({ step }) => step)).toEqual(['begin', 'end', 'end'])
  })

  it('takes what is whole of a file that is cut, and nothing else for a capture', () => {
    const whole = Buffer.concat([fileHeader, packet(1, 0, 17, datagram), packet(2, 0, 17, datagram)])
    expect(parseCapture(whole.subarray(0, -1)).datagrams).toHaveLength(1)
    expect(parseCapture(fileHeader).datagrams).toEqual([])
    expect(() => parseCapture(new Uint8Array(100))).toThrow('not a capture')
  })
})
