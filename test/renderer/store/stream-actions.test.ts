import { describe, expect, it } from 'vitest'
import { DeviceError, NetworkError, UsageError, serializeError } from '#shared/errors'
import { draftProblems, draftSurroundings, itemName } from '#src/renderer/store/index.ts'
import type { SessionSettings } from '#shared/model'
import { aClient, aSession, foundStreams, goodChecks, interfaces } from '#test/stream-fixtures'
import { imageJobs, practiceImage, sandisk, smallStick, systemImage, unscannedImage } from '#test/ui-fixtures'
import { createUiDouble } from '#test/ui-double'
import { openWindow, settle, type TestWindow } from '#test/ui-window'

async function streamWindow(): Promise<TestWindow> {
  const double = createUiDouble({
    devices: [sandisk, smallStick],
    images: [practiceImage, systemImage, unscannedImage],
  })
  double.interfaces = interfaces
  double.checks = goodChecks
  const window = await openWindow({ double })
  window.reprise.actions.setTab('multicast')
  await settle()
  return window
}

const server = ({ reprise }: TestWindow) => reprise.view.getState().server
const asked = ({ double }: TestWindow, name: string) =>
  double.calls.filter((call) => call.name === name).map((call) => call.input)
const settingsAsked = (window: TestWindow) =>
  (asked(window, 'session.start') as { readonly settings: SessionSettings }[]).map(({ settings }) => settings)

const withImage = async () => {
  const window = await streamWindow()
  await window.reprise.actions.takeImage('stream', systemImage.path)
  return window
}

describe('the form', () => {
  it('asks for the interfaces when its tab is opened', async () => {
    using window = await streamWindow()
    expect(server(window).interfaces).toEqual(interfaces)
  })

  it('looks again while none are found, as long as one waits for one', async () => {
    using window = await openWindow()
    const { actions } = window.reprise
    const looks = () => asked(window, 'multicast.interfaces').length
    const wait = async () => {
      window.clock.advance(3000)
      await settle()
    }
    actions.setTab('multicast')
    await settle()
    expect([server(window).interfaces, looks()]).toEqual([[], 1])
    await wait()
    expect(looks()).toBe(2)
    actions.setTab('restore')
    await wait()
    expect(looks()).toBe(2)
    actions.setTab('multicast')
    await settle()
    window.double.interfaces = interfaces
    await wait()
    expect([server(window).interfaces, looks()]).toEqual([interfaces, 4])
    await wait()
    expect(looks()).toBe(4)
  })

  it('takes an image, and its name when it has been read', async () => {
    using window = await withImage()
    expect(server(window).draft).toMatchObject({ source: `image:${systemImage.path}`, name: 'ModularSystem' })
    expect(window.reprise.view.getState().tab).toBe('multicast')
  })

  it('takes a dropped file', async () => {
    using window = await streamWindow()
    window.double.located = systemImage.path
    const file = {
      name: 'x',
      size: 1,
      lastModified: 1,
      slice: () => ({ arrayBuffer: async () => new ArrayBuffer(1) }),
    }
    await window.reprise.actions.dropFiles('stream', [file])
    expect(server(window).draft.source).toBe(`image:${systemImage.path}`)
  })

  it('keeps what was typed when the image changes, but for the name and the address of the other', async () => {
    using window = await withImage()
    const { actions } = window.reprise
    actions.changeStream({ name: 'Mine', dataRate: '3', ttl: '9' })
    actions.chooseStreamSource('disk:/dev/sdb')
    expect(server(window).draft).toMatchObject({ name: 'SanDisk Ultra', dataRate: '3', ttl: '9' })
  })

  it('forgets what a check said as soon as something changes', async () => {
    using window = await withImage()
    const { actions } = window.reprise
    await actions.checkNetwork()
    expect(server(window).check).toEqual({ state: 'done', checks: goodChecks })
    actions.changeStream({ port: '7801' })
    expect(server(window).check).toEqual({ state: 'none' })
  })

  it('forgets it, and why a start was refused, when another interface became the one it would be sent on', async () => {
    using window = await withImage()
    const { actions } = window.reprise
    const busy = new NetworkError('E_MC_PORT', 'busy', { details: { phase: 'join', address: '10.20.0.5' } })
    window.double.answer('session.start', async () => {
      throw busy
    })
    const [ethernet, wireless] = interfaces
    const look = async () => {
      actions.setTab('restore')
      actions.setTab('multicast')
      await settle()
    }
    await actions.checkNetwork()
    await actions.startStream()
    await look()
    expect(server(window)).toMatchObject({ check: { state: 'done' }, sending: { state: 'failed' } })
    window.double.interfaces = [
      { ...ethernet!, isDefault: false },
      { ...wireless!, isDefault: true },
    ]
    // As typed: nothing of the form follows the interface.
    actions.changeStream({ dataRate: '6' })
    await actions.checkNetwork()
    await actions.startStream()
    await look()
    expect(server(window)).toMatchObject({ check: { state: 'none' }, sending: { state: 'idle' } })
  })

  it.each(['done', 'busy'] as const)(
    'keeps it, where it was %s, when the interfaces could not be read, or only their speed is another',
    async (state) => {
      using window = await withImage()
      const { actions } = window.reprise
      const held = Promise.withResolvers<void>()
      window.double.answer('multicast.check', async () => {
        if (state === 'busy') await held.promise
        return goodChecks
      })
      // As typed: nothing of the form follows the interface.
      actions.changeStream({ dataRate: '6' })
      const checked = actions.checkNetwork()
      await settle()
      const look = async () => {
        await actions.readInterfaces()
        expect(server(window).check.state).toBe(state)
      }
      window.double.answer('multicast.interfaces', async () => {
        throw new NetworkError('E_MC_IFACE', 'no answer', { details: { phase: 'join', address: '' } })
      })
      await look()
      expect(server(window).interfaces).toEqual(interfaces)
      const slower = interfaces.map((each) => ({ ...each, linkBitsPerSecond: 1e7, mtu: 1400 }))
      window.double.answer('multicast.interfaces', async () => slower)
      await look()
      expect(server(window).interfaces).toEqual(slower)
      held.resolve()
      await checked
      expect(server(window).check).toEqual({ state: 'done', checks: goodChecks })
    },
  )

  it.each(['done', 'busy'] as const)(
    'forgets it when the image was scanned since, also where it was %s',
    async (state) => {
      using window = await withImage()
      const { actions } = window.reprise
      const held = Promise.withResolvers<void>()
      const unscanned = new UsageError('E_SRC_NOSCAN', 'not scanned', {
        details: { input: 'source', path: systemImage.path },
      })
      window.double.answer('multicast.check', async () => {
        if (state === 'busy') await held.promise
        return [{ step: 'source', state: 'failed', error: serializeError(unscanned) }]
      })
      const checked = actions.checkNetwork()
      await settle()
      expect(server(window).check.state).toBe(state)
      const [, scanned] = imageJobs()
      if (scanned?.outcome?.kind !== 'scanned') throw new Error('no fixture')
      const scan = { ...scanned.outcome.scan, path: systemImage.path }
      window.double.sendJob({ ...scanned, outcome: { kind: 'scanned', scan } })
      held.resolve()
      await checked
      await settle()
      expect(server(window).check).toEqual({ state: 'none' })
    },
  )

  it('says what is missing when it is asked to start too early, and asks nobody', async () => {
    using window = await streamWindow()
    await window.reprise.actions.takeImage('stream', unscannedImage.path)
    await window.reprise.actions.startStream()
    expect(server(window).tried).toBe(true)
    expect(settingsAsked(window)).toEqual([])
  })

  it('answers each time it is asked too early, and no more once the form was changed', async () => {
    using window = await streamWindow()
    const { actions } = window.reprise
    const answers = () => server(window).answers
    await actions.startStream()
    await actions.checkNetwork()
    expect(answers()).toBe(2)
    actions.changeStream({ port: '7801' })
    expect([answers(), server(window).tried]).toEqual([0, true])
    await actions.startStream()
    expect(answers()).toBe(1)
    await actions.takeImage('stream', systemImage.path)
    expect(answers()).toBe(0)
  })
})

