import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { ElectronDouble } from '#test/electron-double'
import { aJob, aPlan, engineDouble } from '#test/engine-double'
import { aClient, aSession, withStream } from '#test/stream-fixtures'
import { menuCommands, type ServerFrame } from '#shared/contract'
import type { JobPhase, JobState, SessionClient } from '#shared/model'
import { startApp } from '#src/main/app/start-app.ts'

let data: string
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'reprise-app-'))
  process.env['REPRISE_DATA'] = data
})
afterEach(() => {
  delete process.env['REPRISE_DATA']
  rmSync(data, { recursive: true, force: true })
})
const soon = (ms = 10) => new Promise((resolve) => setTimeout(resolve, ms))

const page = new Map([
  ['/', { type: 'text/html; charset=utf-8', bytes: Buffer.from('<title>page</title>'), immutable: false }],
])

async function start(electron = new ElectronDouble(), more: { stopMs?: number } = {}) {
  const engine = engineDouble({ 'job.cancel': async ({ jobId }) => aJob({ jobId, stopping: true }) })
  let disposed = 0
  await startApp({
    electron: electron.modules,
    preload: '/preload.cjs',
    readPage: async () => page,
    createEngine: () => ({
      ...engine.engine,
      async [Symbol.asyncDispose]() {
        disposed += 1
      },
    }),
    ...more,
  })
  const window = electron.windows[0]
  return { electron, engine, window: window!, disposed: () => disposed }
}

