import { describe, expect, it } from 'vitest'
import {
  findInterface,
  listInterfaces,
  type NetworkFacts,
} from '#src/main/engine/multicast/network/interfaces.ts'

const route = (lines: readonly string[]) =>
  ['Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT', ...lines].join('\n')

/** Three interfaces: loopback, a gigabit one, and a slower one that has the default route. */
function facts(files: Readonly<Record<string, string>> = {}): NetworkFacts {
  const known: Readonly<Record<string, string>> = {
    '/sys/class/net/lo/mtu': '65536\n',
    '/sys/class/net/lo/operstate': 'unknown\n',
    '/sys/class/net/eth0/mtu': '9000\n',
    '/sys/class/net/eth0/speed': '1000\n',
    '/sys/class/net/eth0/operstate': 'up\n',
    '/sys/class/net/wlan0/mtu': '1500\n',
    '/sys/class/net/wlan0/speed': '-1\n',
    '/sys/class/net/wlan0/operstate': 'up\n',
    '/sys/class/net/eth7/operstate': 'down\n',
    '/sys/class/net/br0/operstate': 'up\n',
    '/proc/net/route': route([
      'eth0 00000000 0100000A 0003 0 0 600 00000000 0 0 0',
      'wlan0 00000000 0100000A 0003 0 0 100 00000000 0 0 0',
      'eth0 0000000A 00000000 0001 0 0 0 00FFFFFF 0 0 0',
    ]),
    ...files,
  }
  const ipv4 = (address: string, internal: boolean) => ({
    family: 'IPv4' as const,
    address,
    internal,
    netmask: '255.0.0.0',
    mac: '00:00:00:00:00:00',
    cidr: null,
  })
  return {
    addresses: () => ({
      lo: [ipv4('127.0.0.1', true)],
      eth0: [ipv4('10.0.0.5', false), ipv4('10.1.0.5', false)],
      wlan0: [ipv4('192.168.1.5', false)],
    }),
    readText: (path) => Promise.resolve(known[path] ?? null),
  }
}

describe('interfaces', () => {
  it('are told with what the system knows of them, that of the default route first, loopback last', async () => {
    const shared = { isUp: true, isDefault: false }
    expect(await listInterfaces(facts())).toEqual([
      {
        ...shared,
        name: 'wlan0',
        address: '192.168.1.5',
        mtu: 1500,
        linkBitsPerSecond: null,
        isDefault: true,
      },
      { ...shared, name: 'eth0', address: '10.0.0.5', mtu: 9000, linkBitsPerSecond: 1e9 },
      { ...shared, name: 'eth0', address: '10.1.0.5', mtu: 9000, linkBitsPerSecond: 1e9 },
      { ...shared, name: 'lo', address: '127.0.0.1', mtu: 65_536, linkBitsPerSecond: null },
    ])
  })

  it('have a default where the system tells of no routes', async () => {
    const all = await listInterfaces({ ...facts(), readText: () => Promise.resolve(null) })
    expect(all.map(({ name, isDefault, mtu }) => [name, isDefault, mtu])).toEqual([
      ['eth0', true, 1500],
      ['eth0', false, 1500],
      ['wlan0', false, 1500],
      ['lo', false, 1500],
    ])
  })

  it.each([
    [null, '192.168.1.5'],
    ['eth0', '10.0.0.5'],
    ['10.1.0.5', '10.1.0.5'],
    ['lo', '127.0.0.1'],
  ])('%s is found', async (wanted, address) => {
    expect((await findInterface(wanted, facts())).address).toBe(address)
  })

  it.each([
    ['eth7', 'down'],
    ['br0', 'no-address'],
    ['eth9', 'unknown'],
    ['../../etc', 'unknown'],
    ['10.9.9.9', 'unknown'],
  ])('%s is refused: %s', async (wanted, reason) => {
    await expect(findInterface(wanted, facts())).rejects.toMatchObject({
      code: 'E_MC_IFACE',
      details: {
        interface: wanted,
        reason,
        known: ['wlan0 (192.168.1.5)', 'eth0 (10.0.0.5)', 'eth0 (10.1.0.5)', 'lo (127.0.0.1)'],
      },
    })
  })

  it('whose cable is out is down', async () => {
    const unplugged = facts({ '/sys/class/net/wlan0/operstate': 'down' })
    await expect(findInterface(null, unplugged)).rejects.toMatchObject({ details: { reason: 'down' } })
    await expect(findInterface('wlan0', unplugged)).rejects.toMatchObject({ details: { reason: 'down' } })
  })

  it('are missing where there are none', async () => {
    await expect(findInterface(null, { ...facts(), addresses: () => ({}) })).rejects.toMatchObject({
      details: { reason: 'none' },
    })
  })
})
