import { describe, expect, test } from 'vitest'
import { answerCommand, findSession, type ManagedServer } from '#engine/multicast/management'
import type { ManagementRight } from '#engine/multicast/sessions'
import { UsageError } from '#shared/errors'
import type { SessionSettings, SessionState } from '#shared/model'
import { sessionClient, sessionState } from '#test/session-fixtures'

const all: ManagementRight = { kind: 'all' }
const ofLab: ManagementRight = {
  kind: 'sessions',
  sessions: [{ name: 'lab', sessionId: sessionState('lab').sessionId }],
}

function fakeServer(sessions: readonly SessionState[]) {
  const calls: unknown[] = []
  const call =
    (name: string) =>
    async (...args: unknown[]) => {
      calls.push([name, ...args])
    }
  const server: ManagedServer = {
    sessions: () => sessions,
    async startSession(settings) {
      calls.push(['startSession', settings])
      if (settings.name === 'lab') throw new UsageError('E_USAGE', 'taken', { details: { input: 'name' } })
      return { sessionId: 'new' }
    },
    stopSession: call('stopSession'),
    startNow: call('startNow'),
    setRate: call('setRate'),
    setPrecedence: call('setPrecedence'),
  }
  return { server, calls }
}

const bytes = (text: string) => Uint8Array.from(Buffer.from(text))
const say = async (server: ManagedServer, right: ManagementRight, command: unknown) =>
  JSON.parse(
    Buffer.from(await answerCommand(server, right, bytes(JSON.stringify(command)))).toString(),
  ) as Record<string, unknown>

const { hasPassword: _, ...settingsOfOther } = sessionState('other').settings
const settings: SessionSettings = { ...settingsOfOther, password: 'secret' }
const lab = sessionState('lab', {
  clients: [
    sessionClient(),
    sessionClient({ state: 'lost' }),
    sessionClient({ state: 'done' }),
    sessionClient({ state: 'failed' }),
  ],
})
const sessions = [lab, sessionState('other')]

describe('a command', () => {
  test('lists sessions in their order, with their clients counted', async () => {
    const { server } = fakeServer(sessions)
    const told = await say(server, all, { kind: 'list' })
    expect(told).toMatchObject({
      kind: 'sessions',
      sessions: [
        { settings: { name: 'lab' }, joined: 1, finished: 1 },
        { settings: { name: 'other' }, joined: 0, finished: 0 },
      ],
    })
    expect(JSON.stringify(told)).not.toContain('"clients":[')
  })

  test('tells one session whole, by name or by id', async () => {
    const { server } = fakeServer(sessions)
    const whole = { kind: 'session', session: JSON.parse(JSON.stringify(lab)) as unknown }
    expect(await say(server, all, { kind: 'status', session: 'lab' })).toEqual(whole)
    expect(await say(server, all, { kind: 'status', session: lab.sessionId })).toEqual(whole)
  })

  test('may name it with its accents apart', async () => {
    const name = 'Übungsraum'.normalize('NFC')
    const { server } = fakeServer([sessionState(name)])
    const told = await say(server, all, { kind: 'status', session: name.normalize('NFD') })
    expect(told).toMatchObject({ kind: 'session', session: { settings: { name } } })
  })

  test('is done to the session it names', async () => {
    const { server, calls } = fakeServer(sessions)
    const other = sessions[1]!.sessionId
    const rate = { dataRate: 1000, clientDataRate: null }
    expect(await say(server, all, { kind: 'start', settings })).toEqual({ kind: 'started', sessionId: 'new' })
    for (const command of [
      { kind: 'stop', session: 'other', when: 'when-finished' },
      { kind: 'start-now', session: 'other' },
      { kind: 'set-rate', session: 'other', ...rate },
      { kind: 'precedence', sessions: ['other', 'lab'] },
    ])
      expect(await say(server, all, command)).toEqual({ kind: 'done' })
    expect(calls).toEqual([
      ['startSession', settings],
      ['stopSession', other, 'when-finished'],
      ['startNow', other],
      ['setRate', other, rate],
      ['setPrecedence', [other, lab.sessionId]],
    ])
  })

  test('that fails is answered with why', async () => {
    const { server } = fakeServer(sessions)
    const failed = async (command: unknown) => (await say(server, all, command))['error']
    expect(await failed({ kind: 'start', settings: { ...settings, name: 'lab' } })).toMatchObject({
      code: 'E_USAGE',
      message: 'taken',
    })
    expect(await failed({ kind: 'status', session: 'nowhere' })).toMatchObject({
      code: 'E_MC_NOSESSION',
      details: { session: 'nowhere', known: ['lab', 'other'] },
    })
  })

  test.each([
    ['nothing', ''],
    ['no JSON', '{'],
    ['no UTF-8', '\ud800'],
    ['a list', '[]'],
    ['null', 'null'],
    ['an unknown command', '{"kind":"format"}'],
    ['one member too many', '{"kind":"list","and":1}'],
    ['a member too few', '{"kind":"stop","session":"lab"}'],
    ['a rate of nothing', '{"kind":"set-rate","session":"lab","dataRate":0,"clientDataRate":null}'],
    ['settings that are none', '{"kind":"start","settings":{"__proto__":1}}'],
    ['very deep JSON', `{"kind":${'['.repeat(30_000)}`],
  ])('that is %s is refused', async (what, text) => {
    const { server, calls } = fakeServer(sessions)
    const json = what === 'no UTF-8' ? Uint8Array.of(0x22, 0xff, 0x22) : bytes(text)
    const told = JSON.parse(Buffer.from(await answerCommand(server, all, json)).toString()) as unknown
    expect([told, calls]).toEqual([expect.objectContaining({ kind: 'failed' }), []])
    expect(told).toMatchObject({ error: { code: 'E_USAGE', family: 'usage' } })
  })

  test('whose answer is longer than a message can be is told so', async () => {
    const clients = Array.from({ length: 30_000 }, () => sessionClient())
    const { server } = fakeServer([sessionState('lab', { clients })])
    expect(await say(server, all, { kind: 'status', session: 'lab' })).toMatchObject({ kind: 'failed' })
    expect(await say(server, all, { kind: 'list' })).toMatchObject({ sessions: [{ joined: 30_000 }] })
  })
})

