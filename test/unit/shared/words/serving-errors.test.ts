/** What a person reads whose stream can't begin. */
import { describe, expect, it } from 'vitest'
import { NetworkError, serializeError, UsageError, type Detail, type NetworkCode } from '#shared/errors'
import { describeError, inTerminal } from '#shared/words'

const network = (code: NetworkCode, details: { readonly [key: string]: Detail }) => {
  const { what, why, now } = describeError(
    serializeError(
      new NetworkError(code, 'the system says no', { details: { address: '', phase: 'x', ...details } }),
    ),
  )
  return [what, why, now]
}

describe('words for a stream that can not begin', () => {
  it.each([
    [{ interface: 'eth1', reason: 'down' }, "The network interface 'eth1' is down."],
    [{ interface: 'eth1', reason: 'no-address' }, "The network interface 'eth1' has no IPv4 address."],
    [{ interface: 'eth9', reason: 'unknown' }, "There is no network interface 'eth9'."],
    [{ interface: null, reason: 'none' }, 'This computer has no network interface that is up.'],
  ])('E_MC_IFACE %j', (details, words) => {
    expect(network('E_MC_IFACE', { ...details, known: ['lo (127.0.0.1)'] })).toEqual([
      words,
      'Streams can be sent on lo (127.0.0.1).',
      expect.stringContaining('hoose another interface.'),
    ])
  })

  it('E_MC_BUFFER asks for a larger buffer only where it is too small', () => {
    const large = { dropped: 4947, askedBytes: 33_554_432, grantedBytes: 33_554_432, advice: null }
    expect(network('E_MC_BUFFER', large)).toEqual([
      'The system threw 4,947 packets of the stream away before they could be read.',
      'The stream is faster than this computer can take it in.',
      "They come again. Lower the stream's data rate if it happens often.",
    ])
    const small = { ...large, grantedBytes: 212_992, advice: 'sysctl -w net.core.rmem_max=33554432' }
    expect(network('E_MC_BUFFER', small).slice(1)).toEqual([
      'Its receive buffer is only 213 kB.',
      'Allow larger ones: sysctl -w net.core.rmem_max=33554432',
    ])
    expect(network('E_MC_BUFFER', { ...small, advice: null })[2]).toBe('Allow larger receive buffers.')
  })

  it('E_MC_PORT names who has the port', () => {
    expect(network('E_MC_PORT', { port: 7800, errno: 'EADDRINUSE', holder: 'nginx (12)' })[0]).toBe(
      'Port 7800 is used by nginx (12).',
    )
    expect(network('E_MC_PORT', { port: 7800, errno: 'EADDRINUSE' })[0]).toBe(
      'Port 7800 is used by another program.',
    )
    expect(network('E_MC_PORT', { port: 80, errno: 'EACCES' })[1]).toBe(
      'Ports below 1024 are for the system.',
    )
  })

  it('E_MC_ADDR names the address', () => {
    expect(network('E_MC_ADDR', { address: '244.0.0.10' })[0]).toBe(
      "244.0.0.10 isn't 224.0.2.0-239.255.255.255.",
    )
  })

  it('E_MC_LOOP says what to look at', () => {
    const where = { address: '239.255.0.1', port: 7800, interface: 'eth0' }
    expect(network('E_MC_LOOP', where)).toEqual([
      "A test packet didn't come back: multicast may be blocked by a firewall or switch.",
      null,
      "Let this computer's firewall pass UDP port 7800 to and from 239.255.0.1, and check that the right interface was chosen (eth0).",
    ])
    expect(network('E_MC_LOOP', { ...where, errno: 'EPERM' })[1]).toBe(
      'A firewall of this computer refuses to send it.',
    )
    expect(network('E_MC_LOOP', { ...where, errno: 'ENETUNREACH' })[1]).toBe(
      'This computer has no way to that network.',
    )
    expect(network('E_MC_LOOP', { ...where, errno: 'EXYZ' })[1]).toBe('The system says no.')
  })

  it('E_MC_REFUSED says why, and what helps', () => {
    const refused = (reason: string, text: string) => network('E_MC_REFUSED', { host: 'lab', reason, text })
    expect(refused('full', 'As many clients have joined as may.')).toEqual([
      "lab doesn't let this computer join the stream.",
      'It says: As many clients have joined as may.',
      'Try again when others have finished.',
    ])
    expect(refused('not-admitted', '')[2]).toContain('to admit this computer by its name or its address.')
    expect(refused('wait', 'The next one is looked at in 5 minutes.')).toEqual([
      "lab doesn't look at passwords from this computer at the moment.",
      'It says: The next one is looked at in 5 minutes.',
      'Wait so long, then try again with the right one.',
    ])
  })

  it('E_MC_RATE tells both numbers', () => {
    expect(
      network('E_MC_RATE', { dataRate: 12_000_000, linkBytesPerSecond: 12_500_000 }).slice(0, 2),
    ).toEqual([
      'The Data Rate is more than half of what the link can do.',
      '12 MB a second of at most 12.5 MB.',
    ])
    expect(network('E_MC_RATE', { dataRate: 13_000_000, linkBytesPerSecond: 12_500_000 })[0]).toBe(
      'The Data Rate is more than the link can do.',
    )
  })

  it('E_MC_TTL and E_MC_SEND', () => {
    expect(network('E_MC_TTL', { ttl: 1 })[1]).toContain('some routers suffer')
    expect(network('E_MC_TTL', { ttl: 0 })[1]).toBe('It must be from 1 to 255.')
    expect(network('E_MC_SEND', { errno: 'ENETUNREACH', interface: 'eth0' })).toEqual([
      "The stream's packets can't be sent.",
      'This computer has no way to that network.',
      'Check the interface eth0, its cable and the firewall. The stream goes on by itself.',
    ])
  })

  it('E_MC_NOTORDERED and E_SRC_NOSCAN offer the scan', () => {
    const details = {
      input: '--source',
      name: 'lab.dmg',
      neededBytes: 5_000_000_000,
      freeBytes: 70_000_000_000,
    }
    const { what, now } = describeError(
      serializeError(new UsageError('E_MC_NOTORDERED', 'x', { details })),
      inTerminal(),
    )
    expect(what).toBe("The data of 'lab.dmg' isn't in order, so it can't be multicast.")
    expect(now).toBe(
      'Scan it again, which puts it in order and needs 5 GB of free space (70 GB are free): reprise imagescan --source IMAGE.',
    )
    const noScan = (change: object) =>
      describeError(
        serializeError(
          new UsageError('E_SRC_NOSCAN', 'x', { details: { ...details, purpose: 'multicast', ...change } }),
        ),
        inTerminal(),
      )
    expect(noScan({}).now).toBe('Scan it: reprise imagescan --source IMAGE.')
    expect(noScan({ path: '/images/lab.dmg' }).now).toBe(
      'Scan it: reprise imagescan --source /images/lab.dmg.',
    )
    expect(noScan({ path: "/Anna's images/lab.dmg" }).now).toBe(
      String.raw`Scan it: reprise imagescan --source '/Anna'\''s images/lab.dmg'.`,
    )
    expect(noScan({ path: 'https://anna:secret@images.example/lab.dmg' }).now).toBe(
      'Scan it: reprise imagescan --source IMAGE, on the computer where it is stored.',
    )
    expect(noScan({ scanned: 'by-another', path: '/lab.dmg' })).toEqual({
      what: "'lab.dmg' was scanned by another program, and not by Reprise.",
      why: "A stream needs the hash of every block, which only Reprise's scan stores: without it a client couldn't tell whether its disk is right.",
      now: 'Scan it with Reprise: reprise imagescan --source /lab.dmg.',
    })
  })
})