describe('the window', () => {
  test('is sandboxed, isolated and has no Node', async () => {
    const { electron, window } = await start()
    expect(electron.app.calls[0]).toEqual(['enableSandbox'])
    expect(window.options['webPreferences']).toEqual({
      preload: '/preload.cjs',
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      webviewTag: false,
      webSecurity: true,
      spellcheck: false,
      devTools: false,
    })
    expect(window.options).toMatchObject({
      width: 980,
      height: 640,
      minWidth: 860,
      minHeight: 560,
      useContentSize: true,
      show: false,
    })
    expect(window.calls).toEqual([['loadURL', 'app://bundle/'], ['show']])
  })

  test('opens where it was', async () => {
    const first = await start()
    first.window.close()
    await first.electron.app.ended.promise
    expect(JSON.parse(readFileSync(join(data, 'window.json'), 'utf8'))).toEqual({
      bounds: { x: 10, y: 20, width: 1000, height: 700 },
      maximized: false,
    })
    const { window } = await start()
    // What was remembered is with the frame, which the sizes that it is made with don't count.
    expect(window.options).toMatchObject({ x: 10, y: 20, useContentSize: true, minWidth: 860 })
    expect(window.calls[0]).toEqual(['setBounds', { x: 10, y: 20, width: 1000, height: 700 }])
  })

  test('loads its page from the app’s own scheme, with a policy, and nothing else is there', async () => {
    const { electron } = await start()
    expect(electron.schemes).toMatchObject([{ scheme: 'app', privileges: { standard: true, secure: true } }])
    // Electron takes schemes only before it is ready.
    const get = async (url: string, method = 'GET') => electron.protocols.get('app')!({ url, method })
    const answer = await get('app://bundle/')
    expect(await answer.text()).toBe('<title>page</title>')
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'")
    for (const url of [
      'app://bundle/../etc/passwd',
      'app://other/',
      'app://bundle/index.html',
      'app:bundle',
      'x',
    ])
      expect((await get(url)).status).toBe(404)
    expect((await get('app://bundle/', 'POST')).status).toBe(404)
  })

  test('cannot be led elsewhere, opened twice or given a webview', async () => {
    const { electron, window } = await start()
    const { webContents } = window
    const prevented = (event: string, details: object = {}) => {
      let was = false
      webContents.emit(event, { preventDefault: () => (was = true), ...details })
      return was
    }
    expect(prevented('will-navigate', { url: 'https://evil.example/' })).toBe(true)
    expect(prevented('will-navigate', { url: 'file:///etc/passwd' })).toBe(true)
    expect(prevented('will-navigate', { url: 'app://bundle/' })).toBe(false)
    expect(prevented('will-frame-navigate', { url: 'app://bundle/', isMainFrame: false })).toBe(true)
    expect(prevented('will-redirect')).toBe(true)
    expect(prevented('will-attach-webview')).toBe(true)
    for (const url of ['https://evil.example/', 'app://bundle/', 'app://bundle/other#log'])
      expect(webContents.windowOpen?.({ url })).toEqual({ action: 'deny' })
    expect(electron.windows).toEqual([window])
  })

  test('gives the log a window of its own, once, which is as little trusted', async () => {
    const { electron, window } = await start()
    const openLog = () => window.webContents.windowOpen?.({ url: 'app://bundle/#log' })
    expect(openLog()).toEqual({ action: 'deny' })
    const log = electron.windows[1]!
    expect(log.webContents.url).toBe('app://bundle/#log')
    expect(log.options['webPreferences']).toEqual(window.options['webPreferences'])
    expect(log.webContents.windowOpen?.({ url: 'https://evil.example/' })).toEqual({ action: 'deny' })
    openLog()
    expect(electron.windows).toHaveLength(2)
    expect(log.calls.at(-1)).toEqual(['focus'])
    expect(log.close()).toBe(true)
    openLog()
    expect(electron.windows).toHaveLength(2)
    expect(electron.windows[1]).not.toBe(log)
  })

  test('takes the window of the log along when it is closed', async () => {
    const { electron, window } = await start()
    window.webContents.windowOpen?.({ url: 'app://bundle/#log' })
    window.close()
    await electron.app.ended.promise
    expect(electron.windows).toEqual([])
  })

  test('loads its page again when that crashed, but not one that crashes again and again', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    try {
      const { window } = await start()
      const loaded = () => window.calls.filter(([name]) => name === 'loadURL').length
      const crash = async (reason: string) => {
        window.webContents.emit('render-process-gone', {}, { reason, exitCode: 1 })
        await soon()
      }
      await crash('clean-exit')
      expect(loaded()).toBe(1)
      await crash('oom')
      expect(loaded()).toBe(2)
      for (let round = 0; round < 5; round++) await crash('crashed')
      expect(loaded()).toBe(4)
      vi.setSystemTime(Date.now() + 60_000)
      await crash('crashed')
      expect(loaded()).toBe(5)
    } finally {
      vi.useRealTimers()
    }
  })

  test('that was closed when its page crashed stays closed', async () => {
    const { window } = await start()
    window.webContents.emit('render-process-gone', {}, { reason: 'killed', exitCode: 1 })
    window.closed = true
    await soon()
    expect(window.calls.filter(([name]) => name === 'loadURL')).toHaveLength(1)
  })

  test('is granted nothing but writing text to the clipboard, and loads nothing from outside', async () => {
    const { electron, window } = await start()
    const { session } = electron
    const asked = (permission: string, url = 'app://bundle/') => {
      let granted: unknown = null
      window.webContents.url = url
      session.permissionRequest?.(window.webContents, permission, (given: boolean) => (granted = given))
      return granted
    }
    expect(
      ['media', 'geolocation', 'notifications', 'usb', 'openExternal', 'clipboard-read'].map((name) =>
        asked(name),
      ),
    ).toEqual(Array(6).fill(false))
    expect(asked('clipboard-sanitized-write')).toBe(true)
    expect(asked('clipboard-sanitized-write', 'https://evil.example/')).toBe(false)
    expect(session.permissionCheck?.(null, 'media', 'app://bundle')).toBe(false)
    expect(session.devicePermission?.({})).toBe(false)
    const cancelled = (url: string) => {
      let result: { cancel: boolean } | null = null
      session.beforeRequest?.({ url }, (given: { cancel: boolean }) => (result = given))
      return (result as { cancel: boolean } | null)?.cancel
    }
    expect(
      ['https://evil.example/', 'file:///etc/passwd', 'ws://127.0.0.1:1/', 'app://other/'].map(cancelled),
    ).toEqual(Array(4).fill(true))
    expect(cancelled('app://bundle/assets/index.js')).toBe(false)
    expect(cancelled('blob:https://evil.example/1')).toBe(true)
    expect(cancelled('blob:app://bundle/1')).toBe(false)
  })

  test('saves what it made itself, the log, and downloads nothing', async () => {
    const { electron } = await start()
    const prevented = (address: string) => {
      let was = false
      electron.session.emit(
        'will-download',
        { preventDefault: () => (was = true) },
        { getURL: () => address },
      )
      return was
    }
    expect(prevented('blob:app://bundle/7c9f')).toBe(false)
    expect(
      [
        'https://evil.example/a',
        'app://bundle/index.html',
        'blob:https://evil.example/1',
        'data:text/plain,a',
      ].map(prevented),
    ).toEqual(Array(4).fill(true))
  })

  test('is served the contract', async () => {
    const { electron, engine, window } = await start()
    engine.setState({ state: 'ready' })
    await electron.invoke(window, 'rpc-open', [])
    await electron.invoke(window, 'rpc', [
      JSON.stringify({ kind: 'request', id: 0, name: 'app.info', input: {} }),
    ])
    const frames = () => window.webContents.sent.map(([, text]) => JSON.parse(text as string) as ServerFrame)
    const ofKind = (wanted: ServerFrame['kind']) => () => frames().find(({ kind }) => kind === wanted)
    await expect
      .poll(ofKind('result'), { timeout: 30_000 })
      .toMatchObject({ id: 0, value: { host: 'electron' } })
    expect(ofKind('hello')()).toBeDefined()
  })
})

