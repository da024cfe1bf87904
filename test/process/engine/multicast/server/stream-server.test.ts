/** The server of streams, whole: its thread, real TLS, real datagrams, on the loopback interface. */
import { copyFile, readdir, stat, truncate, utimes, writeFile } from 'node:fs/promises'
import { createServer as createHttpServer } from 'node:http'
import { createSocket } from 'node:dgram'
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkPort } from '#src/main/engine/multicast/network/check-port.ts'
import { checkSource } from '#engine/multicast/server'
import { scanImage } from '#engine/scan'
import { NetworkError } from '#shared/errors'
import { isStarting, type SessionPhase, type StreamCompression } from '#shared/model'
import { buildUdif } from '#test/build-udif'
import { labImage, type LabImage } from '#test/lab-image'
import {
  freePort,
  lookAtSession,
  realStreamServer,
  sessionSettings,
  type RealStreamServer,
} from '#test/real-stream-server'
import { enterSession } from '#src/main/engine/multicast/client/enter-session.ts'
import { quietContext } from '#test/quiet-context'
import { receiveToMemory } from '#test/receive-to-memory'
import { temporaryFolder, type TemporaryFolder } from '#test/temporary-folder'
import { serveFile, startWebServer } from '#test/web-server'

let images: TemporaryFolder
let image: LabImage
beforeAll(async () => {
  images = await temporaryFolder()
  image = await labImage(images, { megabytes: 6 })
})
afterAll(() => images[Symbol.asyncDispose]())

const isImage = (bytes: Uint8Array, of: LabImage = image) => Buffer.compare(bytes, of.bytes) === 0
/** Until the session is in that phase. */
async function reaches(phase: SessionPhase, real: RealStreamServer, name?: string): Promise<void> {
  await expect.poll(() => real.state(name)?.phase).toBe(phase)
}

