import { once } from 'node:events'
import type { LookupFunction } from 'node:net'
import { createServer } from 'node:tls'
import { expect, it } from 'vitest'
import { dialControl } from '#src/main/engine/multicast/client/control-socket.ts'
import { serverIdentity } from '#src/main/engine/multicast/server/server-identity.ts'
import { temporaryFolder } from '#test/temporary-folder'

it('dials the IPv4 address of a name first, which is what rules of who may join are about', async () => {
  await using folder = await temporaryFolder()
  const { key, certificate: cert } = await serverIdentity(folder.path)
  const server = createServer({ key, cert }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  // Prefers IPv6 as systems do; there nobody listens.
  const both = [
    { address: '::1', family: 6 },
    { address: '127.0.0.1', family: 4 },
  ]
  const found: (string | undefined)[] = []
  const lookup: LookupFunction = (_, { order }, done) => {
    const sorted = order === 'ipv4first' ? both.toReversed() : both
    found.push(sorted[0]?.address)
    done(null, sorted)
  }
  const { signal } = new AbortController()
  try {
    const socket = await dialControl({ host: 'lab.local', port, fingerprint: null, signal, lookup })
    expect(socket.localAddress).toBe('127.0.0.1')
    expect(found).toEqual(['127.0.0.1'])
    socket.destroy()
  } finally {
    server.close()
  }
})