describe('the menu', () => {
  test('has every command of the contract, and sends each to the window', async () => {
    const { electron, window } = await start()
    await electron.invoke(window, 'rpc-open', [])
    for (const command of menuCommands) electron.choose(command)
    const sent = window.webContents.sent
      .map(([, text]) => JSON.parse(text as string) as { name?: string; payload?: { command: string } })
      .filter(({ name }) => name === 'menu')
      .map(({ payload }) => payload?.command)
    expect(sent).toEqual([...menuCommands])
  })

  test('gives no accelerator to two items', async () => {
    const { electron } = await start()
    const keys = electron.menuItems().flatMap(({ accelerator }) => accelerator ?? [])
    expect(new Set(keys).size).toBe(keys.length)
    expect(keys).toEqual(
      expect.arrayContaining(['CmdOrCtrl+Shift+R', 'CmdOrCtrl+N', 'CmdOrCtrl+Shift+N', 'CmdOrCtrl+Alt+N']),
    )
  })
})

describe('while a job runs', () => {
  test('the computer stays awake, and the dock shows how far it is', async () => {
    const { electron, engine, window } = await start()
    engine.emit('job', aJob())
    await soon()
    expect(electron.blockers.size).toBe(1)
    expect(window.calls.at(-1)).toEqual(['setProgressBar', 0.5, { mode: 'normal' }])
    engine.emit('job', aJob({ outcome: { kind: 'cancelled', target: 'empty', percent: 50 } }))
    await soon()
    expect(electron.blockers.size).toBe(0)
    expect(window.calls.at(-1)).toEqual(['setProgressBar', -1, { mode: 'none' }])
  })

  const bug = {
    family: 'bug',
    code: 'E_BUG',
    message: 'm',
    details: {},
    transient: false,
    cause: null,
  } as const
  const failed = aJob({ outcome: { kind: 'failed', error: bug, target: 'empty' } })

  test('its end is told to someone who is not looking, and the window asks for a look until they do', async () => {
    const { electron, engine, window } = await start()
    engine.emit('job', failed)
    await soon()
    expect(electron.notifications).toMatchObject([{ title: 'Could not complete.' }])
    expect(window.calls).toContainEqual(['flashFrame', true])
    electron.notifications[0]?.click()
    expect(window.calls.at(-1)).toEqual(['focus'])
    window.emit('focus')
    expect(window.calls).toContainEqual(['flashFrame', false])
    expect(window.calls.at(-1)).toEqual(['setProgressBar', -1, { mode: 'none' }])
  })

  test('its end is not told to someone who is looking', async () => {
    const { electron, engine, window } = await start()
    electron.focused = window
    engine.emit('job', failed)
    await soon()
    expect(electron.notifications).toEqual([])
  })
})

