import { describe, expect, it } from 'vitest'
import {
  encodeConfiguration,
  parseConfiguration,
  readConfiguration,
  writeConfiguration,
} from '#engine/multicast/configuration'
import { UsageError } from '#shared/errors'
import { temporaryFolder } from '#test/temporary-folder'

const xml = (body: string) =>
  Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\n<plist version="1.0"><dict>${body}</dict></plist>\n`)
const integer = (key: string, value: number | string) => `<key>${key}</key><integer>${value}</integer>`
const required = `${integer('Data Rate', 6_000_000)}<key>Multicast Address</key><string>239.255.0.7</string>`
const parse = (bytes: Uint8Array) => parseConfiguration(bytes, '/tmp/c.plist')

const all = {
  dataRate: 6_000_000,
  group: '239.255.0.7',
  clientDataRate: 2_500_000,
  advertise: false,
  loopSuspend: 2,
  ttl: 5,
  port: 7801,
}

/** As Python's plistlib writes it: all keys, "Räum" (UTF-16) with an array, "Wann" with a dict. */
const binary = Buffer.from(
  [
    '62706c6973743030d90102030405060708090a0b0c0d0e0f1011135f1010436c69656e74204461746120526174655f101544',
    '4e53205365727669636520446973636f76657279594461746120526174655c4c6f6f702053757370656e645f10114d756c74',
    '696361737420416464726573735d4d756c7469636173742054544c54506f727464005200e40075006d5457616e6e23414312',
    'd0000000000812005b8d8010025b3233392e3235352e302e371005111e79a1121001d114125161081b2e46505d717f848d92',
    '9b9ca1a3afb1b4b6b8bb00000000000001010000000000000015000000000000000000000000000000bd',
  ].join(''),
  'hex',
)

describe("asr's configuration", () => {
  it('needs the rate and the address, and has a value for all else', () => {
    expect(parse(xml(required))).toEqual({
      configuration: {
        dataRate: 6_000_000,
        group: '239.255.0.7',
        clientDataRate: null,
        advertise: true,
        loopSuspend: 0,
        ttl: 3,
        port: 7800,
      },
      warnings: [],
    })
  })

  it('without a port has the one that its reader says', async () => {
    await using folder = await temporaryFolder()
    const path = await folder.write('c.plist', xml(required))
    expect((await readConfiguration(path, { port: 7900 })).configuration.port).toBe(7900)
    await folder.write('c.plist', xml(`${required}${integer('Port', 7801)}`))
    expect((await readConfiguration(path, { port: 7900 })).configuration.port).toBe(7801)
  })

  it('yields to what is given beside it, and is warned of as it is then', () => {
    const given = { dataRate: 2_000_000, group: '239.255.0.9', advertise: false }
    const rates = `${integer('Client Data Rate', 3_000_000)}${integer('Multicast TTL', 1)}`
    const { configuration, warnings } = parseConfiguration(xml(rates), '/tmp/c.plist', { given })
    expect(configuration).toEqual({
      ...given,
      clientDataRate: 3_000_000,
      loopSuspend: 0,
      ttl: 1,
      port: 7800,
    })
    expect(warnings).toEqual([
      '"Client Data Rate" is more than "Data Rate", so it has no effect.',
      expect.stringMatching(/^"Multicast TTL" is 1/),
    ])
    const all = { ...given, dataRate: 4_000_000, ttl: 1, port: 9 }
    expect(parseConfiguration(xml(`${required}${rates}`), '/tmp/c.plist', { given: all, port: 8 })).toEqual({
      configuration: { ...all, clientDataRate: 3_000_000, loopSuspend: 0 },
      warnings: [],
    })
  })

  it('is read from binary, as defaults writes it, and names keys that nobody knows', () => {
    const { configuration, warnings } = parse(binary)
    expect(configuration).toEqual(all)
    expect(warnings).toEqual([
      '"Räum" isn\'t a key that is known here, and has no effect.',
      '"Wann" isn\'t a key that is known here, and has no effect.',
    ])
  })

  it('reads what it wrote', () => {
    expect(parse(Buffer.from(encodeConfiguration(all)))).toEqual({ configuration: all, warnings: [] })
    expect(parse(Buffer.from(encodeConfiguration({ ...all, clientDataRate: null }))).configuration).toEqual({
      ...all,
      clientDataRate: null,
    })
  })

  it.each([
    ['commented out', `<!-- ${integer('Port', 7801)}${integer('Data Rate', 5)}<key>Old</key><dict/> -->`],
    [
      'of another dict',
      `<key>Site</key><dict>${integer('Port', 7801)}<key>Loop Suspend</key><array/><key>Room</key><dict/></dict>`,
    ],
  ])('takes no key for its own that is %s', (_, foreign) => {
    const { configuration, warnings } = parse(xml(foreign + required))
    expect(configuration).toMatchObject({ dataRate: 6_000_000, port: 7800, loopSuspend: 0 })
    expect(warnings).toEqual(
      foreign.startsWith('<!--') ? [] : ['"Site" isn\'t a key that is known here, and has no effect.'],
    )
  })

  it('calls missing what is commented out', () => {
    expect(() =>
      parse(
        xml(`<!-- ${integer('Data Rate', 5)} --><key>Multicast Address</key><string>239.255.0.7</string>`),
      ),
    ).toThrow('"Data Rate" is missing')
  })

  it('warns of what is allowed and unwise', () => {
    const { warnings } = parse(
      xml(
        `${required}${integer('Multicast TTL', 1)}${integer('Loop Suspend', 1)}${integer('Client Data Rate', 7_000_000)}`,
      ),
    )
    expect(warnings).toEqual([
      '"Client Data Rate" is more than "Data Rate", so it has no effect.',
      '"Loop Suspend" is 1, and had better be 0 (never) or at least 2.',
      '"Multicast TTL" is 1: the stream stays in its subnet, and some routers suffer from such packets. 3 is usual.',
    ])
  })

  const address = '<key>Multicast Address</key><string>239.255.0.7</string>'
  it.each([
    [address, 'Data Rate', 'is missing'],
    [integer('Data Rate', 6_000_000), 'Multicast Address', 'is missing'],
    [
      `${integer('Data Rate', 0)}${address}`,
      'Data Rate',
      'is 0, and must be a whole number of bytes a second',
    ],
    [`${integer('Data Rate', -5)}${address}`, 'Data Rate', 'is -5'],
    [
      `${integer('Data Rate', 99_999_999_999)}${address}`,
      'Data Rate',
      'is 99999999999, and must be a whole number of bytes a second from 10,000 to 10,000,000,000',
    ],
    [`${integer('Data Rate', 'fast')}${address}`, 'Data Rate', 'is a number that is none'],
    [
      `<key>Data Rate</key><real>1.5e6</real>${address}<key>Port</key><real>7800.5</real>`,
      'Port',
      'is 7800.5',
    ],
    [
      `<key>Data Rate</key><string>6000000</string>${address}`,
      'Data Rate',
      "is the text '6000000', and must be a number",
    ],
    [`<key>Data Rate</key><true/>${address}`, 'Data Rate', 'is true, and must be a number'],
    [`<key>Data Rate</key><array/>${address}`, 'Data Rate', 'is an array, and must be a number'],
    [
      `${integer('Data Rate', 6_000_000)}<key>Multicast Address</key><string>244.0.0.10</string>`,
      'Multicast Address',
      "is '244.0.0.10', and must be from 224.0.2.0 to 239.255.255.255",
    ],
    [
      `${integer('Data Rate', 6_000_000)}<key>Multicast Address</key><string>224.0.1.255</string>`,
      'Multicast Address',
      "is '224.0.1.255'",
    ],
    [
      `${integer('Data Rate', 6_000_000)}<key>Multicast Address</key><string>ff02::1</string>`,
      'Multicast Address',
      "is 'ff02::1'",
    ],
    [
      `${integer('Data Rate', 6_000_000)}${integer('Multicast Address', 4)}`,
      'Multicast Address',
      'is the number 4',
    ],
    [`${required}${integer('Client Data Rate', 0)}`, 'Client Data Rate', 'is 0'],
    [`${required}${integer('Loop Suspend', -2)}`, 'Loop Suspend', 'is -2'],
    [
      `${required}${integer('Multicast TTL', 0)}`,
      'Multicast TTL',
      'is 0, and must be a whole number from 1 to 255',
    ],
    [`${required}${integer('Multicast TTL', 256)}`, 'Multicast TTL', 'is 256'],
    [
      `${required}${integer('Port', 65_536)}`,
      'Port',
      'is 65536, and must be a whole number from 1 to 65,535',
    ],
    [
      `${required}${integer('DNS Service Discovery', 1)}`,
      'DNS Service Discovery',
      'is the number 1, and must be true or false',
    ],
  ])('refuses %s', (body, key, words) => {
    let thrown: unknown = null
    try {
      parse(xml(body))
    } catch (error) {
      thrown = error
    }
    expect(thrown).toBeInstanceOf(UsageError)
    expect(thrown).toMatchObject({ code: 'E_MC_CONFIG', details: { key, path: '/tmp/c.plist' } })
    const { problem, hint } = (thrown as UsageError).details
    expect(problem).toContain(`"${key}" ${words}`)
    // Whether or not there is a program for it, as there is on a Mac.
    expect(hint).toContain(`"${key}"`)
    expect(hint).toMatch(
      new RegExp(`<key>${key}</key><(integer>\\d+</integer|string>[\\d.]+</string|true/)>`),
    )
  })

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['text', Buffer.from('Data Rate = 6000000')],
    ['XML that ends early', xml(required).subarray(0, 80)],
    ['a plist whose top is an array', Buffer.from('<plist><array><integer>1</integer></array></plist>')],
    ['only the head of a binary one', binary.subarray(0, 8)],
  ])('says of %s that it is none', (_, bytes) => {
    let thrown: unknown = null
    try {
      parse(bytes)
    } catch (error) {
      thrown = error
    }
    expect(thrown).toMatchObject({ code: 'E_MC_CONFIG' })
    // What it shows is a whole configuration.
    const { hint } = (thrown as UsageError).details
    const shown = /<plist.*<\/plist>/.exec(typeof hint === 'string' ? hint : '')?.[0] ?? ''
    expect(parse(Buffer.from(shown)).configuration).toMatchObject({ dataRate: 12_000_000 })
  })

  it('takes binary ones that were cut or damaged for none, or for others, and never fails otherwise', () => {
    const attempt = (bytes: Uint8Array) => {
      try {
        return typeof parse(bytes)
      } catch (error) {
        return error instanceof UsageError ? error.code : error
      }
    }
    for (let end = 8; end < binary.length; end++)
      expect(['object', 'E_MC_CONFIG']).toContain(attempt(binary.subarray(0, end)))
    for (let at = 8; at < binary.length; at++)
      for (const value of [0, 0x7f, 0xff]) {
        const damaged = Buffer.from(binary)
        damaged[at] = value
        expect(['object', 'E_MC_CONFIG']).toContain(attempt(damaged))
      }
  })

  it('is found as defaults writes it, with .plist behind the name, and replaced as a whole', async () => {
    await using folder = await temporaryFolder()
    await writeConfiguration(`${folder.path}/c.plist`, { ...all, port: 1 })
    await writeConfiguration(`${folder.path}/c.plist`, all)
    expect((await readConfiguration(`${folder.path}/c`)).configuration).toEqual(all)
    await expect(readConfiguration(`${folder.path}/d`)).rejects.toMatchObject({
      code: 'E_NOT_FOUND',
      details: { path: `${folder.path}/d` },
    })
    await expect(readConfiguration(folder.path)).rejects.toMatchObject({ code: 'E_MC_CONFIG' })
    await expect(writeConfiguration(`${folder.path}/nosuch/c.plist`, all)).rejects.toMatchObject({
      family: 'device',
    })
  })
})