describe('a device in the well', () => {
  const denied = serializeError(new DeviceError('E_DENIED', 'no', { details: { path: '/dev/sdb' } }))
  const looks = (window: TestWindow) => asked(window, 'multicast.checkSource')
  /** What the well shows, and what stands against it. */
  const stands = ({ reprise: { mirror, view } }: TestWindow) => {
    const { draft } = view.getState().server
    const around = draftSurroundings(mirror.getState(), view.getState())
    return { shown: around.item && itemName(around.item), problems: draftProblems(draft, around) }
  }

  it('is looked at before anything is started, and what stands against it is known', async () => {
    using window = await streamWindow()
    window.double.sourceCheck = { step: 'source', state: 'failed', error: denied }
    window.reprise.actions.chooseStreamSource('disk:/dev/sdb')
    await settle()
    expect(looks(window)).toEqual([{ source: '/dev/sdb', compression: 'balanced' }])
    expect(server(window).refusal).toMatchObject({ code: 'E_DENIED' })
    await window.reprise.actions.startStream()
    expect(settingsAsked(window)).toEqual([])
  })

  it('is looked at anew when its disk has changed or the tab is opened, and an older answer counts no more', async () => {
    using window = await streamWindow()
    const first = Promise.withResolvers<void>()
    window.double.answer('multicast.checkSource', async () => {
      await first.promise
      return { step: 'source', state: 'failed', error: denied }
    })
    const { actions } = window.reprise
    actions.chooseStreamSource('disk:/dev/sdb')
    await settle()
    window.double.answer('multicast.checkSource', async () => ({ step: 'source', state: 'ok', error: null }))
    window.double.setDevices([sandisk, { ...smallStick, busy: true }])
    await settle()
    expect(looks(window)).toHaveLength(1)
    window.double.setDevices([{ ...sandisk, busy: true }, smallStick])
    await settle()
    expect(looks(window)).toHaveLength(2)
    first.resolve()
    await settle()
    expect(server(window).refusal).toBeNull()
    actions.setTab('multicast')
    await settle()
    expect(looks(window)).toHaveLength(3)
  })

  it('that is a volume is looked at anew, too, and called as it is now', async () => {
    using window = await streamWindow()
    const [efi, untitled] = sandisk.volumes
    window.reprise.actions.chooseStreamSource('volume:/dev/sdb2')
    await settle()
    window.double.setDevices([{ ...sandisk, volumes: [efi!, { ...untitled!, label: 'PHOTOS' }] }])
    await settle()
    expect(looks(window)).toHaveLength(2)
    expect(server(window).draft).toMatchObject({ name: 'PHOTOS', device: { state: 'ready' } })
  })

  it('doesn’t become the disk that takes its place: it is gone until it is chosen again', async () => {
    using window = await streamWindow()
    const { actions } = window.reprise
    actions.chooseStreamSource('disk:/dev/sdb')
    await settle()
    window.double.unplug('/dev/sdb')
    await settle()
    expect(stands(window)).toEqual({ shown: 'SanDisk Ultra', problems: { source: 'gone' } })
    window.double.plug({ ...smallStick, path: '/dev/sdb' })
    await settle()
    expect(stands(window)).toEqual({ shown: 'SanDisk Ultra', problems: { source: 'gone' } })
    await actions.startStream()
    await actions.checkNetwork()
    expect([settingsAsked(window), asked(window, 'multicast.check')]).toEqual([[], []])
    expect(looks(window)).toHaveLength(1)
    actions.chooseStreamSource('disk:/dev/sdb')
    expect(stands(window)).toEqual({ shown: 'Kingston DataTraveler', problems: {} })
  })

  it.each([
    ['the disk, plugged in again', 'disk:/dev/sdb', [sandisk]],
    ['another disk, in one step', 'disk:/dev/sdb', [{ ...smallStick, path: '/dev/sdb' }]],
    ['a disk without the volume', 'volume:/dev/sdb2', [{ ...sandisk, volumes: [] }]],
    [
      'a volume of the same number elsewhere on it',
      'volume:/dev/sdb2',
      [{ ...sandisk, volumes: sandisk.volumes.map((each) => ({ ...each, offset: each.offset + 512 })) }],
    ],
  ] as const)('isn’t %s, either', async (_, id, disks) => {
    using window = await streamWindow()
    window.reprise.actions.chooseStreamSource(id)
    if (disks[0] === sandisk) window.double.unplug('/dev/sdb')
    await settle()
    window.double.setDevices(disks)
    await settle()
    expect(stands(window)).toMatchObject({ problems: { source: 'gone' } })
  })

  it('gives its place to an image, of which nobody asks', async () => {
    using window = await streamWindow()
    window.double.sourceCheck = { step: 'source', state: 'failed', error: denied }
    window.reprise.actions.chooseStreamSource('disk:/dev/sdb')
    await settle()
    await window.reprise.actions.takeImage('stream', systemImage.path)
    expect(server(window).refusal).toBeNull()
    expect(looks(window)).toHaveLength(1)
  })

  it('that can’t be asked for may be started all the same: that will say why', async () => {
    using window = await streamWindow()
    window.double.answer('multicast.checkSource', () => Promise.reject(new Error('odd')))
    window.reprise.actions.chooseStreamSource('disk:/dev/sdb')
    await settle()
    expect(server(window).refusal).toBeNull()
  })
})

