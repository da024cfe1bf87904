import { describe, expect, it } from 'vitest'
import { parseScanInfo } from '#src/main/engine/formats/udif/scan-info.ts'

const plist = (body: string) => new TextEncoder().encode(`<plist version="1.0"><dict>${body}</dict></plist>`)
const resource = (type: string, id: number, data: Uint8Array) => ({
  type,
  id,
  data,
  lengthBytes: data.length,
})
const nsiz = (id: number, body: string) => resource('nsiz', id, plist(body))
const cSum = (id: number, hex: string) => resource('cSum', id, Buffer.from(hex, 'hex'))
const scanInfo = (resources: Parameters<typeof parseScanInfo>[0]) => parseScanInfo(resources, 512)

const nothing = { sha1: null, sha256: null, blockChecksum2: null, dateMs: null, usedBytes: null, volumes: [] }
/** What only Reprise stores. */
const notOurs = { blocks: null, dateMs: null, scannedBy: null }

describe('scan information', () => {
  it('is null when the image was never scanned', () => {
    expect(scanInfo([])).toBeNull()
    expect(scanInfo([resource('size', 2, new Uint8Array(286))])).toBeNull()
  })

  it('tells what was stored of a volume', () => {
    const digest = Buffer.alloc(20, 0xa5)
    const body =
      `<key>SHA-1-digest</key><data>${digest.toString('base64')}</data>` +
      '<key>block-checksum-2</key><integer>-788435437</integer><key>bytes</key><integer>1048576</integer>' +
      '<key>date</key><integer>-1000000000</integer><key>part-num</key><integer>2</integer>' +
      '<key>version</key><integer>6</integer><key>volume-signature</key><integer>18475</integer>'
    expect(scanInfo([nsiz(7, body)])).toEqual({
      partitions: [
        {
          partNum: 2,
          sha1: 'a5'.repeat(20),
          sha256: null,
          blockChecksum2: 'd1016e13',
          // 2^32 - 10^9 seconds after 1904.
          dateMs: Date.UTC(2008, 4, 30, 4, 41, 36),
          usedBytes: 1_048_576,
          volumes: [],
        },
      ],
      ...notOurs,
    })
  })

  it('reads the block checksum of both byte orders', () => {
    for (const hex of ['01000200000010fca83f', '0001000000023fa8fc10'])
      expect(scanInfo([cSum(0, hex)])).toEqual({
        partitions: [{ ...nothing, partNum: 0, blockChecksum2: '3fa8fc10' }],
        ...notOurs,
      })
  })

  it('has an entry for each partition, in the order stored', () => {
    const info = scanInfo([
      cSum(1, '01000200000001000000'),
      cSum(0, '01000200000002000000'),
      nsiz(0, '<key>part-num</key><integer>0</integer>'),
      nsiz(2, '<key>part-num</key><integer>5</integer>'),
    ])
    expect(info?.partitions.map(({ partNum, blockChecksum2 }) => [partNum, blockChecksum2])).toEqual([
      [1, '00000001'],
      [0, '00000002'],
      [5, null],
    ])
  })

  it('takes the first of two numbers under one key, as a known writer means it', () => {
    const body = '<key>bytes</key><integer>42</integer><key>bytes</key><integer>18475</integer>'
    expect(scanInfo([nsiz(0, body)])?.partitions[0]?.usedBytes).toBe(42)
  })

  it('takes the date from the size resource when there is no other', () => {
    const size = Buffer.alloc(286)
    size.writeUInt16LE(5, 0)
    size.writeUInt32LE(3_000_000_000, 274)
    const info = scanInfo([nsiz(2, '<key>part-num</key><integer>2</integer>'), resource('size', 2, size)])
    expect(info?.partitions[0]?.dateMs).toBe((3_000_000_000 - 2_082_844_800) * 1000)
  })

  it('leaves out what cannot be read', () => {
    expect(
      scanInfo([
        resource('nsiz', 0, Buffer.from('<plist>')),
        cSum(1, '0300'),
        cSum(2, '99009900000000000000'),
      ]),
    ).toBeNull()
    const body = '<key>SHA-1-digest</key><data>AAAA</data><key>bytes</key><integer>-1</integer>'
    expect(scanInfo([nsiz(0, body)])?.partitions[0]).toMatchObject(nothing)
  })
})
