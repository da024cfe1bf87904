/** A source that doesn't answer: a pipe that nobody writes to stands for a file server that is gone. */
import { execFileSync } from 'node:child_process'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { serverIdentity } from '#src/main/engine/multicast/server/server-identity.ts'
import { startThread } from '#src/main/engine/multicast/port/thread-handle.ts'
import { missing } from '#test/needs'
import { freePort, realStreamServer, sessionSettings } from '#test/real-stream-server'
import { temporaryFolder } from '#test/temporary-folder'

async function openPipe() {
  const folder = await temporaryFolder()
  const path = join(folder.path, 'pipe')
  execFileSync('mkfifo', [path])
  return {
    path,
    async [Symbol.asyncDispose]() {
      // An answer in the end, as otherwise this process wouldn't end either.
      await (await open(path, 'r+')).close()
      await folder[Symbol.asyncDispose]()
    },
  }
}

describe.skipIf(missing('linux'))('while a source does not answer', () => {
  it('its session can be stopped that is still being prepared', async () => {
    await using pipe = await openPipe()
    const sizeBytes = 1024 * 1024
    const bytes = { kind: 'device', locator: pipe.path, stamp: null, sizeBytes } as const
    const what = { imageName: 'pipe', imageFormat: 'UDZO' }
    const prepare = () => Promise.resolve({ ...what, bytes, identity: null })
    await using real = await realStreamServer({
      examineDevice: () =>
        Promise.resolve({ ...what, sizeBytes, streamBytes: sizeBytes, warnings: [], prepare }),
    })
    const port = await freePort()
    const { sessionId } = await real.server.start(
      sessionSettings({ source: pipe.path, configuration: { port } }),
    )
    await real.server.stop(sessionId, 'now')
    expect(real.state()).toMatchObject({ phase: 'ended', error: null })
  })

  it('the thread of its port is let go', async () => {
    await using pipe = await openPipe()
    await using folder = await temporaryFolder()
    const identity = await serverIdentity(folder.path)
    const port = await freePort()
    const thread = await startThread(
      { port, ...identity, managementPassword: null },
      { hear: () => undefined, gone: () => undefined },
    )
    const session = {
      sessionId: 'ab'.repeat(16),
      settings: sessionSettings({ source: pipe.path, configuration: { port } }),
      interface: {
        name: 'lo',
        address: '127.0.0.1',
        mtu: 1500,
        linkBitsPerSecond: null,
        isDefault: true,
        isUp: true,
      },
      bytes: { kind: 'device', locator: pipe.path, stamp: null, sizeBytes: 1024 * 1024 },
      blockBytes: 1024 * 1024,
      symbolBytes: 1408,
      imageName: 'pipe',
      imageFormat: 'UDZO',
      root: new Uint8Array(32),
      hashes: new Uint8Array(32),
    } as const
    void thread.order({ kind: 'add', session, names: ['lab'] }).catch(() => undefined)
    // Orders are begun one after another.
    await thread.order({ kind: 'pending', sessions: [] })
    await expect(thread[Symbol.asyncDispose]()).resolves.toBeUndefined()
  })
})