describe('starting', () => {
  it('shows the session when it is there, and leaves the form for another one', async () => {
    using window = await withImage()
    window.reprise.actions.changeStream({ password: 'secret' })
    const started = window.reprise.actions.startStream()
    await settle()
    expect(server(window)).toMatchObject({ sending: { state: 'busy' }, shown: null })
    window.double.sendSessions([aSession({ sessionId: 'session-1' })])
    await started
    expect(settingsAsked(window)).toMatchObject([{ source: systemImage.path, password: 'secret' }])
    expect(server(window)).toMatchObject({ shown: 'session-1', sending: { state: 'idle' } })
    expect(server(window).draft).toMatchObject({ source: null, name: '', password: '' })
  })

  it('does not wait for a first state for ever', async () => {
    using window = await withImage()
    const started = window.reprise.actions.startStream()
    await settle()
    window.clock.advance(3000)
    await started
    expect(server(window).sending).toEqual({ state: 'idle' })
  })

  it('says in place why it was refused', async () => {
    using window = await withImage()
    window.double.answer('session.start', () =>
      Promise.reject(
        new NetworkError('E_MC_PORT', 'taken', { details: { address: '', phase: 'start', port: 7800 } }),
      ),
    )
    await window.reprise.actions.startStream()
    expect(server(window).sending).toMatchObject({ state: 'failed', error: { code: 'E_MC_PORT' } })
    expect(server(window).draft.source).toBe(`image:${systemImage.path}`)
  })

  /** Start Stream was pressed; the answer comes when `answer` is called. */
  async function held() {
    const window = await withImage()
    const { promise, resolve, reject } = Promise.withResolvers<{ sessionId: string }>()
    window.double.answer('session.start', () => promise)
    window.reprise.actions.changeStream({ password: 'secret', group: '239.9.9.9', dataRate: '7' })
    const started = window.reprise.actions.startStream()
    await settle()
    return {
      window,
      answer: async () => {
        window.double.sendSessions([aSession({ sessionId: 'session-1' })])
        resolve({ sessionId: 'session-1' })
        await started
      },
      refuse: async () => {
        reject(
          new NetworkError('E_MC_PORT', 'taken', { details: { address: '', phase: 'start', port: 7800 } }),
        )
        await started
      },
    }
  }

  it('keeps what is prepared for the next stream meanwhile', async () => {
    const { window: opened, answer } = await held()
    using window = opened
    const { actions } = window.reprise
    actions.chooseStreamSource('disk:/dev/sdb')
    actions.changeStream({ port: '7900', password: 'other' })
    await answer()
    expect(settingsAsked(window)).toMatchObject([
      { source: systemImage.path, configuration: { port: 7800 }, password: 'secret' },
    ])
    // Nobody is taken away from it: the stream is among those of the bar.
    expect(server(window)).toMatchObject({ shown: null, sending: { state: 'idle' } })
    expect(server(window).draft).toMatchObject({
      source: 'disk:/dev/sdb',
      device: { state: 'ready' },
      name: 'SanDisk Ultra',
      port: '7900',
      password: 'other',
      dataRate: '7',
      fixed: ['dataRate'],
    })
  })

  it('leaves in sight another stream that one looks at meanwhile', async () => {
    const { window: opened, answer } = await held()
    using window = opened
    window.reprise.actions.showSession('other')
    await answer()
    expect(server(window)).toMatchObject({ shown: 'other', sending: { state: 'idle' } })
    expect(server(window).draft).toMatchObject({ source: null, password: '' })
  })

  it('leaves what was said of the form as it is that is prepared meanwhile', async () => {
    const { window: opened, answer } = await held()
    using window = opened
    const { actions } = window.reprise
    actions.chooseStreamSource('disk:/dev/sdb')
    actions.changeStream({ port: '' })
    await actions.checkNetwork()
    await answer()
    expect(server(window)).toMatchObject({ tried: true, answers: 1 })
  })

  it('leaves what a check found of the form that is prepared meanwhile, unless that follows the stream', async () => {
    const checkNext = async (name: string) => {
      const { window: opened, answer } = await held()
      using window = opened
      const { actions } = window.reprise
      actions.chooseStreamSource('disk:/dev/sdb')
      actions.changeStream({ name })
      await actions.checkNetwork()
      expect(server(window).check).toEqual({ state: 'done', checks: goodChecks })
      await answer()
      return server(window).check.state
    }
    expect(await checkNext('Next')).toBe('done')
    // Of that name there is one now: this one is called otherwise.
    expect(await checkNext('ModularSystem')).toBe('none')
  })

  it('keeps a name and an address that were typed meanwhile, and clears what was started', async () => {
    const { window: opened, answer } = await held()
    using window = opened
    window.reprise.actions.changeStream({ name: 'Next', group: '239.8.8.8' })
    await answer()
    expect(server(window).draft).toMatchObject({
      source: null,
      name: 'Next',
      group: '239.8.8.8',
      password: '',
    })
    window.reprise.actions.chooseStreamSource('disk:/dev/sdb')
    expect(server(window).draft.name).toBe('SanDisk Ultra')
  })

  it('is asked for once, whatever is changed meanwhile', async () => {
    const { window: opened, answer } = await held()
    using window = opened
    const { actions } = window.reprise
    actions.changeStream({ port: '7900' })
    actions.chooseStreamSource('disk:/dev/sdb')
    expect(server(window).sending).toEqual({ state: 'busy' })
    await actions.startStream()
    expect(server(window).tried).toBe(false)
    await answer()
    expect(settingsAsked(window)).toHaveLength(1)
  })

  it('that is refused is not told of the image that was chosen meanwhile', async () => {
    const { window: opened, refuse } = await held()
    using window = opened
    window.reprise.actions.chooseStreamSource('disk:/dev/sdb')
    await refuse()
    expect(server(window)).toMatchObject({ sending: { state: 'idle' }, draft: { source: 'disk:/dev/sdb' } })
    expect(window.reprise.view.getState().notice).toMatchObject({
      kind: 'error',
      doing: 'stream',
      name: 'ModularSystem',
      error: { code: 'E_MC_PORT' },
    })
  })

  it.each([
    ['on another tab', (window: TestWindow) => window.reprise.actions.setTab('restore')],
    ['at another stream', (window: TestWindow) => window.reprise.actions.showSession('other')],
  ])('that is refused while one is %s is told there, too', async (_, leave) => {
    const { window: opened, refuse } = await held()
    using window = opened
    window.double.sendSessions([aSession({ sessionId: 'other' })])
    await settle()
    leave(window)
    await refuse()
    expect(server(window).sending).toMatchObject({ state: 'failed', error: { code: 'E_MC_PORT' } })
    expect(window.reprise.view.getState().notice).toMatchObject({
      kind: 'error',
      doing: 'stream',
      name: 'ModularSystem',
      error: { code: 'E_MC_PORT' },
    })
  })

  it('that is refused where it is seen is told in its place only', async () => {
    const { window: opened, refuse } = await held()
    using window = opened
    await refuse()
    expect(server(window).sending).toMatchObject({ state: 'failed' })
    expect(window.reprise.view.getState().notice).toBeNull()
  })
})