describe('the server of streams', () => {
  it('streams an image, tells of the client, and ends for it', async () => {
    await using real = await realStreamServer()
    const port = await freePort()
    const settings = sessionSettings({ source: image.path, password: 'open sesame', configuration: { port } })
    const { sessionId } = await real.server.start(settings)
    await reaches('waiting', real)
    expect(real.state()).toMatchObject({
      sessionId,
      imageName: 'lab.dmg',
      sizeBytes: image.bytes.length,
      address: '127.0.0.1',
      wanted: 1,
      locator: `asr://127.0.0.1:${port}/lab#${real.server.fingerprint}`,
      error: null,
      warnings: [],
    })
    expect(JSON.stringify(real.state())).not.toContain('sesame')

    await expect(lookAtSession(real.server, port, { password: 'wrong' })).rejects.toMatchObject({
      code: 'E_MC_PASSWORD',
    })
    await using stream = await lookAtSession(real.server, port, { password: 'open sesame' })
    expect(real.state()?.clients).toEqual([])
    const { file, reception } = receiveToMemory(stream)
    await reception.complete
    expect(isImage(file)).toBe(true)
    await reception.finish('done', 'all well')
    await expect
      .poll(() => real.state()?.clients.map(({ state, text }) => [state, text]))
      .toEqual([['done', 'all well']])
    const [client] = real.state()?.clients ?? []
    const became = () => real.server.clientLog(sessionId, client?.clientId ?? '').map(({ state }) => state)
    expect(became().at(-1)).toBe('done')
    expect(became().length).toBeGreaterThan(1)
    await reaches('quiet', real)
    expect(real.state()).toMatchObject({ lap: 1 })
    expect(real.state()?.sentBytes).toBeGreaterThan(image.bytes.length)

    await real.server.stop(sessionId, 'now')
    await reaches('ended', real)
    expect(became().at(-1)).toBe('done')
    await real.server.stop(sessionId, 'now')
    expect(real.server.states()).toEqual([])
  })

  it('says at once to everyone that it is over', async () => {
    await using real = await realStreamServer()
    const port = await freePort()
    await real.server.start(
      sessionSettings({ source: image.path, configuration: { port, dataRate: 200_000 } }),
    )
    await reaches('waiting', real)
    await using stream = await lookAtSession(real.server, port)
    const { reception } = receiveToMemory(stream)
    const failed = reception.complete.then(
      () => null,
      (error: unknown) => error,
    )
    await reaches('streaming', real)
    await real.server[Symbol.asyncDispose]()
    expect(await failed).toMatchObject({ code: 'E_MC_ENDED' })
  })

  it('serves two sessions on one port, each to its own clients', async () => {
    const other = await labImage(images, { megabytes: 4, seed: 2, name: 'other.dmg' })
    await using real = await realStreamServer()
    const port = await freePort()
    await real.server.start(sessionSettings({ source: image.path, configuration: { port } }))
    await real.server.start(sessionSettings({ source: other.path, name: 'other', configuration: { port } }))
    await reaches('waiting', real, 'lab')
    await reaches('waiting', real, 'other')
    const received = await Promise.all(
      ['lab', 'other'].map(async (session) => {
        await using stream = await lookAtSession(real.server, port, { session })
        const { file, reception } = receiveToMemory(stream)
        await reception.complete
        await reception.finish('done', '')
        return file
      }),
    )
    expect(received.map((file, index) => isImage(file, index === 0 ? image : other))).toEqual([true, true])
    await expect(
      real.server.start(sessionSettings({ source: other.path, name: 'other', configuration: { port } })),
    ).rejects.toMatchObject({ code: 'E_USAGE', details: { input: 'name' } })
  })

  it('offers one session of a name, however its accents are written', async () => {
    await using real = await realStreamServer()
    const port = await freePort()
    const typed = 'Übungsraum'.normalize('NFC')
    const start = (name: string) =>
      real.server.start(sessionSettings({ source: image.path, name, configuration: { port } }))
    await start(typed.normalize('NFD'))
    await reaches('waiting', real, typed)
    await expect(start(typed)).rejects.toMatchObject({ details: { input: 'name' } })
    await using stream = await lookAtSession(real.server, port, { session: typed })
    expect(stream.info.session).toBe(typed)
  })

  it('gives clients that name no session the first in order, also where that was said while it was prepared', async () => {
    const other = await labImage(images, { megabytes: 4, seed: 2, name: 'other.dmg' })
    await using real = await realStreamServer()
    const port = await freePort()
    const first = await real.server.start(sessionSettings({ source: image.path, configuration: { port } }))
    await reaches('waiting', real, 'lab')
    const second = await real.server.start(
      sessionSettings({ source: other.path, name: 'other', configuration: { port } }),
    )
    expect(real.state('other')?.phase).toBe('preparing')
    await expect(real.server.startNow(second.sessionId)).rejects.toMatchObject({
      code: 'E_USAGE',
      message: 'The session is still reading its source.',
    })
    await real.server.setPrecedence([second.sessionId])
    await reaches('waiting', real, 'other')
    const given = async () => {
      await using stream = await lookAtSession(real.server, port)
      return stream.info.session
    }
    expect(await given()).toBe('other')
    await real.server.setPrecedence([first.sessionId, second.sessionId])
    expect(await given()).toBe('lab')
    expect(real.server.states().map(({ settings }) => settings.name)).toEqual(['lab', 'other'])
  })

  it('sends lap after lap where no word comes back, and rests when nobody is there', async () => {
    await using real = await realStreamServer()
    const port = await freePort()
    const settings = sessionSettings({
      source: image.path,
      feedback: 'one-way',
      configuration: { port, loopSuspend: 2 },
    })
    const { sessionId } = await real.server.start(settings)
    await reaches('waiting', real)
    {
      await using stream = await lookAtSession(real.server, port)
      const { file, reception } = receiveToMemory(stream)
      await reception.complete
      expect(isImage(file)).toBe(true)
      await expect.poll(() => real.state()?.lap).toBeGreaterThan(1)
      await reception.finish('done', '')
    }
    await reaches('quiet', real)
    await real.server.stop(sessionId, 'now')
  })

  it('ends when everyone has finished, if told so', async () => {
    await using real = await realStreamServer()
    const port = await freePort()
    const { sessionId } = await real.server.start(
      sessionSettings({ source: image.path, configuration: { port } }),
    )
    await reaches('waiting', real)
    await using stream = await lookAtSession(real.server, port)
    const { reception } = receiveToMemory(stream)
    await expect.poll(() => real.state()?.clients.length).toBe(1)
    await real.server.stop(sessionId, 'when-finished')
    expect(real.state()?.phase).not.toBe('ended')
    await reception.complete
    await reception.finish('done', '')
    await reaches('ended', real)
  })

  it('waits for as many clients as it is told, or starts when somebody says so', async () => {
    await using real = await realStreamServer()
    const port = await freePort()
    const start = { clients: 5, afterLastJoinMs: null }
    const { sessionId } = await real.server.start(
      sessionSettings({ source: image.path, start, configuration: { port } }),
    )
    await reaches('waiting', real)
    await using stream = await lookAtSession(real.server, port)
    const { file, reception } = receiveToMemory(stream)
    await expect.poll(() => real.state()?.clients.map(({ state }) => state)).toEqual(['joined'])
    expect(real.state()).toMatchObject({ phase: 'waiting', wanted: 5 })
    await real.server.startNow(sessionId)
    await reception.complete
    expect(isImage(file)).toBe(true)
    await reception.finish('done', '')
  })

  it('goes at another rate from one moment to the next', async () => {
    await using real = await realStreamServer()
    const port = await freePort()
    const { sessionId } = await real.server.start(
      sessionSettings({ source: image.path, configuration: { port, dataRate: 100_000 } }),
    )
    await reaches('waiting', real)
    await using stream = await lookAtSession(real.server, port)
    const { file, reception } = receiveToMemory(stream)
    await reaches('streaming', real)
    // At the first rate it would take a minute.
    await real.server.setRate(sessionId, { dataRate: 60_000_000, clientDataRate: 1_000_000 })
    await reception.complete
    expect(isImage(file)).toBe(true)
    await expect
      .poll(() => real.state()?.settings.configuration)
      .toMatchObject({ dataRate: 60_000_000, clientDataRate: 1_000_000 })
    await reception.finish('done', '')
    await expect(real.server.setRate(sessionId, { dataRate: 1, clientDataRate: null })).rejects.toMatchObject(
      {
        code: 'E_USAGE',
      },
    )
  })

  it('sends one client away', async () => {
    await using real = await realStreamServer()
    const port = await freePort()
    const { sessionId } = await real.server.start(
      sessionSettings({ source: image.path, configuration: { port, dataRate: 200_000 } }),
    )
    await reaches('waiting', real)
    await using stream = await lookAtSession(real.server, port)
    const { reception } = receiveToMemory(stream)
    const failed = reception.complete.catch((error: unknown) => error)
    await expect.poll(() => real.state()?.clients.length).toBe(1)
    const [client] = real.state()?.clients ?? []
    await real.server.disconnect(sessionId, client?.clientId ?? '')
    expect(await failed).toMatchObject({ code: 'E_MC_ENDED' })
    await expect.poll(() => real.state()?.clients.map(({ state }) => state)).toEqual(['disconnected'])
    await expect(real.server.disconnect(sessionId, '00')).rejects.toMatchObject({ code: 'E_USAGE' })
  })

  it('tells once of a computer whose client was killed and started again', async () => {
    await using real = await realStreamServer()
    const port = await freePort()
    await real.server.start(
      sessionSettings({ source: image.path, configuration: { port, dataRate: 200_000 } }),
    )
    await reaches('waiting', real)
    const fingerprint = real.server.fingerprint
    const locator = { host: '127.0.0.1', port, session: null, fingerprint }
    const clients = () => real.state()?.clients.map(({ clientId, state }) => [clientId.slice(0, 2), state])
    for (const id of [7, 8]) {
      const clientId = new Uint8Array(16).fill(id)
      const { signal } = new AbortController()
      const entered = await enterSession({ locator, purpose: 'join', password: null, clientId, signal })
      await expect.poll(clients).toEqual([[`0${id}`, 'missing']])
      entered.control.destroy()
      await expect.poll(clients).toEqual([[`0${id}`, 'lost']])
    }
  })

  it('is starting as long as who joined has asked for nothing, though it tells of itself meanwhile', async () => {
    await using real = await realStreamServer()
    const port = await freePort()
    await real.server.start(sessionSettings({ source: image.path, configuration: { port } }))
    await reaches('waiting', real)
    const locator = { host: '127.0.0.1', port, session: null, fingerprint: real.server.fingerprint }
    const { signal } = new AbortController()
    const clientId = new Uint8Array(16).fill(7)
    const entered = await enterSession({ locator, purpose: 'join', password: null, clientId, signal })
    await reaches('quiet', real)
    await expect.poll(() => real.state()?.sentBytes).toBeGreaterThan(0)
    const state = real.state()
    expect(state && isStarting(state)).toBe(true)
    entered.control.destroy()
  })

  it('keeps its fingerprint and the list of hashes over a restart', async () => {
    await using folder = await temporaryFolder()
    const port = await freePort()
    const settings = sessionSettings({ source: image.path, configuration: { port } })
    const run = async () => {
      await using real = await realStreamServer({ in: folder })
      await real.server.start(settings)
      await reaches('waiting', real)
      return real.server.fingerprint
    }
    const fingerprint = await run()
    const lists = join(folder.path, 'hashes')
    const [name = ''] = await readdir(lists)
    // A list that was used isn't written again: what stands in it is believed.
    const list = readFileSync(join(lists, name))
    await utimes(join(lists, name), 1, 1)
    expect(await run()).toBe(fingerprint)
    expect((await stat(join(lists, name))).mtimeMs).toBeGreaterThan(1000)
    // One that doesn't add up isn't.
    list[60] = (list[60] ?? 0) ^ 1
    await writeFile(join(lists, name), list)
    await run()
    expect(Buffer.compare(readFileSync(join(lists, name)), list)).not.toBe(0)
  })

  it('fails a session whose image is changed under it, and says so to its clients', async () => {
    const path = join(images.path, 'changing.dmg')
    await copyFile(image.path, path)
    await using real = await realStreamServer()
    const port = await freePort()
    await real.server.start(sessionSettings({ source: path, configuration: { port } }))
    await reaches('waiting', real)
    const bytes = Buffer.from(image.bytes)
    bytes.fill(0x55, 0, bytes.length / 2)
    await writeFile(path, bytes)
    await using stream = await lookAtSession(real.server, port)
    const { count } = receiveToMemory(stream)
    await expect.poll(() => real.state()?.warnings.map(({ code }) => code)).toContain('E_SRC_CHANGED')
    // What was changed is never sent.
    expect(count()).toBe(0)
  })

  it('has a client that fetches wait while its image cannot be read for a moment', async () => {
    const path = join(images.path, 'away.dmg')
    await copyFile(image.path, path)
    await using real = await realStreamServer()
    const port = await freePort()
    await real.server.start(sessionSettings({ source: path, configuration: { port } }))
    await reaches('waiting', real)
    await using stream = await lookAtSession(real.server, port)
    await truncate(path, 0)
    const fetched = stream.fetchBlock(1)
    await setTimeout(1500)
    await writeFile(path, image.bytes)
    expect(Buffer.compare(await fetched, image.bytes.subarray(2 ** 20, 2 ** 21))).toBe(0)
  })

  it('sends a client that fetches its block no faster than the Data Rate', async () => {
    await using real = await realStreamServer()
    const port = await freePort()
    const configuration = { port, dataRate: 1_000_000 }
    await real.server.start(sessionSettings({ source: image.path, configuration }))
    await reaches('waiting', real)
    await using stream = await lookAtSession(real.server, port)
    const sinceMs = performance.now()
    const bytes = await stream.fetchBlock(1)
    expect(Buffer.compare(bytes, image.bytes.subarray(2 ** 20, 2 ** 21))).toBe(0)
    expect(performance.now() - sinceMs).toBeGreaterThan(900)
  })

  it('forgets sessions that ended long ago, when another is started', async () => {
    await using real = await realStreamServer()
    const port = await freePort()
    const start = (name: string) =>
      real.server.start(sessionSettings({ source: image.path, name, configuration: { port } }))
    await start('stays')
    for (let count = 0; count < 102; count++) {
      const { sessionId } = await start(`session ${count}`)
      await real.server.stop(sessionId, 'now')
    }
    await start('last')
    const names = real.server.states().map(({ settings }) => settings.name)
    expect(names).toHaveLength(102)
    expect([names[0], names[1], names.at(-1)]).toEqual(['stays', 'session 2', 'last'])
  })

  it('goes on with one session while the source of another does not answer', async () => {
    const web = createHttpServer((request, response) => {
      const { length } = image.bytes
      const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? []
      const first = Number(from ?? 0)
      const last = to === undefined || to === '' ? length - 1 : Math.min(Number(to), length - 1)
      const headers = {
        etag: '"1"',
        'content-range': `bytes ${first}-${last}/${length}`,
        'content-length': last - first + 1,
      }
      if (!isSilent) response.writeHead(206, headers).end(image.bytes.subarray(first, last + 1))
    })
    let isSilent = false
    await new Promise<void>((resolve) => {
      web.listen(0, '127.0.0.1', resolve)
    })
    try {
      const address = web.address()
      const webPort = typeof address === 'object' && address !== null ? address.port : 0
      await using real = await realStreamServer()
      const port = await freePort()
      const source = `http://127.0.0.1:${webPort}/lab.dmg`
      await real.server.start(sessionSettings({ source, name: 'slow', configuration: { port } }))
      await real.server.start(sessionSettings({ source: image.path, configuration: { port } }))
      await reaches('waiting', real, 'slow')
      await reaches('waiting', real, 'lab')
      isSilent = true
      await using stuck = await lookAtSession(real.server, port, { session: 'slow' })
      const waiting = receiveToMemory(stuck)
      waiting.reception.complete.catch(() => undefined)
      await reaches('streaming', real, 'slow')
      await using stream = await lookAtSession(real.server, port, { session: 'lab' })
      const { file, reception } = receiveToMemory(stream)
      await reception.complete
      expect(isImage(file)).toBe(true)
      expect(waiting.count()).toBe(0)
      await reception.finish('done', '')
    } finally {
      web.closeAllConnections()
      web.close()
    }
  })

  it('tells clients to wait while it still reads the source', async () => {
    const gate = Promise.withResolvers<void>()
    await using web = await startWebServer((request, response) => {
      const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? []
      const middle = image.bytes.length / 2
      const isMiddle = Number(from ?? 0) <= middle && middle <= Number(to || image.bytes.length)
      // Whoever looks what it is reads its ends.
      void (isMiddle ? gate.promise : Promise.resolve()).then(() =>
        serveFile(request, response, { bytes: image.bytes, etag: '"1"' }),
      )
    })
    await using real = await realStreamServer()
    const port = await freePort()
    const look = async (session?: string) => {
      await using stream = await lookAtSession(real.server, port, session === undefined ? {} : { session })
      return stream.info.session
    }
    await real.server.start(sessionSettings({ source: `${web.url}/lab.dmg`, configuration: { port } }))
    for (const session of ['lab', undefined])
      await expect(look(session)).rejects.toMatchObject({
        code: 'E_MC_REFUSED',
        transient: true,
        details: { reason: 'preparing' },
      })
    await expect(look('nowhere')).rejects.toMatchObject({ code: 'E_MC_NOSESSION' })
    gate.resolve()
    await reaches('waiting', real)
    expect(await look('lab')).toBe('lab')
  })

  it('waits for a web server that is away for nine seconds, and says so', async () => {
    await using web = await startWebServer((request, response) =>
      serveFile(request, response, { bytes: image.bytes, etag: '"1"' }),
    )
    await using real = await realStreamServer()
    const port = await freePort()
    const source = `${web.url}/lab.dmg`
    await real.server.start(sessionSettings({ source, configuration: { port } }))
    await reaches('waiting', real)
    await using stream = await lookAtSession(real.server, port)
    await web.goAway()
    const awayMs = performance.now()
    const { file, reception } = receiveToMemory(stream)
    const warnings = () => real.state()?.warnings.map(({ code, details }) => [code, details['errno']])
    await expect.poll(warnings, { timeout: 20_000 }).toEqual([['E_NET', 'ECONNREFUSED']])
    await setTimeout(9000 - (performance.now() - awayMs))
    expect(real.state()?.phase).toBe('streaming')
    // The network is all right, and the client knows.
    expect(reception.progress().state).toBe('receiving')
    await web.comeBack()
    await reception.complete
    expect(isImage(file)).toBe(true)
    expect(warnings()).toEqual([])
    await reception.finish('done', '')
  })

  it('streams an image from a web server that asks for a password', async () => {
    const authorization = `Basic ${Buffer.from('anna:secret').toString('base64')}`
    const web = createHttpServer((request, response) => {
      if (request.headers.authorization !== authorization) {
        response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end()
        return
      }
      const { length } = image.bytes
      const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? []
      const first = Number(from ?? 0)
      const last = to === undefined || to === '' ? length - 1 : Math.min(Number(to), length - 1)
      response.writeHead(206, {
        etag: '"1"',
        'content-range': `bytes ${first}-${last}/${length}`,
        'content-length': last - first + 1,
      })
      response.end(image.bytes.subarray(first, last + 1))
    })
    await new Promise<void>((resolve) => {
      web.listen(0, '127.0.0.1', resolve)
    })
    try {
      const address = web.address()
      const webPort = typeof address === 'object' && address !== null ? address.port : 0
      await using real = await realStreamServer()
      const port = await freePort()
      const source = `http://anna:secret@127.0.0.1:${webPort}/lab.dmg`
      await real.server.start(sessionSettings({ source, configuration: { port } }))
      await reaches('waiting', real)
      expect(JSON.stringify(real.state())).not.toContain('secret')
      await using stream = await lookAtSession(real.server, port)
      const { file, reception } = receiveToMemory(stream)
      await reception.complete
      expect(isImage(file)).toBe(true)
      await reception.finish('done', '')
    } finally {
      web.close()
      web.closeAllConnections()
    }
  })
})

