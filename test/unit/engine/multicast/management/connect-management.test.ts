import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  announceServer,
  connectLocalServers,
  connectManagement,
  isUnanswered,
  type ManagedServer,
  type ManagementCommand,
  type ManagementOptions,
  type ManagementTarget,
} from '#engine/multicast/management'
import { NetworkError, UsageError } from '#shared/errors'
import { openManagedPort } from '#test/managed-port'
import { sessionClient, sessionState } from '#test/session-fixtures'

const sessions = [sessionState('lab', { clients: [sessionClient()] })]
const unable = async () => {
  throw new UsageError('E_UNSUPPORTED', 'not in this test', { details: { input: 'x' } })
}
const server: ManagedServer = {
  sessions: () => sessions,
  startSession: unable,
  stopSession: async () => {},
  startNow: () => new Promise(() => {}),
  setRate: unable,
  setPrecedence: unable,
}

async function openPort() {
  const port = await openManagedPort({ server, password: 'right' })
  onTestFinished(() => port[Symbol.asyncDispose]())
  return port
}

async function call(
  target: Omit<ManagementTarget, 'host'>,
  command: ManagementCommand,
  options: Partial<ManagementOptions> = {},
) {
  using management = await connectManagement(
    { host: '127.0.0.1', ...target },
    {
      password: 'right',
      session: null,
      signal: new AbortController().signal,
      ...options,
    },
  )
  return await management.command(command)
}

describe('management over the network', () => {
  test('asks one thing after another over one connection', async () => {
    const { port, fingerprint } = await openPort()
    using management = await connectManagement(
      { host: 'localhost', port, fingerprint },
      { password: 'right', session: null, signal: new AbortController().signal },
    )
    expect(await management.command({ kind: 'list' })).toMatchObject({
      kind: 'sessions',
      sessions: [{ joined: 1, settings: { name: 'lab' } }],
    })
    expect(await management.command({ kind: 'status', session: 'lab' })).toEqual({
      kind: 'session',
      session: sessions[0],
    })
    expect(await management.command({ kind: 'stop', session: 'lab', when: 'now' })).toEqual({ kind: 'done' })
    await expect(management.command({ kind: 'status', session: 'x' })).rejects.toMatchObject({
      code: 'E_MC_NOSESSION',
    })
    await expect(
      management.command({ kind: 'set-rate', session: 'lab', dataRate: 1, clientDataRate: null }),
    ).rejects.toBeInstanceOf(UsageError)
  })

  test('says in words that a command is too long for the server', async () => {
    const { port } = await openPort()
    const { settings } = sessionState('lab')
    const admission = Array.from({ length: 1000 }, (_, index) => `${index}`.padEnd(80, '-'))
    const start = { kind: 'start', settings: { ...settings, password: null, admission } } as const
    const error = await call({ port, fingerprint: null }, start).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(UsageError)
    expect(error).toMatchObject({ code: 'E_USAGE', details: { input: 'admission' } })
    const sessions = Array.from({ length: 256 }, (_, index) => `${index}`.padEnd(255, 'ü'))
    await expect(call({ port, fingerprint: null }, { kind: 'precedence', sessions })).rejects.toMatchObject({
      code: 'E_USAGE',
      details: { input: 'command' },
    })
  })

  test('tells what the server answered from what was never answered', async () => {
    const away = new NetworkError('E_NET', 'its web server is away', {
      details: { address: 'http://h/a.dmg', phase: 'connect' },
    })
    const port = await openManagedPort({
      server: { ...server, setRate: () => Promise.reject(away) },
      password: 'right',
    })
    onTestFinished(() => port[Symbol.asyncDispose]())
    const command = { kind: 'set-rate', session: 'lab', dataRate: 1, clientDataRate: null } as const
    const answered = await call({ ...port, fingerprint: null }, command).catch((thrown: unknown) => thrown)
    expect(answered).toMatchObject({ code: 'E_NET', details: { phase: 'connect' } })
    expect(isUnanswered(answered)).toBe(false)
    const refused = await call({ ...port, fingerprint: null }, command, { password: 'wrong' }).catch(
      (thrown: unknown) => thrown,
    )
    expect(refused).toMatchObject({ code: 'E_MC_PASSWORD' })
    expect(isUnanswered(refused)).toBe(false)
  })

  test('needs the password', async () => {
    const { port } = await openPort()
    for (const password of ['wrong', null])
      await expect(call({ port, fingerprint: null }, { kind: 'list' }, { password })).rejects.toMatchObject({
        code: 'E_MC_PASSWORD',
        details: { given: password !== null },
      })
  })

  test('speaks to no server but the one that is meant', async () => {
    const { port } = await openPort()
    await expect(call({ port, fingerprint: 'ab'.repeat(32) }, { kind: 'list' })).rejects.toMatchObject({
      code: 'E_MC_FINGERPRINT',
    })
  })

  test('says when nobody answers', async () => {
    const port = await openPort()
    await port[Symbol.asyncDispose]()
    await expect(call({ ...port, fingerprint: null }, { kind: 'list' })).rejects.toMatchObject({
      code: 'E_NET',
      details: { errno: 'ECONNREFUSED' },
    })
  })

  test('says that the connection was lost, and can be broken off', async () => {
    const opened = await openPort()
    const never: ManagementCommand = { kind: 'start-now', session: 'lab' }
    const lost = call({ ...opened, fingerprint: null }, never)
    const cutting = setInterval(opened.cut, 20)
    onTestFinished(() => clearInterval(cutting))
    await expect(lost).rejects.toMatchObject({ code: 'E_NET', details: { unanswered: true } })
    clearInterval(cutting)
    const controller = new AbortController()
    const stopped = call({ ...opened, fingerprint: null }, never, { signal: controller.signal })
    controller.abort(new Error('enough'))
    await expect(stopped).rejects.toThrow('enough')
  })
})

describe('the servers of this computer', () => {
  test('are told of once each, however many ports they have, by one that answers', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'reprise-management-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    await writeFile(join(folder, 'management-password'), 'right\n')
    const ports = [await openPort(), await openPort(), await openPort()]
    for (const { port, fingerprint } of ports)
      await announceServer(folder, { address: '127.0.0.1', port, fingerprint })
    const lists = async () => {
      const found = await connectLocalServers(folder, new AbortController().signal)
      const answers = await Promise.all(found.map((each) => each.command({ kind: 'list' })))
      for (const each of found) each[Symbol.dispose]()
      return answers
    }
    expect(await lists()).toMatchObject([{ sessions: [{ settings: { name: 'lab' } }] }])
    await ports.toSorted((a, b) => a.port - b.port)[0]?.[Symbol.asyncDispose]()
    expect(await lists()).toHaveLength(1)
  })
})