describe('stopping', () => {
  it('is done at once where nobody is left incomplete by it', async () => {
    using window = await streamWindow()
    window.double.sendSessions([aSession({ clients: [aClient({ host: 'a', state: 'done' })] })])
    await settle()
    await window.reprise.actions.stopStream(aSession().sessionId)
    expect(asked(window, 'session.stop')).toEqual([{ sessionId: aSession().sessionId, when: 'now' }])
  })

  it('is asked for once, though it was pressed twice: the second would have it forgotten', async () => {
    using window = await streamWindow()
    window.double.sendSessions([aSession({ clients: [] })])
    await settle()
    const { stopStream } = window.reprise.actions
    await Promise.all([stopStream(aSession().sessionId), stopStream(aSession().sessionId)])
    await stopStream(aSession().sessionId)
    expect(asked(window, 'session.stop')).toHaveLength(1)
  })

  it.each(['now', 'when-finished'] as const)('asks first where somebody is: %s', async (when) => {
    using window = await streamWindow()
    window.double.sendSessions([aSession({ clients: [aClient({ host: 'a' })] })])
    await settle()
    const { actions, view } = window.reprise
    await actions.stopStream(aSession().sessionId)
    expect(view.getState().sheet).toEqual({ kind: 'stop-stream', sessionId: aSession().sessionId })
    expect(asked(window, 'session.stop')).toEqual([])
    await actions.stopStreamNow(when)
    expect(asked(window, 'session.stop')).toEqual([{ sessionId: aSession().sessionId, when }])
    expect(view.getState().sheet).toBeNull()
  })

  it('that fails is said', async () => {
    using window = await streamWindow()
    window.double.sendSessions([aSession()])
    await settle()
    window.double.answer('session.stop', () => Promise.reject(new Error('odd')))
    await window.reprise.actions.stopStream(aSession().sessionId)
    expect(window.reprise.view.getState().notice).toMatchObject({ doing: 'stream', name: 'ModularSystem' })
  })
})