describe('a port', () => {
  it('is free at once when its last session is over, though that is still told of', async () => {
    await using first = await realStreamServer()
    await using second = await realStreamServer()
    const port = await freePort()
    const settings = sessionSettings({ source: image.path, configuration: { port } })
    const { sessionId } = await first.server.start(settings)
    await reaches('waiting', first)
    await first.server.stop(sessionId, 'now')
    await checkPort(port)
    await second.server.start(settings)
    await reaches('waiting', second)
    await using stream = await lookAtSession(second.server, port)
    expect(stream.sizeBytes).toBe(image.bytes.length)
    expect(first.state()?.phase).toBe('ended')
  })

  it('is free while the word that its session is over is still repeated, until the server ends', async () => {
    await using real = await realStreamServer()
    const port = await freePort()
    const settings = sessionSettings({ source: image.path, configuration: { port } })
    const { group } = settings.configuration
    const heard: number[] = []
    const socket = createSocket({ type: 'udp4', reuseAddr: true })
    await new Promise<void>((resolve) => socket.bind(port, group, resolve))
    socket.addMembership(group, '127.0.0.1')
    socket.on('message', (bytes) => heard.push(bytes[5] ?? -1))
    try {
      const { sessionId } = await real.server.start(settings)
      await reaches('waiting', real)
      await real.server.stop(sessionId, 'now')
      await checkPort(port)
      const ended = 3
      await expect.poll(() => heard.filter((state) => state === ended).length).toBeGreaterThanOrEqual(5)
    } finally {
      socket.close()
    }
  })

  it('can be used by the next session while the last one still says farewell', async () => {
    await using real = await realStreamServer()
    const port = await freePort()
    const settings = sessionSettings({ source: image.path, configuration: { port } })
    for (let count = 0; count < 3; count++) {
      const { sessionId } = await real.server.start(settings)
      await expect.poll(() => real.server.states().at(-1)?.phase).toBe('waiting')
      await real.server.stop(sessionId, 'now')
      await real.server.stop(sessionId, 'now').catch(() => undefined)
    }
    await real.server.start(settings)
    await expect.poll(() => real.server.states().at(-1)?.phase).toBe('waiting')
    await using stream = await lookAtSession(real.server, port)
    expect(stream.sizeBytes).toBe(image.bytes.length)
  })

  it('belongs to nobody after a session was stopped before it was ready', async () => {
    await using first = await realStreamServer()
    await using second = await realStreamServer()
    const port = await freePort()
    const settings = sessionSettings({ source: image.path, configuration: { port } })
    const { sessionId } = await first.server.start(settings)
    await first.server.stop(sessionId, 'now')
    await expect.poll(() => first.state()?.phase).toBe('ended')
    await expect
      .poll(() =>
        second.server.start(settings).then(
          () => true,
          () => false,
        ),
      )
      .toBe(true)
  })
})

