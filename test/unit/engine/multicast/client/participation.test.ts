import { isIPv4 } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { planStream } from '#engine/multicast/layout'
import { BlockLedger } from '#src/main/engine/multicast/client/block-ledger.ts'
import type { EnteredSession } from '#src/main/engine/multicast/client/enter-session.ts'
import type { Membership } from '#src/main/engine/multicast/client/membership.ts'
import { createParticipation } from '#src/main/engine/multicast/client/participation.ts'

const layout = planStream({ sizeBytes: 4096, blockBytes: 4096, symbolBytes: 1024 })
const facts = {
  kind: 'session',
  sessionId: new Uint8Array(16).fill(1),
  key: new Uint8Array(16),
  tag: 1,
  name: 'lab',
  imageName: 'lab.dmg',
  imageFormat: 'raw',
  sizeBytes: 4096,
  blockBytes: 4096,
  symbolBytes: 1024,
  root: new Uint8Array(32),
  group: '239.255.77.91',
  port: 47_891,
  dataRate: 1e6,
  reportEveryMs: 250,
} as const

/** The same session, over a connection from this address. */
const entered = (localAddress: string) =>
  ({
    session: {
      facts,
      layout,
      position: { kind: 'position', serial: 0, state: 'quiet', standing: 'well', reportEveryMs: 250 },
      hashOf: () => null,
    },
    control: { localAddress },
  }) as unknown as EnteredSession

/** `addresses`: of this computer's one interface; null: those it has. */
function setUp(addresses: (() => readonly string[]) | null = null) {
  const shown = () =>
    ({
      lab0: addresses?.().map((address) => ({ address, family: isIPv4(address) ? 'IPv4' : 'IPv6' })),
    }) as never
  const logged: string[] = []
  const participation = createParticipation({
    data: { interface: null, facts, holdBytes: 1e6 },
    ledger: new BlockLedger(1, null),
    onDatagram: () => undefined,
    log: (_level, message) => logged.push(message),
    ...(addresses === null ? {} : { interfaces: shown }),
  })
  const join = async (address: string, before: Membership | null) => {
    const joined = await participation.join(entered(address), before)
    onTestFinished(() => joined.group.close())
    return joined
  }
  return { join, logged }
}

describe('taking part in a session', () => {
  test('goes on with its socket when the connection comes back on the same interface', async () => {
    const { join, logged } = setUp()
    const first = await join('127.0.0.1', null)
    expect(await join('127.0.0.1', first)).toBe(first)
    expect(logged.filter((message) => message !== 'joined' && !message.includes('buffer'))).toEqual([])
  })

  test('goes on with what it has when the interface has another address by then', async () => {
    let addresses = ['fe80::1']
    const { join, logged } = setUp(() => addresses)
    // It has none for multicast yet.
    const first = await join('fe80::1%lab0', null)
    expect(first.interface).toEqual({ name: 'lab0', address: null })
    addresses = ['127.0.0.1']
    expect(await join('127.0.0.1', first)).toBe(first)
    expect(first.interface).toEqual({ name: 'lab0', address: '127.0.0.1' })
    expect(logged).not.toContain('the multicast socket failed')
    // Of another computer.
    addresses = ['192.0.2.77']
    expect(await join('192.0.2.77', first)).toBe(first)
    expect(first.interface).toEqual({ name: 'lab0', address: '192.0.2.77' })
    expect(logged.filter((message) => message === 'the multicast socket failed')).toHaveLength(1)
  })

  test('asks for the group where the last connection came from', async () => {
    let addresses = ['fe80::1']
    const { join, logged } = setUp(() => addresses)
    const first = await join('fe80::1%lab0', null)
    addresses = ['192.0.2.77', '127.0.0.1']
    await join('127.0.0.1', first)
    first.group.rejoin()
    expect(logged).not.toContain('the multicast socket failed')
  })

  test('has a socket that receives after another interface could not be had', async () => {
    const { join, logged } = setUp()
    const first = await join('127.0.0.1', null)
    // Of no interface of this computer.
    await expect(join('192.0.2.77', first)).rejects.toMatchObject({ code: 'E_MC_IFACE' })
    const second = await join('127.0.0.1', first)
    expect(second).not.toBe(first)
    second.group.rejoin()
    expect(logged).not.toContain('the multicast socket failed')
  })
})