describe('an ended stream', () => {
  it('goes out of the list at once, and the form is shown', async () => {
    using window = await streamWindow()
    window.double.sendSessions([aSession({ phase: 'ended' })])
    await settle()
    const { actions, mirror } = window.reprise
    actions.showSession(aSession().sessionId)
    await actions.forgetSession(aSession().sessionId)
    expect(mirror.getState().sessions).toEqual([])
    expect(server(window).shown).toBeNull()
  })

  it('stays where the host doesn’t let it go', async () => {
    using window = await streamWindow()
    window.double.sendSessions([aSession({ phase: 'ended' })])
    await settle()
    window.double.answer('session.stop', () => Promise.reject(new Error('odd')))
    const { actions, mirror } = window.reprise
    actions.showSession(aSession().sessionId)
    await actions.forgetSession(aSession().sessionId)
    expect(mirror.getState().sessions).toHaveLength(1)
    expect(server(window).shown).toBe(aSession().sessionId)
  })
})

describe('streams beside each other', () => {
  const sessions = ['a', 'b', 'c'].map((sessionId) => aSession({ sessionId }))
  const order = ({ reprise }: TestWindow) =>
    reprise.mirror.getState().sessions.map(({ sessionId }) => sessionId)

  it('stand in order of precedence, however old they are, and are moved in it', async () => {
    using window = await streamWindow()
    window.double.sendSessions(sessions.map((session, index) => ({ ...session, createdMs: index * 7 })))
    await settle()
    expect(order(window)).toEqual(['a', 'b', 'c'])
    // The host's next word would come half a second later.
    window.double.answer('session.setPrecedence', async () => null)
    await window.reprise.actions.moveSession('c', 'up')
    expect(asked(window, 'session.setPrecedence')).toEqual([{ sessionIds: ['a', 'c', 'b'] }])
    expect(order(window)).toEqual(['a', 'c', 'b'])
  })

  it('stay as they are at the end of the list', async () => {
    using window = await streamWindow()
    window.double.sendSessions(sessions)
    await settle()
    await window.reprise.actions.moveSession('a', 'up')
    expect(asked(window, 'session.setPrecedence')).toEqual([])
  })

  it('stay as they are where the host refuses, and that is said', async () => {
    using window = await streamWindow()
    window.double.sendSessions(sessions)
    await settle()
    window.double.answer('session.setPrecedence', () => Promise.reject(new Error('odd')))
    await window.reprise.actions.moveSession('b', 'up')
    expect(order(window)).toEqual(['a', 'b', 'c'])
    expect(window.reprise.view.getState().notice).toMatchObject({ doing: 'stream', name: 'ModularSystem' })
  })
})