describe("a session's own password", () => {
  test('shows and stops that session', async () => {
    const { server, calls } = fakeServer(sessions)
    expect(await say(server, ofLab, { kind: 'list' })).toMatchObject({
      sessions: [{ settings: { name: 'lab' } }],
    })
    expect(await say(server, ofLab, { kind: 'status', session: 'lab' })).toMatchObject({ kind: 'session' })
    await say(server, ofLab, { kind: 'stop', session: 'lab', when: 'now' })
    expect(calls).toEqual([['stopSession', lab.sessionId, 'now']])
  })

  test("doesn't show or stop another", async () => {
    const { server, calls } = fakeServer(sessions)
    for (const session of ['other', sessions[1]!.sessionId])
      for (const command of [
        { kind: 'status', session },
        { kind: 'stop', session, when: 'now' },
      ])
        expect(await say(server, ofLab, command)).toMatchObject({
          error: { code: 'E_MC_NOSESSION', details: { known: ['lab'] } },
        })
    expect(calls).toEqual([])
  })

  test("doesn't show or stop a later session of that name", async () => {
    const ended = { ...lab, phase: 'ended' } as const
    const { server, calls } = fakeServer([ended, sessionState('lab', { sessionId: 'later' })])
    expect(await say(server, ofLab, { kind: 'list' })).toMatchObject({ sessions: [{ phase: 'ended' }] })
    for (const session of ['lab', 'later']) await say(server, ofLab, { kind: 'stop', session, when: 'now' })
    expect(calls).toEqual([['stopSession', lab.sessionId, 'now']])
  })

  test.each([
    { kind: 'start', settings },
    { kind: 'start-now', session: 'lab' },
    { kind: 'set-rate', session: 'lab', dataRate: 5, clientDataRate: null },
    { kind: 'precedence', sessions: ['lab'] },
  ])('is not enough for $kind', async (command) => {
    const { server, calls } = fakeServer(sessions)
    expect(await say(server, ofLab, command)).toMatchObject({ error: { code: 'E_MC_RIGHTS' } })
    expect(calls).toEqual([])
  })
})

test('of several sessions of one name, that which still runs is meant', () => {
  const ended = sessionState('lab', { sessionId: '1', phase: 'ended' })
  const running = sessionState('lab', { sessionId: '2' })
  expect(findSession([ended, running, { ...ended, sessionId: '3' }], 'lab').sessionId).toBe('2')
  expect(findSession([ended], 'lab').sessionId).toBe('1')
})
