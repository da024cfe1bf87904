import { describe, expect, it } from 'vitest'
import { ConnectRefused } from '#src/renderer/store/index.ts'
import { createUiDouble } from '#test/ui-double'
import { aJob, aRequest, planFor, practiceDisk, practiceImage, sandisk, systemImage } from '#test/ui-fixtures'
import { openWindow, readyWindow, settle, tabMemory } from '#test/ui-window'

describe('the connection to the host', () => {
  it('fills the mirror and then follows the events', async () => {
    using window = await openWindow()
    const { mirror, view } = window.reprise
    expect(mirror.getState().connection).toEqual({ state: 'open' })
    expect(mirror.getState().diskPaths).toContain('/dev/sdb')
    expect(view.getState().images.map((image) => image.path)).toEqual([practiceImage.path])
    window.double.unplug('/dev/sdb')
    await settle()
    expect(mirror.getState().diskPaths).not.toContain('/dev/sdb')
  })

  it('shows the restore that was running before the page was loaded', async () => {
    const double = createUiDouble({ devices: [sandisk] })
    double.sendJob(aJob(planFor(aRequest(), [sandisk], [systemImage]), { phase: 'restoring', percent: 3 }))
    using window = await openWindow({ double })
    expect(window.reprise.view.getState().restoreJobId).toBe('job-1')
  })

  it('leaves the restore that is being composed where it is, though another one runs', async () => {
    const double = createUiDouble({ devices: [sandisk, practiceDisk], images: [practiceImage, systemImage] })
    double.sendJob(aJob(planFor(aRequest(), [sandisk], [systemImage]), { phase: 'restoring', percent: 3 }))
    const memory = tabMemory()
    const composed = { source: { locator: practiceImage.path }, destination: { name: 'Practice disk' } }
    {
      using window = await openWindow({ double, memory })
      const { actions, view } = window.reprise
      actions.setUpPractice()
      await settle()
      actions.setOption('erase', true)
      double.lose()
      await settle()
      window.clock.advance(250)
      await settle()
      expect(view.getState()).toMatchObject({ ...composed, restoreJobId: null, options: { erase: true } })
    }
    using window = await openWindow({ double, memory })
    expect(window.reprise.view.getState()).toMatchObject({ ...composed, restoreJobId: null })
  })

  it('shows the restore that began when its answer was lost with the connection', async () => {
    using window = await readyWindow()
    const { actions, view } = window.reprise
    window.double.holdStart()
    actions.openConfirm()
    const confirmed = actions.confirmRestore(null)
    await settle()
    window.double.sendJob(aJob(planFor(aRequest(), [sandisk], [systemImage]), { phase: 'unmounting' }))
    window.double.lose()
    await confirmed
    window.clock.advance(250)
    await settle()
    expect(view.getState()).toMatchObject({ restoreJobId: 'job-1', starting: null })
  })

  it('knows by how much the clock of its host is ahead', async () => {
    using window = await openWindow()
    window.double.answer('state.get', async () => ({
      devices: [],
      jobs: [],
      sessions: [],
      streams: [],
      nowMs: window.clock.now() + 600_000,
    }))
    window.double.lose()
    await settle()
    window.clock.advance(250)
    await settle()
    expect(window.reprise.mirror.getState().hostAheadMs).toBe(600_000)
  })

  it('tries again with growing pauses, and takes the new state when it is back', async () => {
    using window = await openWindow()
    const { mirror } = window.reprise
    window.double.lose({ refusing: true })
    await settle()
    expect(mirror.getState().connection).toEqual({ state: 'lost', retrying: true })
    window.clock.advance(250)
    await settle()
    expect(mirror.getState().connection.state).toBe('lost')
    window.double.refusing = false
    window.double.devices = [sandisk]
    window.clock.advance(500)
    await settle()
    expect(mirror.getState().connection).toEqual({ state: 'open' })
    expect(mirror.getState().diskPaths).toEqual(['/dev/sdb'])
  })

  it('says in the end that the host cannot be reached, and goes on to try', async () => {
    using window = await openWindow()
    window.double.lose({ refusing: true })
    for (let tries = 0; tries < 10; tries += 1) {
      await settle()
      window.clock.advance(4000)
    }
    await settle()
    expect(window.reprise.mirror.getState().connection).toEqual({ state: 'lost', retrying: false })
    window.double.refusing = false
    window.clock.advance(4000)
    await settle()
    expect(window.reprise.mirror.getState().connection).toEqual({ state: 'open' })
  })

  it('does not try again when the link is not valid', async () => {
    const double = createUiDouble()
    let tries = 0
    using window = await openWindow({
      double: {
        ...double,
        connect: async () => {
          tries += 1
          throw new ConnectRefused()
        },
      },
    })
    window.clock.advance(60_000)
    await settle()
    expect(window.reprise.mirror.getState().connection).toEqual({ state: 'refused' })
    expect(tries).toBe(1)
  })

  it.each([
    ['is read as soon as the first connection is there', false],
    ['is told when there is none', true],
  ])('what is asked for before the window is connected %s', async (_, refuses) => {
    const double = createUiDouble({ devices: [sandisk], images: [systemImage] })
    const gate = Promise.withResolvers<void>()
    using window = await openWindow({
      double: {
        ...double,
        connect: async () => {
          await gate.promise
          if (refuses) throw new Error('no host')
          return double.connect()
        },
      },
    })
    const { actions, view } = window.reprise
    const asked = actions.chooseSourceFile(systemImage.path)
    await settle()
    expect(view.getState()).toMatchObject({ source: { state: 'reading' }, notice: null })
    gate.resolve()
    await asked
    expect(view.getState().source).toMatchObject(
      refuses ? { state: 'failed', error: { code: 'E_HOST_LOST' } } : { state: 'ready' },
    )
  })

  it('fails requests at once while there is no connection', async () => {
    using window = await openWindow()
    window.double.lose({ refusing: true })
    await settle()
    await window.reprise.actions.chooseSourceFile(systemImage.path)
    expect(window.reprise.view.getState().source?.error?.code).toBe('E_HOST_LOST')
  })

  it('reads again what was being read when it was lost, wherever one is by then', async () => {
    using window = await openWindow()
    const { actions, view } = window.reprise
    const other = { ...systemImage, path: '/home/ann/Other.dmg' }
    let isAway = true
    const read = async <T>(answer: T) => (isAway ? new Promise<never>(() => undefined) : answer)
    window.double.answer('source.inspect', async ({ source }) =>
      read({ kind: 'image', locator: source, name: 'System.dmg', image: systemImage }),
    )
    window.double.answer('image.info', async () => read(other))
    const asked = [actions.chooseSourceFile(systemImage.path), actions.openImage(other.path)]
    await settle()
    window.double.lose()
    await Promise.all(asked)
    expect(view.getState().source).toMatchObject({ state: 'failed', error: { code: 'E_HOST_LOST' } })
    isAway = false
    actions.setTab('activity')
    window.clock.advance(250)
    await settle()
    const { source, images, tab } = view.getState()
    expect(source).toMatchObject({ state: 'ready', name: 'System.dmg', error: null })
    expect(images.find(({ path }) => path === other.path)).toMatchObject({ state: 'ready', info: other })
    expect(tab).toBe('activity')
  })

  it('does not take its own end for the end of the engine', async () => {
    using window = await readyWindow()
    const { actions, view } = window.reprise
    window.double.holdStart()
    actions.openConfirm()
    const confirmed = actions.confirmRestore(null)
    await settle()
    window.double.lose()
    await confirmed
    expect(view.getState().notice).toMatchObject({ doing: 'start', error: { code: 'E_HOST_LOST' } })
  })

  it('has each line of the log once, whichever way it came', async () => {
    const double = createUiDouble({})
    const line = { timeMs: 1, level: 'info', message: 'x', fields: {} } as const
    double.answer('log.read', async () => {
      double.sendLog(line)
      return { lines: [line] }
    })
    using window = await openWindow({ double })
    window.clock.advance(250)
    expect(window.reprise.mirror.getState().log).toHaveLength(1)
  })

  it('hands the log on in batches', async () => {
    using window = await openWindow()
    let changes = 0
    window.reprise.mirror.subscribe(() => void (changes += 1))
    for (let index = 0; index < 50; index += 1)
      window.double.sendLog({ timeMs: index, level: 'info', message: 'x', fields: {} })
    await settle()
    window.clock.advance(250)
    expect(window.reprise.mirror.getState().log).toHaveLength(50)
    expect(changes).toBe(1)
  })
})