describe('a running stream', () => {
  it('is shown to a window that opens later', async () => {
    const double = createUiDouble()
    double.sessions = [aSession()]
    using window = await openWindow({ double })
    expect(server(window).shown).toBe(aSession().sessionId)
  })

  it('keeps what it sent over the last two minutes, and the identity of what did not change', async () => {
    using window = await streamWindow()
    const { mirror } = window.reprise
    for (let index = 0; index < 300; index += 1)
      window.double.sendSessions([aSession({ createdMs: 5, startedMs: 5, sentBytesPerSecond: index })])
    await settle()
    const rates = mirror.getState().sentRates[aSession().sessionId] ?? []
    expect([rates.length, rates[0], rates.at(-1)]).toEqual([240, 60, 299])
    const before = mirror.getState().sessions[0]
    window.double.sendSessions([aSession({ createdMs: 5, startedMs: 5, sentBytesPerSecond: 299 })])
    await settle()
    expect(mirror.getState().sessions[0]).toBe(before)
  })
})

describe("asr's configuration", () => {
  const path = '/home/ann/lab.plist'
  const configuration = {
    dataRate: 2e6,
    group: '239.1.2.3',
    clientDataRate: 1e6,
    advertise: false,
    loopSuspend: 0,
    ttl: 9,
    port: 7801,
  }

  it('fills the form when it is opened, and its warnings are said', async () => {
    using window = await streamWindow()
    window.double.answer('configuration.read', async () => ({
      configuration,
      warnings: ["Nobody knows 'Datarate'."],
    }))
    await window.reprise.actions.openConfiguration(path)
    expect(server(window).draft).toMatchObject({
      dataRate: '2',
      group: '239.1.2.3',
      clientDataRate: '1',
      advertise: false,
      loopSuspend: '0',
      ttl: '9',
      port: '7801',
    })
    expect(window.reprise.view.getState().notice).toMatchObject({
      kind: 'configuration',
      name: 'lab.plist',
      warnings: ["Nobody knows 'Datarate'."],
    })
    // An image chosen afterwards has its own name, and the rate stays.
    await window.reprise.actions.takeImage('stream', systemImage.path)
    expect(server(window).draft).toMatchObject({ dataRate: '2', name: 'ModularSystem' })
  })

  it('is saved where the system’s panel says', async () => {
    using window = await withImage()
    window.double.answer('image.chooseTarget', async () => ({ kind: 'chosen', path, replace: true }))
    await window.reprise.actions.saveConfiguration()
    expect(asked(window, 'image.chooseTarget')).toEqual([{ path: '/home/ann/Images/ModularSystem.plist' }])
    expect(window.double.configurations[path]).toMatchObject({ dataRate: 12e6, port: 7800 })
  })

  it('is not written to the top of the file system where no folder is given', async () => {
    using window = await withImage()
    const { actions, view } = window.reprise
    await actions.saveConfiguration()
    actions.changeSaving({ name: 'lab.plist', folder: ' ' })
    await actions.writeConfiguration()
    expect(view.getState().sheet).toMatchObject({ problem: { kind: 'no-folder' } })
    expect(asked(window, 'configuration.write')).toEqual([])
  })

  it('asks in a browser, and once more before it replaces what is there', async () => {
    using window = await withImage()
    const { actions, view } = window.reprise
    await actions.saveConfiguration()
    expect(view.getState().sheet).toMatchObject({ kind: 'save-configuration', name: 'ModularSystem.plist' })
    actions.changeSaving({ name: 'lab.plist', folder: '/home/ann' })
    window.double.targets = { [path]: { kind: 'file', sizeBytes: 1, freeBytes: 1 } }
    await actions.writeConfiguration()
    expect(view.getState().sheet).toMatchObject({ problem: { kind: 'exists' } })
    expect(window.double.configurations).toEqual({})
    await actions.writeConfiguration()
    expect(Object.keys(window.double.configurations)).toEqual([path])
    expect(view.getState()).toMatchObject({ sheet: null, notice: { kind: 'configuration', doing: 'saved' } })
  })

  it('is written by nobody who pressed Cancel while its place was looked at', async () => {
    using window = await withImage()
    const { actions } = window.reprise
    await actions.saveConfiguration()
    const held = Promise.withResolvers<void>()
    window.double.answer('target.inspect', async () => {
      await held.promise
      return { kind: 'nothing', sizeBytes: 0, freeBytes: 9 }
    })
    const written = actions.writeConfiguration()
    await settle()
    actions.closeSheet()
    held.resolve()
    await written
    expect(asked(window, 'configuration.write')).toEqual([])
  })

  it('is told of when it was written all the same, since Cancel came too late', async () => {
    using window = await withImage()
    const { actions, view } = window.reprise
    await actions.saveConfiguration()
    const held = Promise.withResolvers<void>()
    window.double.answer('configuration.write', async () => {
      await held.promise
      return null
    })
    const written = actions.writeConfiguration()
    await settle()
    actions.openSheet('about')
    held.resolve()
    await written
    expect(view.getState()).toMatchObject({
      sheet: { kind: 'about' },
      notice: { kind: 'configuration', doing: 'saved', name: 'ModularSystem.plist' },
    })
  })

  it('another name is looked at anew', async () => {
    using window = await withImage()
    const { actions, view } = window.reprise
    await actions.saveConfiguration()
    actions.changeSaving({ name: 'lab.plist', folder: '/home/ann' })
    window.double.targets = { [path]: { kind: 'file', sizeBytes: 1, freeBytes: 1 } }
    await actions.writeConfiguration()
    actions.changeSaving({ name: 'lab' })
    expect(view.getState().sheet).toMatchObject({ problem: null })
    actions.changeSaving({ name: 'a/b' })
    await actions.writeConfiguration()
    expect(view.getState().sheet).toMatchObject({ problem: { kind: 'bad-name' } })
    expect(window.double.configurations).toEqual({})
  })

  it('is saved of the stream that is shown', async () => {
    using window = await withImage()
    const session = aSession({ sessionId: 'session-1' })
    window.double.sendSessions([session])
    await settle()
    window.reprise.actions.showSession('session-1')
    // The form behind it is as it was left.
    window.reprise.actions.changeStream({ ttl: '0' })
    await window.reprise.actions.saveConfiguration()
    expect(window.reprise.view.getState().sheet).toMatchObject({
      kind: 'save-configuration',
      name: `${session.settings.name}.plist`,
    })
    window.reprise.actions.changeSaving({ name: 'lab.plist', folder: '/home/ann' })
    await window.reprise.actions.writeConfiguration()
    expect(window.double.configurations).toEqual({ [path]: session.settings.configuration })
    expect(server(window)).toMatchObject({ shown: 'session-1', tried: false })
  })

  it('can’t be saved while a field of it isn’t right: the form says which', async () => {
    using window = await withImage()
    window.reprise.actions.changeStream({ ttl: '0' })
    await window.reprise.actions.saveConfiguration()
    expect(server(window).tried).toBe(true)
    expect(asked(window, 'image.chooseTarget')).toEqual([])
  })
})

