import { expect, test } from 'vitest'
import { addressNow, chooseInterface } from '#src/main/engine/multicast/client/receive-interface.ts'

const entry = (family: 'IPv4' | 'IPv6', address: string) => ({
  family,
  address,
  netmask: '',
  mac: '00:00:00:00:00:01',
  internal: false,
  cidr: null,
  ...(family === 'IPv6' ? { scopeid: 2 } : {}),
})
const interfaces = {
  lo: [entry('IPv4', '127.0.0.1')],
  eth0: [entry('IPv4', '10.0.0.5'), entry('IPv6', 'fe80::1')],
  eth1: [entry('IPv6', 'fe80::2')],
  twin0: [entry('IPv4', '10.0.1.1'), entry('IPv6', 'fe80::9')],
  twin1: [entry('IPv4', '10.0.2.1'), entry('IPv6', 'fe80::9')],
} as unknown as Parameters<typeof chooseInterface>[2]

test.each([
  ['the one that leads to the server', null, '10.0.0.5', { name: 'eth0', address: '10.0.0.5' }],
  ['the same, where it leads there by IPv6', null, 'fe80::1%eth0', { name: 'eth0', address: '10.0.0.5' }],
  [
    'the one that the server was looked for on',
    null,
    'fe80::9%twin1',
    { name: 'twin1', address: '10.0.2.1' },
  ],
  ['the one that leads there by IPv6 only', null, 'fe80::2%eth1', { name: 'eth1', address: null }],
  ['the one that was named', 'lo', '10.0.0.5', { name: 'lo', address: '127.0.0.1' }],
  ['the one with the address that was named', '127.0.0.1', '10.0.0.5', { name: 'lo', address: '127.0.0.1' }],
  [
    'an address that no interface shows',
    null,
    '192.168.9.9',
    { name: '192.168.9.9', address: '192.168.9.9' },
  ],
])('receives on %s', (_, wanted, local, expected) => {
  expect(chooseInterface(wanted, local, interfaces)).toEqual(expected)
})

test.each([
  ['eth7', 'unknown'],
  ['eth1', 'no-address'],
])('refuses %s', (wanted, reason) => {
  expect(() => chooseInterface(wanted, '10.0.0.5', interfaces)).toThrow(
    expect.objectContaining({
      code: 'E_MC_IFACE',
      details: expect.objectContaining({ reason, known: ['lo', 'eth0', 'twin0', 'twin1'] }),
    }),
  )
})

test.each([
  ['has its address still', null, 'eth0', '10.0.0.5', '10.0.0.5'],
  ['has another address by now', null, 'eth0', '10.0.0.4', '10.0.0.5'],
  ['was named by the address that it had', '10.0.0.4', 'eth0', '10.0.0.4', '10.0.0.5'],
  ['never showed its address', null, '192.168.9.9', '192.168.9.9', '192.168.9.9'],
  ['leads to the server by IPv6', null, 'eth0', 'fe80::1%eth0', '10.0.0.5'],
])('receives anew on an interface that %s', (_, wanted, name, local, expected) => {
  const chosen = { name, address: local }
  expect(addressNow(wanted, chosen, local, interfaces)).toBe(expected)
})

test('says that an interface has lost its address', () => {
  const chosen = { name: 'eth1', address: '10.0.0.9' }
  expect(() => addressNow(null, chosen, '10.0.0.9', interfaces)).toThrow(
    expect.objectContaining({ details: expect.objectContaining({ reason: 'no-address' }) }),
  )
})
