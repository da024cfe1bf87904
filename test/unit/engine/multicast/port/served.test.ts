import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { AnswerRoom } from '#src/main/engine/multicast/port/answer-room.ts'
import { closeServed, openServed } from '#src/main/engine/multicast/port/served.ts'
import { listInterfaces } from '#engine/multicast/network'
import { sessionSettings } from '#test/real-stream-server'
import { temporaryFolder } from '#test/temporary-folder'

it('is sent from the address that its interface has when it is prepared at last', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'lab.img')
  writeFileSync(path, new Uint8Array(4096))
  const [here] = (await listInterfaces()).filter(({ address }) => address.startsWith('127.'))
  if (here === undefined) throw new Error('no loopback')
  const { served } = await openServed(
    {
      sessionId: 'ab'.repeat(16),
      settings: sessionSettings({ source: path, configuration: { port: 7800 } }),
      imageName: 'lab.img',
      imageFormat: 'raw',
      bytes: { locator: path, stamp: null, kind: 'file', sizeBytes: 4096 },
      blockBytes: 4096,
      symbolBytes: 1024,
      root: randomBytes(32),
      hashes: randomBytes(32),
      // What it had when it was looked at; nobody has it now (RFC 5737).
      interface: { ...here, address: '192.0.2.1' },
    },
    {
      salt: randomBytes(16),
      remote: { open: () => Promise.reject(new Error('it is a file')) } as never,
      room: new AnswerRoom(),
      wake: () => undefined,
      broken: () => undefined,
    },
  )
  expect(served.stream.address).toBe(here.address)
  await closeServed(served)
})