describe('what stands against a session', () => {
  it.each([
    ['an interface that is none', { interface: 'nosuch0' }, {}, 'E_MC_IFACE'],
    ['an address that is none', {}, { group: '224.0.0.251' }, 'E_MC_ADDR'],
    ['a rate that is none', {}, { dataRate: 12 }, 'E_USAGE'],
    ['a name that is none', { name: '' }, {}, 'E_USAGE'],
    ['a rule that is none', { admission: ['10.0.0.1-'] }, {}, 'E_USAGE'],
    ['a source that is none', { source: '/nosuch.dmg' }, {}, 'E_NOT_FOUND'],
  ])('is %s', async (_, change, configuration, code) => {
    await using real = await realStreamServer()
    const settings = sessionSettings({
      source: image.path,
      ...change,
      configuration: { port: await freePort(), ...configuration },
    })
    await expect(real.server.start(settings)).rejects.toMatchObject({ code })
    expect(real.server.states()).toEqual([])
  })

  it('is an image that only another program scanned: its blocks have no hashes', async () => {
    await using real = await realStreamServer()
    const run = { kind: 'raw', sectors: 8, data: new Uint8Array(4096).fill(7) } as const
    const source = await images.write('by-asr.dmg', buildUdif({ tables: [{ runs: [run] }] }).bytes)
    const settings = sessionSettings({ source, configuration: { port: await freePort() } })
    const refusal = { code: 'E_SRC_NOSCAN', details: { path: source, scanned: 'by-another' } }
    await expect(real.server.start(settings)).rejects.toMatchObject(refusal)
    expect(real.server.states()).toEqual([])
    const never = new AbortController().signal
    expect(await checkSource(settings, never)).toMatchObject({ state: 'failed', error: refusal })
    // What it is told to do helps.
    await scanImage({ path: source, reorder: true, allowFragmentedCatalog: false }, quietContext(), {
      scannedBy: 'Reprise',
    })
    expect(await checkSource(settings, never)).toMatchObject({ state: 'ok' })
  })

  it('is a device that is larger than a stream can be, unless an image is made of it', async () => {
    const source = '/dev/large'
    const sizeBytes = 4e12
    const name = { imageName: 'large', imageFormat: 'UDZO' }
    const examineDevice = ({ compression }: { readonly compression: StreamCompression | null }) =>
      Promise.resolve({
        ...name,
        sizeBytes,
        streamBytes: compression === 'none' ? sizeBytes : null,
        warnings: [],
        prepare: () =>
          Promise.resolve({
            ...name,
            bytes: {
              kind: 'device',
              locator: image.path,
              stamp: null,
              sizeBytes: image.bytes.length,
            } as const,
            identity: null,
          }),
      })
    await using real = await realStreamServer({ examineDevice })
    const settings = sessionSettings({ source, configuration: { port: await freePort() } })
    const refusal = { code: 'E_USAGE', details: { hint: expect.stringContaining('compression') as string } }
    await expect(real.server.start({ ...settings, compression: 'none' })).rejects.toMatchObject(refusal)
    const never = new AbortController().signal
    expect(await checkSource({ ...settings, compression: 'none' }, never, { examineDevice })).toMatchObject({
      state: 'failed',
      error: refusal,
    })
    expect(await checkSource(settings, never, { examineDevice })).toMatchObject({ state: 'ok' })
    await real.server.start(settings)
    await reaches('waiting', real)
    expect(real.state()).toMatchObject({ sizeBytes: image.bytes.length })
  })

  it('is no test packet that stays away, which is told of before anybody is let in', async () => {
    const answer = Promise.withResolvers<never>()
    await using real = await realStreamServer({ sendTestPacket: () => answer.promise })
    const settings = sessionSettings({ source: image.path, configuration: { port: await freePort() } })
    await real.server.start(settings)
    // Its source is read in much less.
    await setTimeout(1000)
    expect(real.state()).toMatchObject({ phase: 'preparing', warnings: [] })
    answer.reject(new NetworkError('E_MC_LOOP', 'none', { details: { address: 'x', phase: 'test' } }))
    await reaches('waiting', real)
    expect(real.state()?.warnings).toMatchObject([{ code: 'E_MC_LOOP' }])
  })

  it('is a port that another program has, which is named', async () => {
    await using first = await realStreamServer()
    await using second = await realStreamServer()
    const port = await freePort()
    const settings = sessionSettings({ source: image.path, configuration: { port } })
    await first.server.start(settings)
    await expect(second.server.start(settings)).rejects.toMatchObject({
      code: 'E_MC_PORT',
      details: { port, errno: 'EADDRINUSE' },
    })
  })
})