describe('the warning about shared networks', () => {
  const warned = ({ reprise }: TestWindow) => reprise.mirror.getState().app?.preferences.networkWarned

  it('is heeded with one press: a third of the rate, which stays', async () => {
    using window = await withImage()
    const { actions } = window.reprise
    expect([server(window).draft.dataRate, warned(window)]).toEqual(['12', false])
    actions.takeGentleRate()
    actions.changeStream({ interface: interfaces[1]?.address ?? '' })
    expect([server(window).draft.dataRate, warned(window)]).toEqual(['4', true])
  })

  it('leaves a rate that was typed', async () => {
    using window = await withImage()
    window.reprise.actions.changeStream({ dataRate: '9' })
    window.reprise.actions.takeGentleRate()
    expect([server(window).draft.dataRate, warned(window)]).toEqual(['9', true])
  })
})

describe('a stream that is over', () => {
  /** Started from the form with that source, then over. */
  async function over(source: 'image' | 'device', change: Parameters<typeof aSession>[0] = {}) {
    const window = await streamWindow()
    const { actions } = window.reprise
    if (source === 'image') await actions.takeImage('stream', systemImage.path)
    else actions.chooseStreamSource('disk:/dev/sdb')
    actions.changeStream({ name: 'Lab', ttl: '7', start: 'hand', password: 'sesame' })
    const started = actions.startStream()
    await settle()
    const [wanted] = settingsAsked(window)
    if (!wanted) throw new Error('it was started')
    const { password, ...settings } = wanted
    const session = aSession({
      sessionId: 'session-1',
      phase: 'failed',
      settings: { ...settings, hasPassword: password !== null },
      ...change,
    })
    window.double.sendSessions([session])
    await settle()
    window.clock.advance(3000)
    await started
    return window
  }

  it('is in the form again, with its image opened anew, and not started', async () => {
    using window = await over('image')
    // Something else was being prepared.
    window.reprise.actions.changeStream({ port: '7999', password: 'other' })
    window.reprise.actions.startAgain('session-1')
    expect(server(window)).toMatchObject({
      shown: null,
      passwordWanted: true,
      draft: {
        source: `image:${systemImage.path}`,
        name: 'Lab',
        ttl: '7',
        port: '7800',
        start: 'hand',
        password: '',
      },
    })
    await settle()
    expect(
      asked(window, 'image.info').filter((input) => (input as { path: string }).path === systemImage.path),
    ).toHaveLength(2)
    expect(settingsAsked(window)).toHaveLength(1)
    const started = window.reprise.actions.startStream()
    await settle()
    window.clock.advance(3000)
    await started
    const [first, second] = settingsAsked(window)
    expect(second).toEqual({ ...first, password: null })
    expect(server(window).passwordWanted).toBe(false)
  })

  it('is in it also when it ended well, was started elsewhere, and had no password', async () => {
    using window = await streamWindow()
    const { settings } = aSession()
    window.double.sendSessions([
      aSession({ phase: 'ended', settings: { ...settings, source: systemImage.path } }),
    ])
    await settle()
    window.reprise.actions.startAgain(aSession().sessionId)
    await settle()
    expect(server(window)).toMatchObject({
      shown: null,
      passwordWanted: false,
      draft: { source: `image:${systemImage.path}`, name: 'ModularSystem', interface: '10.20.0.5' },
    })
  })

  it('has its device again only where that is the same', async () => {
    using same = await over('device')
    same.reprise.actions.startAgain('session-1')
    expect(server(same).draft).toMatchObject({ source: 'disk:/dev/sdb', device: { state: 'ready' } })
    using another = await over('device')
    another.double.setDevices([{ ...sandisk, identity: 'another' }])
    await settle()
    another.reprise.actions.startAgain('session-1')
    expect(server(another).draft).toMatchObject({ source: null, device: null, name: 'Lab' })
    // Nobody knows here which disk that was.
    using unknown = await over('device', { sessionId: 'session-2' })
    unknown.reprise.actions.startAgain('session-2')
    expect(server(unknown).draft).toMatchObject({ source: null, device: null, name: 'Lab' })
  })
})

