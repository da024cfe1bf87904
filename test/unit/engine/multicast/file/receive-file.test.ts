import { randomBytes } from 'node:crypto'
import { lstat, mkdir, open, readFile, readdir, rename, symlink, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test, type ExpectStatic } from 'vitest'
import { connectStream } from '#engine/multicast/client'
import { planFile, receiveFile, type FilePlanning, type OpenStream } from '#engine/multicast/file'
import { NetworkError } from '#shared/errors'
import { formatStreamLocator, type ImageInfo, type JobOutcome, type RestoreRequest } from '#shared/model'
import { quietContext } from '#test/quiet-context'
import { noBuffering, restoreRequest } from '#test/restore-request'
import { seededBytes, seededRandom } from '#test/seeded'
import { startStreamServer, type StreamServerDouble } from '#test/stream-server-double'
import { temporaryFolder } from '#test/temporary-folder'

const blockBytes = 64 * 1024
const image = seededBytes(seededRandom(2), 40 * blockBytes + 99)
const clientId = Uint8Array.from(randomBytes(16))
const connect: OpenStream = (locator, options) =>
  connectStream(locator, { ...options, clientId, password: null })

const request = (
  server: StreamServerDouble,
  target: string,
  changes: Partial<RestoreRequest> = {},
): RestoreRequest =>
  restoreRequest({
    source: formatStreamLocator(server.locator),
    target,
    erase: false,
    form: 'file',
    ...changes,
  })

async function run(
  asked: RestoreRequest,
  {
    stop = new AbortController(),
    onPlan = async () => {},
    onBegun = null,
    readImage = async () => null,
  }: {
    stop?: AbortController
    onPlan?: (() => Promise<void>) | undefined
    /** When its .part is there and some of it has come. */
    onBegun?: (() => Promise<void>) | null
    readImage?: FilePlanning['readImage']
  } = {},
) {
  const { signal } = stop
  const plan = await planFile(asked, { connect, readImage, signal })
  await onPlan()
  const context = quietContext(signal)
  const receiving = receiveFile(plan, { connect }, context)
  if (onBegun !== null) {
    await firstBytes(context.told, receiving)
    await onBegun()
  }
  return { plan, context, outcome: await receiving }
}

async function firstBytes(told: readonly unknown[], receiving: Promise<unknown>): Promise<void> {
  const isOver = receiving.then(() => true)
  const pause = () => new Promise<false>((resolve) => setTimeout(resolve, 5, false))
  while (!(Number(told.at(-1)) > 8 * blockBytes) && !(await Promise.race([isOver, pause()])));
}

/** Stops it after some of it came, as Ctrl-C does. */
async function runInPart(expect: ExpectStatic, asked: RestoreRequest): Promise<JobOutcome> {
  const stop = new AbortController()
  const plan = await planFile(asked, { connect, readImage: async () => null, signal: stop.signal })
  const context = quietContext(stop.signal)
  const running = receiveFile(plan, { connect }, context)
  await expect.poll(() => Number(context.told.at(-1)) || 0).toBeGreaterThan(8 * blockBytes)
  stop.abort(new Error('enough'))
  return await running
}
const isImage = async (path: string) => Buffer.compare(await readFile(path), image) === 0

