import { createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { checkNetwork, systemChecks, type NetworkCheckDeps } from '#engine/multicast/network'
import { NetworkError, serializeError } from '#shared/errors'
import type { NetworkInterface } from '#shared/model'
import { describeError } from '#shared/words'

const eth0: NetworkInterface = {
  name: 'eth0',
  address: '10.0.0.5',
  mtu: 1500,
  linkBitsPerSecond: 100_000_000,
  isDefault: true,
  isUp: true,
}
const settings = {
  interface: null,
  configuration: {
    dataRate: 6_000_000,
    group: '239.255.0.1',
    clientDataRate: null,
    advertise: true,
    loopSuspend: 0,
    ttl: 3,
    port: 7800,
  },
}
const wellDeps: NetworkCheckDeps = {
  findInterface: () => Promise.resolve(eth0),
  checkPort: () => Promise.resolve(),
  sendTestPacket: () => Promise.resolve(),
  ownsPort: () => false,
}
const nothing = serializeError(new Error('nothing failed'))
const failing = (code: 'E_MC_IFACE' | 'E_MC_PORT' | 'E_MC_LOOP') => () =>
  Promise.reject(new NetworkError(code, 'x', { details: { address: '', phase: 'test' } }))
const states = async (
  change: Partial<typeof settings.configuration>,
  deps: Partial<NetworkCheckDeps> = {},
) => {
  const configuration = { ...settings.configuration, ...change }
  const checks = await checkNetwork({ ...settings, configuration }, { ...wellDeps, ...deps })
  return checks.flatMap(({ step, state, error }) => (state === 'ok' ? [] : [[step, state, error?.code]]))
}

describe('the check of the network', () => {
  it('has a line for each step, in order, and nothing to say when all is well', async () => {
    expect(await checkNetwork(settings, wellDeps)).toEqual(
      ['interface', 'address', 'port', 'rate', 'ttl', 'loopback'].map((step) => ({
        step,
        state: 'ok',
        error: null,
      })),
    )
  })

  it.each([
    ['a rate of more than half of the link', { dataRate: 7_000_000 }, {}, [['rate', 'warning', 'E_MC_RATE']]],
    ['a TTL that keeps it in the subnet', { ttl: 1 }, {}, [['ttl', 'warning', 'E_MC_TTL']]],
    [
      'a TTL that is none',
      { ttl: 0 },
      {},
      [
        ['ttl', 'failed', 'E_MC_TTL'],
        ['loopback', 'failed', 'E_MC_LOOP'],
      ],
    ],
    [
      "an address that isn't for streams",
      { group: '224.0.0.251' },
      {},
      [
        ['address', 'failed', 'E_MC_ADDR'],
        ['loopback', 'failed', 'E_MC_LOOP'],
      ],
    ],
    [
      'an interface that is down',
      {},
      { findInterface: failing('E_MC_IFACE') },
      [
        ['interface', 'failed', 'E_MC_IFACE'],
        ['loopback', 'failed', 'E_MC_LOOP'],
      ],
    ],
    ['a port that is taken', {}, { checkPort: failing('E_MC_PORT') }, [['port', 'failed', 'E_MC_PORT']]],
    [
      "a port that is the server's own",
      {},
      { checkPort: failing('E_MC_PORT'), ownsPort: (port: number) => port === 7800 },
      [],
    ],
    [
      "a test packet that doesn't come back",
      {},
      { sendTestPacket: failing('E_MC_LOOP') },
      [['loopback', 'failed', 'E_MC_LOOP']],
    ],
  ])('tells of %s', async (_, change, deps, expected) => {
    expect(await states(change, deps)).toEqual(expected)
  })

  it('finds a port taken by this process, and says whose it is', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve)
    })
    try {
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      const [failed] = await checkNetwork(
        { ...settings, configuration: { ...settings.configuration, port } },
        { ...wellDeps, checkPort: systemChecks.checkPort },
      ).then((checks) => checks.filter(({ state }) => state === 'failed'))
      expect(failed?.error).toMatchObject({ code: 'E_MC_PORT', details: { port, errno: 'EADDRINUSE' } })
      const whose = process.platform === 'linux' ? `by .*\\(${process.pid}\\)` : 'by another program'
      expect(describeError(failed?.error ?? nothing).what).toMatch(
        new RegExp(`^Port ${port} is used ${whose}\\.$`),
      )
    } finally {
      server.close()
    }
  })

  it('sends a packet that comes back on the loopback interface', async () => {
    const plan = { group: '239.255.43.21', port: 43_219, ttl: 1, address: '127.0.0.1', interfaceName: 'lo' }
    await expect(systemChecks.sendTestPacket(plan)).resolves.toBeUndefined()
    await expect(systemChecks.sendTestPacket({ ...plan, address: '192.0.2.123' })).rejects.toMatchObject({
      code: 'E_MC_LOOP',
    })
    await expect(systemChecks.sendTestPacket(plan, AbortSignal.abort('gone'))).rejects.toBe('gone')
  })
})
