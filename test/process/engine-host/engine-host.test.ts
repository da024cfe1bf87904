import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { encryptedV2 } from '#test/encrypted-file'
import { restoreRequest } from '#test/restore-request'
import { isAlive, node24, reprise, until } from '#test/web-host'
import { maxFrameBytes, protocolVersion, type ServerFrame } from '#shared/contract'
import type { JobState, RestoreRequest } from '#shared/model'
import { startHost } from '#src/main/engine-client/host-process.ts'
import { productVersion } from '#main/product'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'reprise-host-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** A host, spoken to by hand. */
function startRaw(argv: readonly string[] = [reprise, 'engine-host']) {
  const child = spawn(node24, argv, { stdio: ['pipe', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  child.stdin.on('error', () => undefined)
  const ended = new Promise<number | string>((resolve) => {
    child.on('close', (code, signal) => resolve(signal ?? code ?? 'unknown'))
  })
  return {
    child,
    ended,
    stderr: () => stderr,
    frames: () =>
      stdout
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as ServerFrame),
    write: (text: string | Buffer) => child.stdin.write(text),
    send: (frame: object) => child.stdin.write(`${JSON.stringify(frame)}\n`),
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL')
      await ended
    },
  }
}

const infoRequest = { kind: 'request', id: 1, name: 'host.info', input: {} }

/** A restore that takes a while: 512 MiB that can't be skipped, into a file. */
function largeRestore(): RestoreRequest {
  const source = join(folder, 'large.img')
  const block = Buffer.alloc(1024 * 1024, 'x')
  for (let count = 0; count < 512; count += 1) writeFileSync(source, block, { flag: 'a' })
  return restoreRequest({ source, target: join(folder, 'target.img') })
}

/** The request that starts it. */
async function planLargeRestore(host: ReturnType<typeof startRaw>): Promise<object> {
  host.send({ kind: 'request', id: 7, name: 'restore.plan', input: largeRestore() })
  const answer = await until(() => host.frames().find((frame) => frame.kind === 'result' && frame.id === 7))
  const plan = answer.kind === 'result' ? (answer.value as { planId: string }) : null
  return { kind: 'request', id: 8, name: 'restore.start', input: { planId: plan?.planId, typed: null } }
}

const jobStates = (host: ReturnType<typeof startRaw>): JobState[] =>
  host
    .frames()
    .filter((frame) => frame.kind === 'event' && frame.name === 'job')
    .map((frame) => (frame as { payload: JobState }).payload)

async function startLargeRestore(host: ReturnType<typeof startRaw>): Promise<() => JobState[]> {
  host.send(await planLargeRestore(host))
  await until(() => jobStates(host).find(({ progress }) => progress?.phase === 'restoring'))
  return () => jobStates(host)
}

describe('reprise engine-host', () => {
  test('says hello first, and nothing but frames on stdout', async () => {
    await using host = startRaw()
    host.send(infoRequest)
    await until(() => host.frames().length === 2)
    expect(host.frames()).toMatchObject([
      { kind: 'hello', protocol: protocolVersion, version: productVersion(), pid: host.child.pid },
      { kind: 'result', id: 1, value: { version: productVersion(), platform: 'linux' } },
    ])
    expect(host.stderr()).toBe('')
  })

  test('ends with status 0 when stdin ends', async () => {
    await using host = startRaw()
    await until(() => host.frames().length > 0)
    host.child.stdin.end()
    expect(await host.ended).toBe(0)
  })

  test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('ends in order at %s', async (signal) => {
    await using host = startRaw()
    await until(() => host.frames().length > 0)
    host.child.kill(signal)
    expect(await host.ended).toBe(0)
  })

  test('keeps the keys of an image that was unlocked, and says nothing of the password', async () => {
    await using host = startRaw()
    const folder = mkdtempSync(join(tmpdir(), 'reprise-unlock-'))
    using _ = { [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) }
    const path = join(folder, 'a.img')
    writeFileSync(path, encryptedV2(Buffer.alloc(4096), { password: 'sesame' }))
    host.send({ kind: 'request', id: 1, name: 'image.info', input: { path } })
    await until(() => host.frames().length === 2)
    host.send({ kind: 'request', id: 2, name: 'image.unlock', input: { path, password: 'sesamy' } })
    await until(() => host.frames().length === 3)
    host.send({ kind: 'request', id: 3, name: 'image.unlock', input: { path, password: 'sesame' } })
    await until(() => host.frames().length === 4)
    host.send({ kind: 'request', id: 4, name: 'image.info', input: { path } })
    await until(() => host.frames().length === 5)
    expect(host.frames().slice(1)).toMatchObject([
      { kind: 'error', id: 1, error: { code: 'E_SRC_ENCRYPTED' } },
      { kind: 'error', id: 2, error: { code: 'E_SRC_PASSWORD' } },
      { kind: 'result', id: 3, value: null },
      { kind: 'result', id: 4, value: { encrypted: { bits: 256, version: 2 } } },
    ])
    expect(JSON.stringify(host.frames()) + host.stderr()).not.toMatch(/sesam[ey]/)
  })

  test('answers a wrong frame that has an id, and goes on', async () => {
    await using host = startRaw()
    host.send({ kind: 'request', id: 3, name: 'no.such.thing', input: {} })
    host.send({ kind: 'request', id: 4, name: 'image.info', input: { path: '/x', command: 'rm' } })
    host.send({ kind: 'request', id: 5, name: '__proto__', input: {} })
    host.send(infoRequest)
    await until(() => host.frames().length === 5)
    expect(host.frames().slice(1)).toMatchObject([
      { kind: 'error', id: 3, error: { code: 'E_USAGE' } },
      { kind: 'error', id: 4, error: { code: 'E_USAGE' } },
      { kind: 'error', id: 5, error: { code: 'E_USAGE' } },
      { kind: 'result', id: 1 },
    ])
  })

  test.each([
    ['no JSON', 'hello\n'],
    ['no UTF-8', Buffer.of(0xc3, 0x28, 0x0a)],
    ['a line without an end', Buffer.alloc(maxFrameBytes + 1, 0x61)],
  ])('ends when it is sent %s', async (_, bytes) => {
    await using host = startRaw()
    await until(() => host.frames().length > 0)
    host.write(bytes)
    expect(await host.ended).toBe(0)
  })

  test('cancels its jobs when stdin ends in the middle of one, and leaves nothing behind', async () => {
    await using host = startRaw()
    await startLargeRestore(host)
    host.child.stdin.end()
    expect(await host.ended).toBe(0)
    const target = join(folder, 'target.img')
    expect(existsSync(target) ? statSync(target).size : 0).toBe(0)
  })

  test('cancels a job, and answers when it has stopped', async () => {
    await using host = startRaw()
    const states = await startLargeRestore(host)
    host.send({ kind: 'request', id: 9, name: 'job.cancel', input: { jobId: states()[0]?.jobId } })
    const answer = await until(() => host.frames().find((frame) => frame.kind === 'result' && frame.id === 9))
    expect(answer).toMatchObject({ value: { outcome: { kind: 'cancelled', target: 'empty' } } })
  })

  test('goes on working for a client that does not read', async () => {
    await using host = startRaw()
    const start = await planLargeRestore(host)
    host.child.stdout.pause()
    // More answers than fit into a pipe.
    for (let id = 100; id < 20_100; id += 1) host.send({ ...infoRequest, id })
    // Of requests that come at once, only so many are served: who is refused asks again.
    let id = 30_000
    const asking = setInterval(() => host.send({ ...start, id: (id += 1) }), 1000)
    const target = join(folder, 'target.img')
    const isHalfWritten = () => existsSync(target) && statSync(target).blocks * 512 >= 512 * 1024 * 1024
    await until(isHalfWritten, 90_000).finally(() => clearInterval(asking))
    host.child.stdout.resume()
    expect(await until(() => jobStates(host).at(-1)?.outcome, 60_000)).toMatchObject({ kind: 'done' })
  })
})

describe('starting a host', () => {
  const options = { version: productVersion(), helloTimeoutMs: 20_000 }
  const program = (code: string) => ({ file: node24, argv: ['-e', code] })
  const hello = (version: string) =>
    JSON.stringify({ kind: 'hello', protocol: protocolVersion, version, pid: 1 })

  test('gives a connection, and ends the process when asked', async () => {
    const host = await startHost({ file: node24, argv: [reprise, 'engine-host'] }, options)
    const { pid } = await host.connection.hello
    await expect(host.connection.request('host.info', {})).resolves.toMatchObject({ platform: 'linux' })
    await host.end(5000)
    expect(isAlive(pid)).toBe(false)
  })

  test('and ending it does not wait for ever for one that outlives its kill', async () => {
    // As one that hangs in the kernel: another process holds its stdout when it is dead.
    const held = program(
      `console.log(${JSON.stringify(hello(productVersion()))}); require('node:child_process').spawn('sleep', ['20'], { stdio: 'inherit' }); setInterval(() => {}, 1000)`,
    )
    const host = await startHost(held, options)
    const begunMs = Date.now()
    await host.end(100)
    expect(Date.now() - begunMs).toBeLessThan(10_000)
  })

  test('of a killed host fails open requests with how it ended', async () => {
    const host = await startHost({ file: node24, argv: [reprise, 'engine-host'] }, options)
    const { pid } = await host.connection.hello
    const listing = host.connection.request('devices.watch', {})
    process.kill(pid, 'SIGKILL')
    await expect(listing).rejects.toMatchObject({ code: 'E_ENGINE_GONE', details: { signal: 'SIGKILL' } })
    await host.ended
  })

  test('fails with the last words of a host that crashes', async () => {
    const crash = program('console.error("the reason"); process.exit(3)')
    await expect(startHost(crash, options)).rejects.toMatchObject({
      code: 'E_ENGINE_GONE',
      details: { exitCode: 3, lastLines: ['the reason'] },
    })
  })

  test('fails when there is no such program', async () => {
    await expect(startHost({ file: '/nowhere/node', argv: [] }, options)).rejects.toMatchObject({
      code: 'E_ENGINE_GONE',
    })
  })

  test('refuses another version, and leaves no process', async () => {
    const other = program(`console.log(${JSON.stringify(hello('9.9.9'))}); setInterval(() => {}, 1000)`)
    await expect(startHost(other, options)).rejects.toMatchObject({
      code: 'E_HELPER_VERSION',
      details: { found: '9.9.9', expected: productVersion() },
    })
  })

  test('does not wait for ever', async () => {
    const silent = program('setInterval(() => {}, 1000)')
    await expect(startHost(silent, { ...options, helloTimeoutMs: 300 })).rejects.toMatchObject({
      code: 'E_ENGINE_GONE',
      message: 'the engine host does not answer',
    })
  })

  test('can be given up', async () => {
    const silent = program('setInterval(() => {}, 1000)')
    const stop = new AbortController()
    const starting = startHost(silent, { ...options, helloTimeoutMs: null, signal: stop.signal })
    setTimeout(() => stop.abort(new Error('changed my mind')), 100)
    await expect(starting).rejects.toThrow('changed my mind')
  })

  test('does not hand down what would change Node or Electron, or say that the host is elevated', async () => {
    process.env['NODE_OPTIONS'] = '--no-such-option'
    process.env['ELECTRON_RUN_AS_NODE'] = '1'
    process.env['PKEXEC_UID'] = '1000'
    try {
      const seen = program(
        `console.error(Object.keys(process.env).filter((name) => /NODE_|ELECTRON|PKEXEC/.test(name)).join()); console.error(process.cwd()); process.exit(1)`,
      )
      await expect(startHost(seen, options)).rejects.toMatchObject({ details: { lastLines: ['/'] } })
    } finally {
      delete process.env['NODE_OPTIONS']
      delete process.env['ELECTRON_RUN_AS_NODE']
      delete process.env['PKEXEC_UID']
    }
  })
})