describe('while a stream runs', () => {
  const joined = aClient({ host: 'lab-01', state: 'receiving' })

  test('the computer stays awake, and someone who is not looking is told of the first client and of the last', async () => {
    const { electron, engine } = await start()
    engine.emit('sessions', [aSession({ phase: 'waiting' })])
    await soon()
    expect(electron.blockers.size).toBe(1)
    engine.emit('sessions', [aSession({ clients: [joined] })])
    engine.emit('sessions', [aSession({ clients: [{ ...joined, state: 'done' }] })])
    await soon()
    expect(electron.notifications).toMatchObject([
      { title: 'The first computer has joined' },
      { title: 'All computers are done' },
    ])
    engine.emit('sessions', [aSession({ phase: 'ended' })])
    await soon()
    expect(electron.blockers.size).toBe(0)
  })

  test('someone who is not looking is told that it failed, and the window asks until it was looked at', async () => {
    const { electron, engine, window } = await start()
    engine.emit('sessions', [aSession({ clients: [joined] })])
    engine.emit('sessions', [aSession({ phase: 'failed', clients: [joined] })])
    await soon()
    expect(electron.notifications).toMatchObject([
      { title: 'The first computer has joined' },
      { title: 'The stream failed' },
    ])
    expect(window.calls).toContainEqual(['flashFrame', true])
    window.emit('focus')
    expect(window.calls).toContainEqual(['flashFrame', false])
    expect(window.calls.at(-1)).toEqual(['setProgressBar', -1, { mode: 'none' }])
  })

  test('leaving asks, and says who would be left incomplete', async () => {
    const { electron, engine, window, disposed } = await start()
    engine.emit('sessions', [aSession({ clients: [joined] })])
    await soon()
    window.close()
    await soon()
    expect(electron.dialogs.at(-1)?.at(-1)).toMatchObject({
      message: "The stream 'ModularSystem' still runs.",
      detail: 'If you quit now, it ends, and 1 computer is left incomplete.',
    })
    expect([disposed(), window.closed]).toEqual([0, false])
  })

  test('leaving says that computers which only wait have their disks as they were', async () => {
    const { electron, engine, window } = await start()
    const waits = { ...joined, state: 'joined' as const, blocksDone: 0 }
    const interrupted = { ...waits, blocksDone: 7 }
    const asked = async (clients: readonly SessionClient[]) => {
      engine.emit('sessions', [aSession({ phase: 'waiting', clients })])
      await soon()
      window.close()
      await soon()
      return electron.dialogs.at(-1)?.at(-1)
    }
    expect(await asked([waits])).toMatchObject({
      detail: 'If you quit now, it ends. 1 computer is waiting for the start; its disk is as it was.',
    })
    expect(await asked([waits, waits, interrupted])).toMatchObject({
      detail:
        'If you quit now, it ends, and 1 computer is left incomplete. 2 computers are waiting for the start; their disks are as they were.',
    })
  })

  test('leaving tells of computers that are lost, and of those that verify', async () => {
    const { electron, engine, window } = await start()
    const lost = { ...joined, state: 'lost' as const }
    const verifies = { ...joined, state: 'verifying' as const }
    const asked = async (clients: readonly SessionClient[]) => {
      engine.emit('sessions', [aSession({ clients })])
      await soon()
      window.close()
      await soon()
      return electron.dialogs.at(-1)?.at(-1)
    }
    expect(await asked([joined, lost])).toMatchObject({
      detail: 'If you quit now, it ends, and 2 computers are left incomplete.',
    })
    expect(await asked([verifies])).toMatchObject({
      detail: 'If you quit now, it ends. 1 computer is verifying, and finishes by itself.',
    })
    expect(await asked([lost, verifies, verifies, { ...joined, state: 'done' }])).toMatchObject({
      detail:
        'If you quit now, it ends, and 1 computer is left incomplete. 2 computers are verifying, and finish by themselves.',
    })
  })

  test('and a job, too, leaving asks once, and says what becomes of both', async () => {
    const { electron, engine, window } = await start()
    const session = aSession({ clients: [joined] })
    engine.emit('sessions', [
      { ...session, settings: { ...session.settings, name: 'Modular\u{202e}System' } },
    ])
    engine.emit('job', aJob())
    await soon()
    window.close()
    await soon()
    expect(electron.dialogs).toHaveLength(1)
    expect(electron.dialogs[0]?.at(-1)).toMatchObject({
      message: "a.dmg → Test Stick isn't finished.",
      detail:
        "If you quit now, the restore is stopped and the destination is left erased and empty.\n\nThe stream 'Modular?System' still runs. If you quit now, it ends, and 1 computer is left incomplete.",
    })
  })
})

