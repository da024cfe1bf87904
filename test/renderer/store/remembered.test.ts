import { describe, expect, it } from 'vitest'
import { DeviceError, FormatError } from '#shared/errors'
import { aSession } from '#test/stream-fixtures'
import {
  aJob,
  aRequest,
  aSummary,
  ended,
  planFor,
  practiceImage,
  sandisk,
  systemImage,
} from '#test/ui-fixtures'
import { openWindow, settle, tabMemory, type TestWindow } from '#test/ui-window'
import type { UiDouble } from '#test/ui-double'
import { streamDraft } from '#src/renderer/store/stream-draft.ts'

/** The page before and after a reload, on the same host. */
async function reloaded(
  before: (window: TestWindow) => Promise<void> | void,
  between: (double: UiDouble) => void = () => undefined,
): Promise<TestWindow> {
  const memory = tabMemory()
  let double: UiDouble
  {
    using window = await openWindow({ memory })
    double = window.double
    await before(window)
    await settle()
  }
  between(double)
  const window = await openWindow({ memory, double })
  await window.planned()
  return window
}

const formatDetails = { format: 'image', field: 'magic', offset: 0, path: '/a.dmg' }

const compose = async ({ reprise: { actions } }: TestWindow) => {
  await actions.chooseSourceFile(systemImage.path)
  actions.chooseDestination('disk:/dev/sdb')
  actions.setOption('erase', true)
  actions.setOption('verify', false)
}