describe.concurrent("a stream's image received into a file", () => {
  test('has every byte, and nothing is left beside it', async ({ expect }) => {
    await using server = await startStreamServer({ image })
    await using folder = await temporaryFolder()
    const path = join(folder.path, 'out.dmg')
    const { plan, outcome } = await run(request(server, path))
    expect(plan.checks.map(({ kind }) => kind)).toEqual(['target-ok', 'source-ok', 'fits'])
    expect(outcome).toMatchObject({ kind: 'done', summary: { verified: true, restoredBytes: image.length } })
    expect(await isImage(path)).toBe(true)
    expect(await readdir(folder.path)).toEqual(['out.dmg'])
    expect(server.heard.at(-1)).toMatchObject({ kind: 'finished', outcome: 'done' })
  })

  test('is held in as much memory as the buffers have that were told, and in a sane amount', async ({
    expect,
  }) => {
    await using server = await startStreamServer({ image })
    await using folder = await temporaryFolder()
    const held: number[] = []
    const watched: OpenStream = async (locator, options) => {
      const stream = await connect(locator, options)
      return {
        ...stream,
        receive(how) {
          held.push(how.holdBytes)
          return stream.receive(how)
        },
      }
    }
    const { signal } = new AbortController()
    for (const buffering of [noBuffering, { ...noBuffering, buffers: 1, bufferBytes: 4096 }]) {
      const asked = request(server, join(folder.path, 'out.dmg'), { buffering, erase: true })
      const plan = await planFile(asked, { connect, readImage: async () => null, signal })
      expect(await receiveFile(plan, { connect: watched }, quietContext(signal))).toMatchObject({
        kind: 'done',
      })
    }
    expect(held).toEqual([128 * 1024 * 1024, 4 * blockBytes])
  })

  test('waits for a server that restarts after the plan', async ({ expect }) => {
    await using server = await startStreamServer({ image })
    await using folder = await temporaryFolder()
    const path = join(folder.path, 'out.dmg')
    let calls = 0
    const sometimes: OpenStream = async (locator, options) => {
      calls += 1
      if (calls === 2)
        throw new NetworkError('E_NET', 'refused', {
          details: { address: '', phase: 'control' },
          transient: true,
        })
      return await connect(locator, options)
    }
    const context = quietContext()
    const plan = await planFile(request(server, path), {
      connect: sometimes,
      readImage: async () => null,
      signal: context.signal,
    })
    expect((await receiveFile(plan, { connect: sometimes }, context)).kind).toBe('done')
    expect(await isImage(path)).toBe(true)
  })

  test('says before it comes that nothing of it will be verified', async ({ expect }) => {
    await using server = await startStreamServer({ image })
    await using folder = await temporaryFolder()
    const asked = request(server, join(folder.path, 'out.dmg'), { verify: false })
    const { outcome, context } = await run(asked)
    expect(outcome).toMatchObject({ kind: 'done', summary: { verified: false } })
    expect(context.told.filter((each) => typeof each === 'string')).toEqual([
      'validating-source ?',
      'skip verifying',
      `restoring ${image.length}`,
    ])
  })

  test("gets the image's own name in a folder, and never leaves that", async ({ expect }) => {
    await using server = await startStreamServer({ image, imageName: '../../etc/Spring lab.dmg' })
    await using folder = await temporaryFolder()
    const { outcome } = await run(request(server, folder.path))
    expect(outcome.kind).toBe('done')
    expect(await readdir(folder.path)).toEqual(['_.._etc_Spring lab.dmg'])
  })

  test('tells in its plan what the image is, where it is one that can be read', async ({ expect }) => {
    await using server = await startStreamServer({ image })
    await using folder = await temporaryFolder()
    const asked = request(server, join(folder.path, 'out.dmg'))
    const imageInfo = { name: 'lab.dmg' } as ImageInfo
    const read: string[] = []
    const { plan } = await run(asked, {
      readImage: async (_, path) => {
        read.push(path)
        return imageInfo
      },
    })
    expect(plan.source).toMatchObject({ kind: 'stream', image: imageInfo })
    expect(read).toEqual([asked.source])
    expect((await run(request(server, join(folder.path, 'other.dmg')))).plan).toMatchObject({
      source: { kind: 'stream', image: null },
      refusal: null,
    })
  })

  test('goes on where it was stopped, and reads back what came before', async ({ expect }) => {
    await using folder = await temporaryFolder()
    const path = join(folder.path, 'out.dmg')
    await using server = await startStreamServer({ image, dataRate: 1e6 })
    expect(await runInPart(expect, request(server, path))).toMatchObject({
      kind: 'cancelled',
      target: 'kept',
    })
    expect(await readdir(folder.path)).toEqual(['out.dmg.part'])
    server.sender.setDataRate(20e6)
    const { outcome } = await run(request(server, path))
    expect(outcome).toMatchObject({ kind: 'done' })
    expect(outcome.kind === 'done' && outcome.summary.writtenBytes).toBeLessThan(
      image.length - 8 * blockBytes,
    )
    expect(await isImage(path)).toBe(true)
    expect(await readdir(folder.path)).toEqual(['out.dmg'])
  })

  test('says what an earlier run left wrong, and gets that again next time', async ({ expect }) => {
    await using folder = await temporaryFolder()
    const path = join(folder.path, 'out.dmg')
    await using server = await startStreamServer({ image, dataRate: 1e6 })
    await runInPart(expect, request(server, path))
    {
      await using part = await open(`${path}.part`, 'r+')
      const at = (await readFile(`${path}.part`)).findIndex((byte) => byte !== 0)
      await part.write(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0), 0, 8, at)
    }
    server.sender.setDataRate(20e6)
    const first = await run(request(server, path))
    expect(first.outcome).toMatchObject({ kind: 'failed', error: { code: 'E_VERIFY' }, target: 'kept' })
    const second = await run(request(server, path))
    expect(second.outcome).toMatchObject({ kind: 'done', summary: { writtenBytes: blockBytes } })
    expect(await isImage(path)).toBe(true)
  })

  test('reads back what an earlier run left even with --noverify', async ({ expect }) => {
    await using folder = await temporaryFolder()
    const path = join(folder.path, 'out.dmg')
    await using server = await startStreamServer({ image, dataRate: 1e6 })
    await runInPart(expect, request(server, path))
    const left = await readFile(`${path}.part`)
    const at = left.findIndex((byte) => byte !== 0)
    left.fill(0, at, at + 8)
    await writeFile(`${path}.part`, left)
    server.sender.setDataRate(20e6)
    const { outcome } = await run(request(server, path, { verify: false }))
    expect(outcome).toMatchObject({ kind: 'failed', error: { code: 'E_VERIFY' }, target: 'kept' })
    expect(await readdir(folder.path)).toEqual(['out.dmg.part'])
    expect((await run(request(server, path, { verify: false }))).outcome).toMatchObject({
      kind: 'done',
      summary: { verified: false, writtenBytes: blockBytes },
    })
    expect(await isImage(path)).toBe(true)
  })

  test('takes the place of what is there only with Erase, and only when it is complete', async ({
    expect,
  }) => {
    await using server = await startStreamServer({ image })
    await using folder = await temporaryFolder()
    const path = await folder.write('out.dmg', 'precious')
    const refused = await run(request(server, path))
    expect(refused.plan.refusal).toMatchObject({ code: 'E_DST_EXISTS' })
    expect(refused.outcome).toMatchObject({ kind: 'failed', target: 'untouched' })
    expect(await readFile(path, 'latin1')).toBe('precious')
    const { plan, outcome } = await run(request(server, path, { erase: true }))
    expect(plan.losses).toMatchObject([{ kind: 'file', path, sizeBytes: 8 }])
    expect(outcome.kind).toBe('done')
    expect(await isImage(path)).toBe(true)
  })

  test("doesn't take the place of what came there meanwhile", async ({ expect }) => {
    await using server = await startStreamServer({ image })
    await using folder = await temporaryFolder()
    const path = join(folder.path, 'out.dmg')
    const { outcome } = await run(request(server, path), { onPlan: () => writeFile(path, 'precious') })
    expect(outcome).toMatchObject({ kind: 'failed', error: { code: 'E_DST_EXISTS' }, target: 'untouched' })
    expect(await readFile(path, 'latin1')).toBe('precious')
  })

  test.for([
    ['came after it was agreed to lose nothing', null, 'E_DST_CHANGED', true],
    ['came while it was received, without Erase', null, 'E_DST_EXISTS', false],
    ['came in the place of what it was agreed to lose', 'old', 'E_DST_CHANGED', true],
  ] as const)("doesn't take the place of what %s", async ([, before, code, erase], { expect }) => {
    const asked = { erase }
    for (const when of ['before it began', 'while it came']) {
      await using server = await startStreamServer({ image, dataRate: 1e6 })
      await using folder = await temporaryFolder()
      const path = join(folder.path, 'out.dmg')
      if (before !== null) await writeFile(path, before)
      const exchange = async () => {
        const other = await folder.write('other', 'precious')
        await rename(other, path)
      }
      const { outcome } = await run(request(server, path, asked), {
        onPlan: when === 'before it began' ? exchange : undefined,
        onBegun: when === 'while it came' ? exchange : null,
      })
      expect(outcome, when).toMatchObject({
        kind: 'failed',
        error: { code },
        target: when === 'while it came' ? 'kept' : 'untouched',
      })
      expect(await readFile(path, 'latin1')).toBe('precious')
    }
  })

  test('is made where what it was agreed to lose is gone', async ({ expect }) => {
    await using server = await startStreamServer({ image, dataRate: 1e6 })
    await using folder = await temporaryFolder()
    const path = await folder.write('out.dmg', 'old')
    const { plan, outcome } = await run(request(server, path, { erase: true }), {
      onBegun: () => unlink(path),
    })
    expect(plan.target).toMatchObject({ exists: true })
    expect(outcome.kind).toBe('done')
    expect(await isImage(path)).toBe(true)
  })

  test('is not what somebody put in the place of its .part', async ({ expect }) => {
    await using server = await startStreamServer({ image, dataRate: 1e6 })
    await using folder = await temporaryFolder()
    const path = await folder.write('out.dmg', 'old')
    const { outcome } = await run(request(server, path, { erase: true }), {
      onBegun: async () => rename(await folder.write('other', 'not the image'), `${path}.part`),
    })
    expect(outcome).toMatchObject({
      kind: 'failed',
      error: { code: 'E_DST_CHANGED', details: { when: 'writing' } },
      target: 'untouched',
    })
    expect(await readFile(path, 'latin1')).toBe('old')
  })

  test("doesn't promise to go on with a .part that was deleted", async ({ expect }) => {
    await using server = await startStreamServer({ image, dataRate: 1e6 })
    await using folder = await temporaryFolder()
    const path = join(folder.path, 'out.dmg')
    const { outcome } = await run(request(server, path), { onBegun: () => unlink(`${path}.part`) })
    expect(outcome).toMatchObject({ kind: 'failed', error: { code: 'E_DST_CHANGED' }, target: 'untouched' })
    expect(await readdir(folder.path)).toEqual([])
  })

  test('is received by one at a time', async ({ expect }) => {
    const startRule = { clients: null, afterLastJoinMs: null }
    await using server = await startStreamServer({ image, startRule })
    await using folder = await temporaryFolder()
    const path = join(folder.path, 'out.dmg')
    const first = run(request(server, path))
    await expect.poll(() => readdir(folder.path)).toEqual(['out.dmg.part'])
    await expect
      .poll(async () => (await run(request(server, path))).outcome)
      .toMatchObject({
        kind: 'failed',
        error: { code: 'E_DST_BUSY' },
      })
    server.hub.startNow('lab')
    expect((await first).outcome.kind).toBe('done')
    expect(await isImage(path)).toBe(true)
  })

  test('leaves a link where it is, and replaces what it leads to', async ({ expect }) => {
    await using server = await startStreamServer({ image })
    await using folder = await temporaryFolder()
    const real = await folder.write('real.dmg', 'old')
    const path = join(folder.path, 'out.dmg')
    await symlink(real, path)
    expect((await run(request(server, path, { erase: true }))).outcome.kind).toBe('done')
    expect((await lstat(path)).isSymbolicLink()).toBe(true)
    expect(await isImage(real)).toBe(true)
  })

  test('is refused before it comes where a link leads nowhere, or a device is not there', async ({
    expect,
  }) => {
    await using server = await startStreamServer({ image })
    await using folder = await temporaryFolder()
    const path = join(folder.path, 'out.dmg')
    await symlink(join(folder.path, 'gone', 'out.dmg'), path)
    for (const erase of [false, true])
      expect((await run(request(server, path, { erase }))).plan.refusal).toMatchObject({
        code: 'E_DST_KIND',
        details: { path },
      })
    await symlink(join(folder.path, 'gone'), join(folder.path, 'lab.dmg'))
    expect((await run(request(server, folder.path))).plan.refusal).toMatchObject({ code: 'E_DST_KIND' })
    expect(await readdir(folder.path)).toEqual(['lab.dmg', 'out.dmg'])
    for (const device of ['/dev/nosuch', '/dev/disk/nosuch'])
      expect((await run(request(server, device))).plan.refusal).toMatchObject({ code: 'E_NOT_FOUND' })
    expect((await run(request(server, '/dev/'))).plan.refusal).toMatchObject({ code: 'E_NOT_FOUND' })
  })

  test("names a .part of somebody else's among what is lost", async ({ expect }) => {
    await using server = await startStreamServer({ image })
    await using folder = await temporaryFolder()
    const path = join(folder.path, 'out.dmg')
    const part = await folder.write('out.dmg.part', "somebody else's")
    const { plan } = await run(request(server, path, { erase: true }), {
      onPlan: () => writeFile(path, 'precious'),
    })
    expect(plan.losses).toMatchObject([{ kind: 'file', name: 'out.dmg.part', path: part, sizeBytes: 15 }])
    expect(plan.checks.filter(({ kind }) => kind === 'losses')).toMatchObject([{ names: ['out.dmg.part'] }])
    await folder.write('out.dmg.part', 'another')
    expect((await run(request(server, path, { erase: true }))).plan.losses).toMatchObject([
      { name: 'out.dmg' },
      { name: 'out.dmg.part' },
    ])
  })

  test("doesn't touch a .part that came after the question", async ({ expect }) => {
    await using server = await startStreamServer({ image })
    await using folder = await temporaryFolder()
    const path = join(folder.path, 'out.dmg')
    const { outcome } = await run(request(server, path, { erase: true }), {
      onPlan: () => writeFile(`${path}.part`, 'precious'),
    })
    expect(outcome).toMatchObject({ kind: 'failed', error: { code: 'E_DST_CHANGED' }, target: 'untouched' })
    expect(await readFile(`${path}.part`, 'latin1')).toBe('precious')
  })

  test('is refused beforehand where a link has the name of its .part', async ({ expect }) => {
    await using server = await startStreamServer({ image })
    await using folder = await temporaryFolder()
    const path = join(folder.path, 'out.dmg')
    await symlink(await folder.write('victim', 'precious'), `${path}.part`)
    expect((await run(request(server, path, { erase: true }))).plan.refusal).toMatchObject({
      code: 'E_DST_KIND',
    })
  })

  test("doesn't touch a .part of somebody else's without Erase", async ({ expect }) => {
    await using server = await startStreamServer({ image })
    await using folder = await temporaryFolder()
    await folder.write('out.dmg.part', "somebody else's")
    const path = join(folder.path, 'out.dmg')
    expect((await run(request(server, path))).outcome).toMatchObject({ error: { code: 'E_DST_EXISTS' } })
    expect(await readFile(`${path}.part`, 'latin1')).toBe("somebody else's")
    expect((await run(request(server, path, { erase: true }))).outcome.kind).toBe('done')
  })

  test("doesn't follow a link that was put in its way", async ({ expect }) => {
    await using server = await startStreamServer({ image })
    await using folder = await temporaryFolder()
    const victim = await folder.write('victim', 'precious')
    const path = join(folder.path, 'out.dmg')
    const { outcome } = await run(request(server, path, { erase: true }), {
      onPlan: () => symlink(victim, `${path}.part`),
    })
    expect(outcome).toMatchObject({ kind: 'failed', target: 'untouched' })
    expect(await readFile(victim, 'latin1')).toBe('precious')
  })

  test('begins anew when the stream is another one than the .part is of', async ({ expect }) => {
    await using folder = await temporaryFolder()
    const path = join(folder.path, 'out.dmg')
    {
      await using server = await startStreamServer({ image, dataRate: 1e6 })
      await runInPart(expect, request(server, path))
    }
    const other = Uint8Array.from(image, (byte) => byte ^ 1)
    await using server = await startStreamServer({ image: other })
    expect((await run(request(server, path))).plan.refusal).toMatchObject({ code: 'E_DST_EXISTS' })
    expect((await run(request(server, path, { erase: true }))).outcome.kind).toBe('done')
    expect(Buffer.compare(await readFile(path), other)).toBe(0)
  })

  test('is refused where there is no room for it', async ({ expect }) => {
    const facts = { sizeBytes: 2 ** 44, blockBytes: 2 ** 24, symbolBytes: 8960 }
    await using server = await startStreamServer({
      image,
      falsify: (message) => (message.kind === 'session' ? { ...message, ...facts } : message),
    })
    await using folder = await temporaryFolder()
    const { plan } = await run(request(server, join(folder.path, 'out.dmg')))
    // A bit for each of 2 ** 20 blocks, twice, in whole pages.
    const neededBytes = 2 ** 44 + 2 * 33 * 4096
    expect(plan.refusal).toMatchObject({ code: 'E_DST_FULL', details: { neededBytes } })
    expect(await readdir(folder.path)).toEqual([])
  })

  test('is not compared with what is there: that is refused', async ({ expect }) => {
    await using server = await startStreamServer({ image })
    await using folder = await temporaryFolder()
    const path = join(folder.path, 'out.dmg')
    const { plan } = await run(request(server, path, { changedOnly: true }))
    expect(plan.refusal).toMatchObject({
      code: 'E_UNSUPPORTED',
      details: { input: 'changed-only', hint: 'Restore without --changed-only.' },
    })
    expect(await readdir(folder.path)).toEqual([])
  })

  test('says where it cannot be, and whose stream is not there', async ({ expect }) => {
    await using server = await startStreamServer({ image })
    await using folder = await temporaryFolder()
    await mkdir(join(folder.path, 'lab.dmg'))
    await writeFile(join(folder.path, 'plain'), '')
    const refusal = async (asked: RestoreRequest) => (await run(asked)).plan.refusal?.code
    expect(await refusal(request(server, join(folder.path, 'no/such')))).toBe('E_NOT_FOUND')
    expect(await refusal(request(server, folder.path))).toBe('E_DST_KIND')
    expect(await refusal(request(server, '/dev/null'))).toBe('E_DST_KIND')
    expect(await refusal(request(server, `${folder.path}/images/`))).toBe('E_DST_KIND')
    expect(await refusal(request(server, `${folder.path}/plain/`, { erase: true }))).toBe('E_DST_KIND')
    const gone = request(server, join(folder.path, 'out.dmg'))
    expect(await refusal({ ...gone, source: 'asr://127.0.0.1:1' })).toBe('E_NET')
  })
})
