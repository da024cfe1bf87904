import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { planRestore, runRestore, type RestoreIo } from '#engine/copy'
import { openImage, readBlockHashes } from '#engine/formats/image'
import { askServers } from '#engine/formats/stored'
import { startJob } from '#engine/job'
import { openBlockStream } from '#engine/pipeline'
import { WebClient } from '#engine/web-source'
import { createLogger } from '#shared/log'
import type { RestoreRequest } from '#shared/model'
import { buildUdif, type UdifSpec } from '#test/build-udif'
import { FakeMachine } from '#test/fake-platform'
import { hashedUdif } from '#test/hashed-udif'
import { noise } from '#test/image-of-runs'
import { restoreRequest } from '#test/restore-request'
import { serveFile, startWebServer } from '#test/web-server'

const MiB = 2 ** 20

const ending: { [Symbol.asyncDispose](): PromiseLike<void> }[] = []
afterEach(async () => {
  for (const each of ending.splice(0).toReversed()) await each[Symbol.asyncDispose]()
})

const specOf = (seed: number): UdifSpec => ({
  tables: [{ runs: [{ kind: 'raw', sectors: 4096, data: noise(2 * MiB, seed) }] }],
})

/** A stick of 4 MiB, and a server as its source: the real ways to images and servers, the machine's to everything else. */
async function bench(listener: RequestListener) {
  const machine = new FakeMachine()
  const stick = machine.addDisk({ path: '/dev/sdb', sizeBytes: 4 * MiB, partitionMap: 'none', volumes: [] })
  const server = await startWebServer(listener)
  const web = new WebClient({ environment: {}, sleep: async () => undefined })
  ending.push({ [Symbol.asyncDispose]: async () => web[Symbol.dispose]() }, server)
  const hooks: { onOpenSink: () => void } = { onOpenSink: () => undefined }
  const io: RestoreIo = {
    ...machine.io,
    openImage: (path, signal, options) => openImage(path, { ...options, signal, web }),
    readBlockHashes: (image, signal) => readBlockHashes(image, { signal, web }),
    askServers: (layout, signal) => askServers(layout, { signal, web }),
    openStream: (layout, { buffers, bufferBytes, uncompressed, ...options }) =>
      openBlockStream(layout, { ...options, web, pool: { buffers, bufferBytes, uncompressed } }),
    openDeviceSink(path) {
      hooks.onOpenSink()
      return machine.io.openDeviceSink(path)
    },
  }
  const deps = { platform: machine.platform, io }
  const request = (change: Partial<RestoreRequest>) =>
    restoreRequest({ source: `${server.url}/a.dmg`, target: '/dev/sdb', ...change })
  const plan = (change: Partial<RestoreRequest> = {}) => planRestore(request(change), deps)
  const restore = async (change: Partial<RestoreRequest> = {}) => {
    const made = await plan(change)
    const job = startJob(
      { jobId: 'j', kind: 'restore', title: 't', plan: made },
      (context) => runRestore(made, deps, context),
      { log: createLogger(() => undefined, Date.now) },
    )
    return (await job.ended).outcome
  }
  return { stick, server, hooks, plan, restore }
}

const failure = (code: string) => ({ kind: 'failed', target: 'untouched', error: { code } })

describe('a restore from a web server', () => {
  const troubles: readonly (readonly [
    string,
    string,
    (request: IncomingMessage, response: ServerResponse) => unknown,
  ])[] = [
    [
      'was replaced',
      'E_SRC_CHANGED',
      (request, response) => serveFile(request, response, { bytes: buildUdif(specOf(1)).bytes, etag: '"2"' }),
    ],
    ['is refused by now', 'E_NET_STATUS', (_, response) => response.writeHead(403).end()],
  ]

  it.each(troubles)('erases nothing when the image %s since it was looked at', async (_, code, trouble) => {
    let isLate = false
    const { bytes } = buildUdif(specOf(1))
    const { stick, hooks, restore } = await bench((request, response) => {
      if (isLate) trouble(request, response)
      else serveFile(request, response, { bytes, etag: '"1"' })
    })
    const before = Uint8Array.from(stick.bytes)
    hooks.onOpenSink = () => {
      isLate = true
    }
    expect(await restore()).toMatchObject(failure(code))
    expect(Buffer.compare(stick.bytes, before)).toBe(0)
    isLate = false
    hooks.onOpenSink = () => undefined
    expect(await restore()).toMatchObject({ kind: 'done', summary: { verified: true } })
  })

  it('of changed blocks only is not called right by an image that was replaced meanwhile', async () => {
    const [first, second] = [hashedUdif(specOf(1)), hashedUdif(specOf(2))]
    let served = { bytes: first.bytes, etag: '"1"' }
    const { stick, hooks, restore } = await bench((request, response) => serveFile(request, response, served))
    expect(await restore()).toMatchObject({ kind: 'done' })
    const before = Uint8Array.from(stick.bytes)
    hooks.onOpenSink = () => {
      served = { bytes: second.bytes, etag: '"2"' }
    }
    // All is there already: nothing would be read of the image.
    expect(await restore({ changedOnly: true })).toMatchObject(failure('E_SRC_CHANGED'))
    expect(Buffer.compare(stick.bytes, before)).toBe(0)
    hooks.onOpenSink = () => undefined
    expect(await restore({ changedOnly: true })).toMatchObject({ kind: 'done', summary: { verified: true } })
    expect(Buffer.compare(stick.bytes.subarray(0, 2 * MiB), second.disk)).toBe(0)
  })

  it('that says nothing of its files fetches one once for each restore, and what it is then', async () => {
    let disk = noise(2 * MiB, 1)
    const bytesOf = () =>
      buildUdif({ tables: [{ runs: [{ kind: 'raw', sectors: 4096, data: disk }] }] }).bytes
    const { stick, server, plan, restore } = await bench((_, response) => {
      response.write(bytesOf())
      response.end()
    })
    const holds = () => Buffer.compare(stick.bytes.subarray(0, 2 * MiB), disk) === 0
    await plan()
    await plan({ verify: false })
    expect(await restore()).toMatchObject({ kind: 'done', summary: { verified: true } })
    expect(holds()).toBe(true)
    expect(server.requests).toHaveLength(1)
    disk = noise(2 * MiB, 2)
    expect(await restore()).toMatchObject({ kind: 'done', summary: { verified: true } })
    expect(holds()).toBe(true)
    expect(server.requests).toHaveLength(2)
  })
})