describe('a stream on the network', () => {
  const [found] = foundStreams

  it('stands in the sidebar while it is there, and becomes the source', async () => {
    using window = await streamWindow()
    const { actions, view } = window.reprise
    if (!found) throw new Error('there is one')
    window.double.sendStreams(foundStreams)
    await settle()
    window.double.answer('source.inspect', async ({ source }) => ({
      kind: 'stream',
      locator: source,
      name: 'Lab 10.6.dmg',
      stream: {
        session: 'Lab 10.6',
        imageName: 'Lab 10.6.dmg',
        imageFormat: 'ULFO',
        streamBytes: 1e9,
        fingerprint: 'c0'.repeat(32),
        pinned: false,
      },
      image: systemImage,
    }))
    actions.chooseSource(`stream:${found.locator}`)
    await settle()
    expect(view.getState()).toMatchObject({
      tab: 'restore',
      source: { state: 'ready', locator: found.locator, name: 'Lab 10.6.dmg' },
    })
    actions.chooseDestination(`stream:${found.locator}`)
    expect(view.getState().destination).toBeNull()
    // It needs a disk as large as what is in the image.
    actions.chooseDestination('disk:/dev/sdc')
    expect(view.getState().destination).toBeNull()
  })

  it('is never asked for changed blocks only', async () => {
    using window = await streamWindow()
    const { actions } = window.reprise
    window.double.answer('source.inspect', async ({ source }) => ({
      kind: 'stream',
      locator: source,
      name: 'Lab.dmg',
      stream: {
        session: 'Lab',
        imageName: 'Lab.dmg',
        imageFormat: 'ULFO',
        streamBytes: 1e9,
        fingerprint: 'c0'.repeat(32),
        pinned: false,
      },
      image: null,
    }))
    await actions.chooseSourceFile('asr://lab/Lab')
    actions.chooseDestination('disk:/dev/sdb')
    actions.setOption('changedOnly', true)
    await window.planned()
    expect(asked(window, 'restore.plan').at(-1)).toMatchObject({
      source: 'asr://lab/Lab',
      changedOnly: false,
    })
  })

  it('with a password asks for it, and goes on when it is right', async () => {
    using window = await streamWindow()
    const { actions, view } = window.reprise
    const refused = new NetworkError('E_MC_PASSWORD', 'no', { details: { address: 'lab', phase: 'join' } })
    window.double.answer('source.inspect', () => Promise.reject(refused))
    await actions.chooseSourceFile('asr://lab/Lab')
    expect(view.getState().sheet).toMatchObject({ kind: 'password', path: 'asr://lab/Lab', name: 'Lab' })
    await actions.unlock('secret')
    expect(asked(window, 'image.unlock')).toEqual([{ path: 'asr://lab/Lab', password: 'secret' }])
    expect(asked(window, 'source.inspect')).toHaveLength(2)
  })
})