describe('leaving', () => {
  test('without a job ends the engine, then the app', async () => {
    const { electron, window, disposed } = await start()
    expect(window.close()).toBe(false)
    expect(await electron.app.ended.promise).toBe('quit')
    expect(disposed()).toBe(1)
  })

  const at = (phase: JobPhase, change: Partial<JobState> = {}) =>
    aJob({ phases: [{ phase, state: 'current', durationMs: null }], ...change })
  const waiting = { joined: 1, wanted: 2, startsInMs: null }
  const untouched = { ...aJob().progress!, doneBytes: 0 }
  const stopped = 'If you quit now, the restore is stopped.'
  const emptied = 'If you quit now, the restore is stopped and the destination is left erased and empty.'
  const other = aJob({ jobId: 'job-2', plan: aPlan({ target: { ...aPlan().target!, name: 'Card' } }) })
  const onlyChanged = aPlan({ request: { ...aPlan().request, changedOnly: true } })
  const image = aJob({ jobId: 'job-3', kind: 'convert-image', plan: null })

  test.each([
    [
      'a restore whose disk is only looked at',
      [at('validating-source')],
      `${stopped} Nothing was written yet.`,
    ],
    [
      'a restore that waits for its stream',
      [withStream(at('restoring', { progress: untouched }), { state: 'waiting', waiting })],
      `${stopped} Nothing was written yet.`,
    ],
    [
      'a restore whose stream is not there when it begins',
      [
        withStream(at('restoring', { progress: untouched }), {
          state: 'connecting',
          blocks: 100,
          missingBlocks: 100,
        }),
      ],
      `${stopped} Nothing was written yet.`,
    ],
    [
      'a restore whose stream is gone when its first block has come',
      [
        withStream(at('restoring', { progress: untouched }), {
          state: 'connecting',
          blocks: 100,
          missingBlocks: 99,
        }),
      ],
      emptied,
    ],
    ['a restore that writes', [at('erasing')], emptied],
    [
      'a restore of what differs, which may be nothing',
      [at('restoring', { plan: onlyChanged })],
      `${stopped.slice(0, -1)} and the destination may be left erased and empty.`,
    ],
    ['a restore that verifies', [at('verifying')], emptied],
    [
      'a restore that is done but for the mounting',
      [at('remounting')],
      'It is restored. If you quit now, the destination may not be mounted again or ejected.',
    ],
    [
      'a stream that is saved as a file',
      [at('restoring', { plan: aPlan({ request: { ...aPlan().request, form: 'file' } }) })],
      'If you quit now, it is stopped. What has come is kept, and the same goes on from there.',
    ],
    ['work on an image', [image], 'If you quit now, it is stopped.'],
    ['jobs that wrote nothing yet', [at('unmounting'), image], 'If you quit now, they are stopped.'],
    [
      'jobs of which one writes',
      [at('unmounting'), other],
      "If you quit now, they are stopped, and 'Card' is left erased and empty.",
    ],
    [
      'jobs that write',
      [aJob(), other],
      "If you quit now, they are stopped, and 'Test Stick' and 'Card' are left erased and empty.",
    ],
    [
      'jobs of which one writes what differs',
      [aJob({ plan: onlyChanged }), other],
      "If you quit now, they are stopped, and 'Test Stick' and 'Card' may be left erased and empty.",
    ],
  ] as const)('says what becomes of %s', async (_, jobs, detail) => {
    const { electron, engine, window } = await start()
    for (const job of jobs) engine.emit('job', job)
    await soon()
    window.close()
    await soon()
    expect(electron.dialogs.at(-1)?.at(-1)).toMatchObject({ detail })
  })

  test('while a job runs asks, and stays when the answer is to keep going', async () => {
    const { electron, engine, window, disposed } = await start()
    engine.emit('job', aJob())
    await soon()
    window.close()
    electron.app.quit()
    await soon()
    expect(electron.dialogs).toHaveLength(1)
    expect(electron.dialogs[0]?.at(-1)).toMatchObject({
      defaultId: 0,
      cancelId: 0,
      buttons: ['Keep Going', 'Stop and Quit'],
    })
    expect([disposed(), window.closed]).toEqual([0, false])
    window.close()
    await soon()
    expect(electron.dialogs).toHaveLength(2)
  })

  test('while a job runs stops it first when that is the answer', async () => {
    const { electron, engine, window, disposed } = await start()
    electron.messageAnswer = 1
    const stopped = Promise.withResolvers<void>()
    engine.answer('job.cancel', async ({ jobId }) => {
      await stopped.promise
      return aJob({ jobId })
    })
    engine.emit('job', aJob())
    await soon()
    window.close()
    await soon()
    expect([disposed(), window.closed]).toEqual([0, false])
    stopped.resolve()
    expect(await electron.app.ended.promise).toBe('quit')
    expect([disposed(), window.closed]).toEqual([1, true])
    expect(electron.blockers.size).toBe(0)
  })

  test('does not wait for ever for a job that cannot be stopped', async () => {
    const { electron, engine, window, disposed } = await start(undefined, { stopMs: 20 })
    electron.messageAnswer = 1
    engine.answer('job.cancel', () => new Promise(() => {}))
    engine.emit('job', aJob())
    await soon()
    window.close()
    await expect.poll(() => window.closed, { timeout: 5000 }).toBe(true)
    expect(disposed()).toBe(1)
  })
})

describe('starting', () => {
  test('a second time shows the window that is there', async () => {
    const { electron, window } = await start()
    electron.app.emit('second-instance')
    expect(window.calls.at(-1)).toEqual(['focus'])
    const second = new ElectronDouble()
    second.app.firstInstance = false
    await startApp({ electron: second.modules, preload: '', readPage: async () => page })
    expect(second.windows).toEqual([])
    expect(await second.app.ended.promise).toBe('quit')
  })

  test('without a built page says so and ends', async () => {
    const electron = new ElectronDouble()
    await startApp({
      electron: electron.modules,
      preload: '',
      readPage: () => Promise.reject(new Error('not built')),
    })
    expect(electron.dialogs[0]).toMatchObject([
      'showErrorBox',
      'Reprise could not start',
      expect.stringContaining('not built'),
    ])
    expect(await electron.app.ended.promise).toBe('exit 1')
  })
})