describe('a page that is loaded anew', () => {
  it('has both wells and the options as they were, asked of the engine anew, and not the tick', async () => {
    using window = await reloaded(compose)
    expect(window.reprise.view.getState()).toMatchObject({
      source: { locator: systemImage.path, state: 'ready' },
      destination: { locator: '/dev/sdb', name: 'SanDisk Ultra', state: 'ready' },
      options: { erase: false, verify: false },
      plan: { state: 'ready' },
    })
  })

  it('lists in the sidebar what it listed', async () => {
    using window = await reloaded(({ reprise }) => reprise.actions.setListed('volumes'))
    expect(window.reprise.view.getState().listed).toBe('volumes')
    using other = await reloaded(() => undefined)
    expect(other.reprise.view.getState().listed).toBe('devices')
  })

  it('has another disk neither as destination nor as source', async () => {
    using destination = await reloaded(compose, (double) =>
      double.setDevices([{ ...sandisk, identity: 'another' }]),
    )
    expect(destination.reprise.view.getState().destination).toBeNull()
    using source = await reloaded(
      ({ reprise }) => reprise.actions.chooseSource('disk:/dev/sdb'),
      (double) => double.setDevices([{ ...sandisk, identity: 'another' }]),
    )
    expect(source.reprise.view.getState().source).toBeNull()
  })

  it('has no destination that was disconnected', async () => {
    using window = await reloaded(async (before) => {
      await compose(before)
      before.double.unplug('/dev/sdb')
      before.double.plug(sandisk)
    })
    expect(window.reprise.view.getState().destination).toBeNull()
  })

  it('shows how the restore ended that it showed, if the engine still knows', async () => {
    const job = aJob(planFor(aRequest(), [sandisk], [systemImage]), { phase: 'remounting' })
    const restore = async (window: TestWindow) => {
      await compose(window)
      await window.planned()
      window.reprise.actions.openConfirm()
      await window.reprise.actions.confirmRestore(null)
      window.double.sendJob(ended(job, { kind: 'done', summary: aSummary() }))
    }
    using known = await reloaded(restore)
    expect(known.reprise.view.getState()).toMatchObject({ restoreJobId: 'job-1', destination: null })
    using unknown = await reloaded(restore, (double) =>
      double.answer('state.get', async () => ({
        devices: double.devices,
        jobs: [],
        sessions: [],
        streams: [],
        nowMs: 0,
      })),
    )
    expect(unknown.reprise.view.getState()).toMatchObject({ restoreJobId: null, destination: null })
  })

  it('has the tab and the form for a stream as they were, without its password', async () => {
    using window = await reloaded(async ({ reprise: { actions } }) => {
      await actions.openImage(systemImage.path)
      actions.chooseStreamSource(`image:${systemImage.path}`)
      actions.changeStream({ name: 'Lab 2', ttl: '7', start: 'either', advertise: false, password: 'sesame' })
      actions.showOptions(true)
    })
    expect(window.reprise.view.getState()).toMatchObject({
      tab: 'multicast',
      server: {
        optionsShown: true,
        draft: {
          source: `image:${systemImage.path}`,
          name: 'Lab 2',
          ttl: '7',
          start: 'either',
          advertise: false,
          password: '',
          fixed: ['name'],
        },
      },
    })
  })

  it('has a disk in that form only where it is the same', async () => {
    const choose = ({ reprise }: TestWindow) => reprise.actions.chooseStreamSource('disk:/dev/sdb')
    using same = await reloaded(choose)
    expect(same.reprise.view.getState().server.draft).toMatchObject({
      source: 'disk:/dev/sdb',
      device: { state: 'ready' },
    })
    using another = await reloaded(choose, (double) =>
      double.setDevices([{ ...sandisk, identity: 'another' }]),
    )
    expect(another.reprise.view.getState().server.draft).toMatchObject({ source: null, device: null })
  })

  it('shows the stream that was shown, if it is still known', async () => {
    const show = ({ reprise, double }: TestWindow) => {
      double.sendSessions([aSession({ sessionId: 'a' }), aSession({ sessionId: 'b' })])
      reprise.actions.showSession('b')
    }
    using known = await reloaded(show)
    expect(known.reprise.view.getState()).toMatchObject({ tab: 'multicast', server: { shown: 'b' } })
    using unknown = await reloaded(show, (double) => double.sendSessions([aSession({ sessionId: 'a' })]))
    expect(unknown.reprise.view.getState().server.shown).toBe('a')
  })

  it('has the images in the sidebar that were opened, read anew', async () => {
    using window = await reloaded(({ reprise: { actions } }) => actions.openImage(systemImage.path))
    expect(window.reprise.view.getState()).toMatchObject({
      tab: 'restore',
      selected: null,
      images: [{ path: practiceImage.path }, { path: systemImage.path, state: 'ready' }],
    })
  })

  it('has those, too, that were still being read, and is to stream one of them', async () => {
    const never = new Promise<never>(() => undefined)
    using window = await reloaded(
      ({ reprise: { actions }, double }) => {
        double.answer('image.info', () => never)
        void actions.takeImage('stream', systemImage.path)
      },
      (double) => double.answer('image.info', async () => systemImage),
    )
    expect(window.reprise.view.getState()).toMatchObject({
      images: [{ path: practiceImage.path }, { path: systemImage.path, state: 'ready' }],
      server: { draft: { source: `image:${systemImage.path}` } },
    })
  })

  it.each([
    ['is locked', new FormatError('E_SRC_ENCRYPTED', 'locked', { details: formatDetails }), true],
    ["wasn't there", new DeviceError('E_NOT_FOUND', 'gone', { details: { path: '/a.dmg' } }), true],
    ["isn't an image", new FormatError('E_SRC_FORMAT', 'no image', { details: formatDetails }), false],
  ])('has one in the sidebar that %s: %#', async (_, error, isKept) => {
    using window = await reloaded(async ({ reprise: { actions }, double }) => {
      double.answer('image.info', async ({ path }) => {
        if (path === '/a.dmg') throw error
        return practiceImage
      })
      await actions.openImage('/a.dmg')
    })
    const paths = window.reprise.view.getState().images.map(({ path }) => path)
    expect(paths.includes('/a.dmg')).toBe(isKept)
  })

  it('keeps no password of an address', async () => {
    const memory = tabMemory()
    using window = await openWindow({ memory })
    const path = 'https://files.example/a.dmg'
    for (const slashes of ['//', '///']) {
      window.reprise.actions.openUrl(`https:${slashes}ann:sesame@files.example/a.dmg`)
      await settle()
      expect(memory.text).toContain(path)
      expect(memory.text).not.toContain('sesame')
    }
    window.reprise.actions.changeStream({ name: 'Lab 2', password: 'sesame' })
    expect(memory.text).toContain('Lab 2')
    expect(memory.text).not.toContain('sesame')
  })

  it.each([
    ['nonsense', '{'],
    ['another shape', '{"source":{"locator":7},"options":[],"images":7,"form":[]}'],
    [
      'other fields',
      '{"tab":"x","images":[7],"form":{"source":{},"draft":{"ttl":3,"start":"x","fixed":["x"]}}}',
    ],
    ['nothing', 'null'],
  ])('begins anew with %s in its memory', async (_, text) => {
    using window = await openWindow({ memory: tabMemory(text) })
    expect(window.reprise.view.getState()).toMatchObject({
      tab: 'restore',
      source: null,
      destination: null,
      server: { draft: streamDraft },
    })
  })
})
