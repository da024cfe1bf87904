import { describe, expect, it } from 'vitest'
import { parseStreamLocator } from '#shared/model'
import { checkSettings } from '#src/main/engine/multicast/server/check-settings.ts'
import { ClientLog } from '#src/main/engine/multicast/server/client-log.ts'
import { isOver, stateOf, type SessionEntry } from '#src/main/engine/multicast/server/session-entry.ts'
import { idleThread } from '#test/idle-thread'
import { sessionSettings } from '#test/real-stream-server'

const configuration = { port: 7800 }
const settings = sessionSettings({ source: '/lab.dmg', configuration })

describe('settings of a session', () => {
  it('are taken when nothing is wrong with them', () => {
    expect(() => checkSettings(settings)).not.toThrow()
    const all = { ...configuration, clientDataRate: 1, loopSuspend: 2, ttl: 255, dataRate: 10_000 }
    expect(() =>
      checkSettings(
        sessionSettings({ source: '/a', configuration: all, admission: ['10.0.0.0/8', '!lab-*'] }),
      ),
    ).not.toThrow()
  })

  it.each([
    ['name', { name: 'x'.repeat(64) }, {}],
    ['name', { name: 'a\u202Eb' }, {}],
    ['admission', { admission: ['10.0.0.0/64'] }, {}],
    ['dataRate', {}, { dataRate: 9999 }],
    ['dataRate', {}, { dataRate: Number.NaN }],
    ['clientDataRate', {}, { clientDataRate: 0 }],
    ['ttl', {}, { ttl: 0 }],
    ['ttl', {}, { ttl: 256 }],
    ['port', {}, { port: 0 }],
    ['loopSuspend', {}, { loopSuspend: -1 }],
  ])('are refused for their %s: %j %j', (input, change, wrong) => {
    const wanted = sessionSettings({ source: '/a', ...change, configuration: { ...configuration, ...wrong } })
    expect(() => checkSettings(wanted)).toThrow(
      expect.objectContaining({ details: expect.objectContaining({ input }) }),
    )
  })
})

describe('the name of a session', () => {
  it.each([
    ['', 'A session needs a name.'],
    ['x'.repeat(64), 'That name has 64 characters.'],
    ['lab\n2', 'Character 4 of that name is a line break (U+000A).'],
    ['\u001b[31mlab', 'Character 1 of that name is the start of a terminal command (U+001B).'],
    ['\u{1F600}\u0007', "Character 2 of that name is a character that can't be seen (U+0007)."],
    ['a\u202Eb', 'Character 2 of that name is a mark that turns writing around (U+202E).'],
    ['a\u2028b', "Character 2 of that name is a character that can't be seen (U+2028)."],
    ['a\uD800', "Character 2 of that name is a character that can't be seen (U+D800)."],
  ])('%j is refused with what is wrong with it', (name, problem) => {
    const hint = 'It has 1 to 63 characters: letters, digits, spaces and signs, in any script.'
    expect(() => checkSettings({ ...settings, name })).toThrow(
      expect.objectContaining({ details: { input: 'name', problem, hint } }),
    )
  })

  it('is refused where it could not be announced whole', () => {
    const problem = 'That name has 248 bytes of UTF-8.'
    expect(() => checkSettings({ ...settings, name: '\u{1F600}'.repeat(62) })).toThrow(
      expect.objectContaining({ details: { input: 'name', problem, hint: 'It has 247 at most.' } }),
    )
  })

  it.each(['Lab 2', 'Übungsraum', '教室', '\u{1F600}'.repeat(61)])('%s is one', (name) => {
    expect(() => checkSettings({ ...settings, name })).not.toThrow()
  })
})

describe('what is told of a session', () => {
  const entry = (change: Partial<SessionEntry>): SessionEntry => ({
    sessionId: 'ab'.repeat(16),
    settings,
    interface: {
      name: 'eth0',
      address: '10.0.0.1',
      mtu: 1500,
      linkBitsPerSecond: null,
      isDefault: true,
      isUp: true,
    },
    createdMs: 5,
    source: null,
    imageName: 'lab.dmg',
    sizeBytes: 3 * 2 ** 20 + 1,
    blockBytes: 2 ** 20,
    abort: new AbortController(),
    lease: { thread: idleThread(), release: () => Promise.resolve() },
    opened: null,
    warnings: [],
    doneBytes: 7,
    totalBytes: 9,
    leavingPort: null,
    isServed: false,
    givingBack: null,
    live: null,
    clientLog: new ClientLog(),
    ended: null,
    preparing: Promise.resolve(),
    ...change,
  })

  describe('whose TTL and rate are doubtful', () => {
    const warned = (change: Partial<SessionEntry>, dataRate = 7_000_000, ttl = 1) => {
      const slow = { ...entry({}).interface, linkBitsPerSecond: 1e8 }
      const doubtful = sessionSettings({ source: '/lab.dmg', configuration: { port: 7800, dataRate, ttl } })
      return stateOf(entry({ interface: slow, settings: doubtful, ...change }), 'ff').warnings.map(
        ({ code }) => code,
      )
    }

    it('is that, also where nobody checked the network before', () => {
      expect(warned({}, 6_000_000, 3)).toEqual([])
      expect(warned({})).toEqual(['E_MC_RATE', 'E_MC_TTL'])
    })

    it('is that no longer when it is over', () => {
      expect(warned({ ended: { phase: 'ended', atMs: 1, error: null } })).toEqual([])
    })
  })

  it('is that it is being prepared, until it is served or has failed', () => {
    expect(stateOf(entry({}), 'ff')).toMatchObject({
      phase: 'preparing',
      blocks: 4,
      preparing: { doneBytes: 7, totalBytes: 9 },
      fingerprint: 'ff',
    })
    const ended = { phase: 'failed', atMs: 9, error: null } as const
    expect(stateOf(entry({ ended }), 'ff')).toMatchObject({ phase: 'failed', preparing: null, endedMs: 9 })
    expect([isOver(entry({})), isOver(entry({ ended }))]).toEqual([false, true])
  })

  it('says where it is sent from by now', () => {
    const live = { address: '10.0.0.9' } as SessionEntry['live']
    const state = stateOf(entry({ live }), 'ab'.repeat(32))
    expect(state.address).toBe('10.0.0.9')
    expect(state.locator).toContain('asr://10.0.0.9')
    expect(state.command).toContain('asr://10.0.0.9')
  })

  it('holds no password, and a command that a shell takes as it is meant', () => {
    const secret = sessionSettings({
      source: 'https://anna:secret@images.example/lab.dmg',
      name: "Anna's lab; rm -rf / $(x) `y`",
      password: 'secret',
      configuration,
    })
    const state = stateOf(entry({ settings: secret }), 'ab'.repeat(32))
    expect(JSON.stringify(state)).not.toContain('secret')
    expect(state.settings.hasPassword).toBe(true)
    const [, quoted = '', rest] = /^reprise restore --source '([^']*)' (.*)$/.exec(state.command) ?? []
    expect(rest).toBe('--target TARGET --erase')
    expect(parseStreamLocator(quoted)).toEqual({
      host: '10.0.0.1',
      port: 7800,
      session: secret.name,
      fingerprint: 'ab'.repeat(32),
    })
  })
})