describe('the control port', () => {
  it('outlives whoever sends anything at all, and still serves clients', async () => {
    await using real = await realStreamServer()
    const port = await freePort()
    await real.server.start(sessionSettings({ source: image.path, configuration: { port } }))
    await reaches('waiting', real)
    const shout = (bytes: Uint8Array, over: 'tcp' | 'tls') =>
      new Promise<void>((resolve) => {
        const where = { port, host: '127.0.0.1' }
        const socket = over === 'tcp' ? connect(where) : connectTls({ ...where, rejectUnauthorized: false })
        socket.on('error', () => resolve())
        socket.on('close', () => resolve())
        socket.once(over === 'tcp' ? 'connect' : 'secureConnect', () => socket.write(bytes))
        socket.resume()
      })
    const frame = (code: number, length: number) => {
      const bytes = Buffer.alloc(6)
      bytes.writeUInt32BE(length, 0)
      bytes.writeUInt16BE(code, 4)
      return bytes
    }
    const shouts = [
      shout(Buffer.from('GET / HTTP/1.1\r\n\r\n'), 'tcp'),
      shout(Buffer.from('GET / HTTP/1.1\r\n\r\n'), 'tls'),
      shout(Buffer.alloc(100_000, 0xff), 'tls'),
      shout(frame(2, 0xffff_ffff), 'tls'),
      shout(frame(9, 2), 'tls'),
      shout(frame(1, 2), 'tls'),
      shout(Buffer.concat([frame(10, 6), Buffer.alloc(4)]), 'tls'),
    ]
    // More strangers at once than one address may have; those over it are sent away.
    const crowd = Array.from({ length: 80 }, () => connect({ port, host: '127.0.0.1' }))
    for (const socket of crowd) socket.on('error', () => undefined)
    await Promise.all(shouts)
    await expect.poll(() => crowd.filter(({ destroyed }) => destroyed).length).toBeGreaterThan(0)
    for (const socket of crowd) socket.destroy()
    // As soon as the server has noticed that they are gone.
    const mayLook = () =>
      lookAtSession(real.server, port).then(
        async (stream) => {
          await stream[Symbol.asyncDispose]()
          return true
        },
        () => false,
      )
    await expect.poll(mayLook).toBe(true)
    await using stream = await lookAtSession(real.server, port)
    const { file, reception } = receiveToMemory(stream)
    await reception.complete
    expect(isImage(file)).toBe(true)
    await reception.finish('done', '')
  })
})
