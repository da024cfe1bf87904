import type { RequestListener } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { planRestore, runRestore, type RestoreIo } from '#engine/copy'
import { openImage, readBlockHashes } from '#engine/formats/image'
import { startJob } from '#engine/job'
import { openBlockStream } from '#engine/pipeline'
import { WebSession } from '#engine/web-source'
import { createLogger } from '#shared/log'
import type { RestoreRequest } from '#shared/model'
import { buildUdif } from '#test/build-udif'
import { FakeMachine } from '#test/fake-platform'
import { noise } from '#test/image-of-runs'
import { restoreRequest } from '#test/restore-request'
import { startWebServer } from '#test/web-server'

const MiB = 2 ** 20

const ending: { [Symbol.asyncDispose](): PromiseLike<void> }[] = []
afterEach(async () => {
  for (const each of ending.splice(0).toReversed()) await each[Symbol.asyncDispose]()
})

/** A stick of 4 MiB, and a server as its source: the real ways to images and servers, the machine's to everything else. */
async function bench(listener: RequestListener) {
  const machine = new FakeMachine()
  const stick = machine.addDisk({ path: '/dev/sdb', sizeBytes: 4 * MiB, partitionMap: 'none', volumes: [] })
  const server = await startWebServer(listener)
  const web = new WebSession({ environment: {}, sleep: async () => undefined })
  ending.push({ [Symbol.asyncDispose]: async () => web[Symbol.dispose]() }, server)
  const hooks: { onOpenSink: () => void } = { onOpenSink: () => undefined }
  const io: RestoreIo = {
    ...machine.io,
    openImage: (path, signal, options) => openImage(path, { ...options, signal, web }),
    readBlockHashes: (image, signal) => readBlockHashes(image, { signal, web }),
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

describe('a restore from a web server', () => {
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
